//! What is collected of a call in the end.

use std::borrow::Cow;

use jiff::Timestamp;

/// Takes the spans of calls that have ended.
pub trait Collect: Send + Sync {
    /// Takes those of one call. Never waits: what there is no room for is dropped and counted.
    fn collect(&self, spans: Spans);
}

/// The spans of one call.
#[derive(Clone, Debug, PartialEq)]
pub struct Spans {
    /// The trace they belong to.
    pub trace: u128,
    /// `tracestate`, as received.
    pub state: Option<String>,
    /// Parents come before their children.
    pub spans: Vec<Span>,
    /// Steps that there was no room for.
    pub lost: u32,
}

/// One step of a call.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    /// Its own id; never zero.
    pub id: u64,
    /// Whose child it is.
    pub parent: Option<u64>,
    /// What it is called.
    pub name: Cow<'static, str>,
    /// Which side of a conversation it is.
    pub kind: SpanKind,
    /// When it began.
    pub began: Timestamp,
    /// When it ended.
    pub ended: Timestamp,
    /// How it ended.
    pub outcome: Ended,
    /// What was noted about it.
    pub notes: Vec<(&'static str, Note)>,
}

/// Which side of a conversation a span is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpanKind {
    /// Something within the gate.
    Internal,
    /// The gate was asked.
    Server,
    /// The gate asked a system behind it.
    Client,
}

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// With a reply.
    Well,
    /// With a failure of this kind.
    Badly(&'static str),
    /// Nobody waited for its end.
    Dropped,
}

/// A value that is noted about a step: never one that the caller wrote.
#[derive(Clone, Debug, PartialEq)]
pub enum Note {
    /// A text.
    Text(Cow<'static, str>),
    /// A number.
    Number(i64),
}

impl From<&'static str> for Note {
    fn from(text: &'static str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Note {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl From<i64> for Note {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}
