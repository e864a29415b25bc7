//! What the operator said about each tool, worked out once.

use std::{borrow::Cow, time::Duration};

use callgate_model::{BackendName, Caching, Call, Effect, Sharing, Tool, UriTemplate};
use serde_json::Value;

use super::{
    key::Keys,
    marks::{Mark, What},
};
use crate::Error;

/// What is done about calls of a tool.
#[derive(Debug)]
pub(super) enum Terms {
    /// Nothing.
    Plain,
    /// Replies are kept.
    Kept(Kept),
    /// Calls make kept replies stale.
    Changing(Tags),
}

/// How replies of a tool are kept.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) keys: Keys,
    pub(super) ttl: Duration,
    pub(super) stale: Duration,
    pub(super) shared: Sharing,
    tool: Box<str>,
    tags: Tags,
    everywhere: [Mark; 2],
}

/// Tags, to be filled in with the arguments of a call.
#[derive(Debug, Default)]
pub(super) struct Tags {
    templates: Vec<UriTemplate>,
    /// What arguments are when they are not given, as the schema says.
    defaults: Vec<(String, Value)>,
}

impl Terms {
    pub(super) fn of(backend: &BackendName, tool: &Tool) -> Result<Self, Error> {
        match &tool.terms.cache {
            // Whoever declares tools in code is not checked by `callgate check`; a write is never kept all the same.
            Some(caching) if tool.effect == Effect::Read => Kept::of(backend, tool, caching).map(Self::Kept),
            _ if tool.terms.invalidates.is_empty() => Ok(Self::Plain),
            _ => Tags::of(tool, &tool.terms.invalidates).map(Self::Changing),
        }
    }
}

impl Kept {
    fn of(backend: &BackendName, tool: &Tool, caching: &Caching) -> Result<Self, Error> {
        let Caching { ttl, stale, tags, shared, .. } = caching;
        let name = tool.name.as_str();
        Ok(Self {
            keys: Keys::new(backend, tool, *shared),
            ttl: *ttl,
            stale: *stale,
            shared: *shared,
            tool: name.into(),
            tags: Tags::of(tool, tags)?,
            everywhere: [Mark::of(What::Everything, None), Mark::of(What::Tool(name), None)],
        })
    }

    /// Everything the reply to `call` hangs on; `None` if a tag cannot be filled in, so that it could never be made stale.
    pub(super) fn marks(&self, call: &Call) -> Option<Vec<Mark>> {
        let tenant = Some(call.caller.tenant().as_ref());
        let mut marks = self.everywhere.to_vec();
        marks.extend([Mark::of(What::Everything, tenant), Mark::of(What::Tool(&self.tool), tenant)]);
        for tag in self.tags.of_call(call) {
            let tag = tag?;
            marks.extend([Mark::of(What::Tag(&tag), None), Mark::of(What::Tag(&tag), tenant)]);
        }
        Some(marks)
    }
}

impl Tags {
    fn of(tool: &Tool, texts: &[String]) -> Result<Self, Error> {
        let parse = |text: &String| {
            let failed = |why: callgate_model::TemplateError| Error::Tag { tool: tool.name.clone(), why: why.to_string() };
            UriTemplate::parse(text).map_err(failed)
        };
        let templates: Vec<_> = texts.iter().map(parse).collect::<Result<_, _>>()?;
        let schema = if templates.is_empty() { Value::Null } else { tool.input.to_value() };
        let default = |name: &str| Some((name.to_owned(), schema["properties"][name].get("default")?.clone()));
        let defaults = templates.iter().flat_map(UriTemplate::variables).filter_map(default).collect();
        Ok(Self { templates, defaults })
    }

    /// The marks that `call` makes stale.
    pub(super) fn changed_by(&self, call: &Call) -> Vec<Mark> {
        let tenant = Some(call.caller.tenant().as_ref());
        // Without an argument it is not known what is stale, so everything of the tenant is.
        let mark = |tag: Option<String>| Mark::of(tag.as_deref().map_or(What::Everything, What::Tag), tenant);
        self.of_call(call).map(mark).collect()
    }

    fn of_call<'a>(&'a self, call: &'a Call) -> impl Iterator<Item = Option<String>> + 'a {
        self.templates.iter().map(|template| template.expand(|name| self.value(call, name).and_then(word)))
    }

    fn value<'a>(&'a self, call: &'a Call, name: &str) -> Option<&'a Value> {
        call.argument(name).or_else(|| self.defaults.iter().find(|(of, _)| of == name).map(|(_, value)| value))
    }
}

/// A scalar as it stands in a tag.
fn word(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Number(_) | Value::Bool(_) => Some(Cow::Owned(value.to_string())),
        _ => None,
    }
}
