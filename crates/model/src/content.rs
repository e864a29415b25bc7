//! Pieces of content: what tools, resources and prompts are made of.

use crate::{Json, Resource};

/// One content block with what MCP lets one say about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Content {
    /// The content itself.
    pub body: Body,
    /// MCP annotations (`audience`, `priority`, `lastModified`).
    pub annotations: Option<Json>,
    /// Free metadata (`_meta`).
    pub meta: Option<Json>,
}

/// The kinds of content. Binary data is base64 text throughout: it is only ever passed on.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// Plain text.
    Text(String),
    /// A picture.
    Image {
        /// Base64.
        data: String,
        /// Media type.
        mime: String,
    },
    /// Sound.
    Audio {
        /// Base64.
        data: String,
        /// Media type.
        mime: String,
    },
    /// A resource that the client may read. Clients of 2025-03-26 get its URI as text.
    Link(Box<Resource>),
    /// A resource, included.
    Embedded(ResourceContents),
}

impl Content {
    /// A text block.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Body::Text(text.into()).into()
    }
}

impl From<Body> for Content {
    fn from(body: Body) -> Self {
        Self { body, annotations: None, meta: None }
    }
}

/// What reading a resource gives.
#[derive(Clone, Debug, PartialEq)]
pub struct ResourceContents {
    /// Which resource this is.
    pub uri: String,
    /// Media type, if known.
    pub mime: Option<String>,
    /// The text or the bytes.
    pub text: ResourceText,
    /// Free metadata (`_meta`).
    pub meta: Option<Json>,
}

/// A resource is text or bytes, never both.
#[derive(Clone, Debug, PartialEq)]
pub enum ResourceText {
    /// UTF-8 text.
    Text(String),
    /// Base64 of anything else.
    Blob(String),
}
