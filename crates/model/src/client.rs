//! What the program on the other side can be asked for.
//!
//! It travels with every call and is seldom looked at, so that it is small: of what is declared by an object that means nothing to a
//! gate, only the declaration is kept.

use serde::Deserialize;
use serde_json::Value;

use crate::{InputRequest, Members};

/// What a client declared it can do. In the modern era it comes with each request, in the legacy era with the session.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(default)]
pub struct ClientCapabilities {
    /// It can ask its user.
    pub elicitation: Option<Elicitation>,
    /// It can ask its language model.
    pub sampling: Option<Sampling>,
    /// It can list its roots.
    pub roots: Option<Declared>,
    /// Extensions by identifier, with their settings; none of them means anything to a gate.
    pub extensions: Declared,
}

/// Something is declared, by an object of any members.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(from = "Members")]
pub struct Declared;

impl From<Members> for Declared {
    fn from(_: Members) -> Self {
        Self
    }
}

/// Ways in which a client can ask its user. Neither named means forms only.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(default)]
pub struct Elicitation {
    form: Option<Declared>,
    url: Option<Declared>,
}

impl Elicitation {
    /// The user can fill in a form.
    #[must_use]
    pub fn form(&self) -> bool {
        self.form.is_some() || self.url.is_none()
    }

    /// The user can be sent to a page.
    #[must_use]
    pub fn url(&self) -> bool {
        self.url.is_some()
    }
}

/// What a client's sampling can do beyond plain messages.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(default)]
pub struct Sampling {
    /// It understands `tools` and `toolChoice`.
    pub tools: Option<Declared>,
    /// It understands `includeContext`.
    pub context: Option<Declared>,
}

impl ClientCapabilities {
    /// `None` if the client can answer `request`; otherwise the capability it would have to declare, as MCP writes it.
    #[must_use]
    pub fn lacks(&self, request: &InputRequest) -> Option<Value> {
        use serde_json::json;
        match request {
            InputRequest::Form { .. } if !self.elicitation.as_ref().is_some_and(Elicitation::form) => Some(json!({ "elicitation": {} })),
            InputRequest::Url { .. } if !self.elicitation.as_ref().is_some_and(Elicitation::url) => {
                Some(json!({ "elicitation": { "url": {} } }))
            }
            InputRequest::Sample(params) => match &self.sampling {
                None => Some(json!({ "sampling": {} })),
                Some(sampling) => {
                    let wants_tools = params.contains_key("tools") || params.contains_key("toolChoice");
                    (wants_tools && sampling.tools.is_none()).then(|| json!({ "sampling": { "tools": {} } }))
                }
            },
            InputRequest::Roots if self.roots.is_none() => Some(json!({ "roots": {} })),
            InputRequest::Form { .. } | InputRequest::Url { .. } | InputRequest::Roots => None,
        }
    }
}
