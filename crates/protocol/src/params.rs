//! The parameters of a request or notification, its metadata apart.
//!
//! There are few of them and each is asked for once, so that they are a list and no map. `_meta` is read for what a gate knows; the rest
//! of it is not kept.

use callgate_model::Members;
use serde_json::Value;

use crate::strict::{Object, Tree};

/// The parameters of one message.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Params {
    members: Vec<(String, Value)>,
    /// What the message says about itself, under `_meta`.
    pub meta: Given,
}

/// What a message says about itself, as it came.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Given {
    /// The token under which its sender wants progress.
    pub progress: Option<Value>,
    pub(crate) version: Option<Value>,
    pub(crate) capabilities: Option<Value>,
    pub(crate) level: Option<Value>,
    traceparent: Option<Value>,
    tracestate: Option<Value>,
    /// It has a key that only modern requests have.
    pub(crate) is_modern: bool,
}

/// Keys of `_meta` that only modern requests have.
pub(crate) const VERSION: &str = "io.modelcontextprotocol/protocolVersion";
pub(crate) const CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
pub(crate) const LOG_LEVEL: &str = "io.modelcontextprotocol/logLevel";
const CLIENT: &str = "io.modelcontextprotocol/clientInfo";

impl Params {
    /// A parameter by name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.members.iter().find(|(own, _)| own == name).map(|(_, value)| value)
    }

    /// Takes a parameter out.
    pub(crate) fn take(&mut self, name: &str) -> Option<Value> {
        let place = self.members.iter().position(|(own, _)| own == name)?;
        Some(self.members.swap_remove(place).1)
    }

    pub(crate) fn of(mut object: Object<'_>) -> Self {
        let meta = match object.take("_meta") {
            Some(Tree::Object(meta)) => Given::of(meta),
            _ => Given::default(),
        };
        Self { members: object.into_values().collect(), meta }
    }
}

impl From<Members> for Params {
    /// The members of an object within the parameters, which has no metadata of its own.
    fn from(members: Members) -> Self {
        Self { members: members.into_iter().collect(), meta: Given::default() }
    }
}

impl Given {
    fn of(mut meta: Object<'_>) -> Self {
        let client = meta.take(CLIENT);
        let mut value = |name| meta.take(name).map(Value::from);
        let (version, capabilities, level) = (value(VERSION), value(CAPABILITIES), value(LOG_LEVEL));
        let is_modern = client.is_some() || version.is_some() || capabilities.is_some() || level.is_some();
        let (traceparent, tracestate) = (value("traceparent"), value("tracestate"));
        Self { progress: value("progressToken"), traceparent, tracestate, version, capabilities, level, is_modern }
    }

    /// The W3C trace context that came with it, `traceparent` and `tracestate`. Nobody has looked at them yet.
    #[must_use]
    pub fn context(&self) -> (Option<&str>, Option<&str>) {
        (self.traceparent.as_ref().and_then(Value::as_str), self.tracestate.as_ref().and_then(Value::as_str))
    }
}
