//! What comes back from a call that did not fail.

use serde::{Deserialize, Serialize};

use crate::{Content, InputRequired, Json, ResourceContents};

/// What a call gives, by what was called.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// A tool ran.
    Tool(ToolReply),
    /// A resource was read.
    Resource(Vec<ResourceContents>),
    /// A prompt was rendered.
    Prompt(PromptReply),
    /// Proposals for an argument.
    Completion(Completion),
    /// The call needs something first; it will be made again with the answers.
    InputRequired(InputRequired),
}

/// The result of a tool.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ToolReply {
    /// What the model reads. Left empty beside `structured`, the JSON text itself is shown.
    pub content: Vec<Content>,
    /// What programs read; fits the tool's output schema.
    pub structured: Option<Json>,
    /// The tool ran and failed; the content says why.
    pub is_error: bool,
    /// Something was left out for want of room; the reply says what, and how to get it.
    pub partial: bool,
    /// Free metadata (`_meta`).
    pub meta: Option<Json>,
}

impl ToolReply {
    /// A result that is one text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self { content: vec![Content::text(text)], ..Self::default() }
    }

    /// A result that is data; its JSON text is shown to the model.
    #[must_use]
    pub fn structured(json: Json) -> Self {
        Self { structured: Some(json), ..Self::default() }
    }

    /// A failure of the tool itself, told in one text.
    #[must_use]
    pub fn error(text: impl Into<String>) -> Self {
        Self { is_error: true, ..Self::text(text) }
    }
}

impl From<ToolReply> for Reply {
    fn from(reply: ToolReply) -> Self {
        Self::Tool(reply)
    }
}

impl From<InputRequired> for Reply {
    fn from(asked: InputRequired) -> Self {
        Self::InputRequired(asked)
    }
}

/// A rendered prompt.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PromptReply {
    /// What it is for.
    pub description: Option<String>,
    /// The messages, in order.
    pub messages: Vec<Message>,
}

/// One message of a prompt.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What is said.
    pub content: Content,
}

/// Who speaks in a prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The person.
    User,
    /// The model.
    Assistant,
}

/// What an argument is completed for.
#[derive(Clone, Debug, PartialEq)]
pub enum Reference {
    /// An argument of this prompt.
    Prompt(String),
    /// A variable of this URI template.
    Template(String),
}

/// Proposals for the value of an argument, best first; the wire carries at most 100.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Completion {
    /// The proposals.
    pub values: Vec<String>,
    /// How many there are in all, if known.
    pub total: Option<u64>,
    /// There are more than these.
    pub more: bool,
}

impl Completion {
    /// How many proposals the protocol lets one reply carry.
    pub const MAX: usize = 100;
}
