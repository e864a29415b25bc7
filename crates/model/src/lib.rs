//! The words that the rooms of a gate share: who calls, what is on offer, what a call carries, what comes back.
//!
//! It promises that every type here means one thing and does no I/O. It leaves the wire to `protocol` and `transport`, decisions
//! to `pipeline`, and the work to `backend`. A program that adds tools in code needs this room and nothing else.

mod answer;
mod backend;
mod call;
mod caller;
mod catalog;
mod chain;
mod client;
mod clock;
mod content;
mod deadline;
mod fault;
mod gateway;
mod identify;
mod json;
mod names;
mod notices;
mod offer;
mod outlet;
mod reply;
mod terms;
mod trace;
mod uri;
mod visible;

pub use answer::{Answers, InputRequest, InputRequired};
pub use async_trait::async_trait;
pub use backend::Backend;
pub use call::{Call, Invoke, Origin, Target};
pub use caller::{Caller, Proof, Scopes};
pub use catalog::{Catalog, CatalogError, Found, Item, Shelved};
pub use chain::chain;
pub use client::{ClientCapabilities, Declared, Elicitation, Sampling};
pub use clock::Clock;
pub use content::{Body, Content, ResourceContents, ResourceText};
pub use deadline::Deadline;
pub use fault::{Fault, Kind};
pub use gateway::{Gateway, Identity, Probe};
pub use identify::{Authentication, Credentials, Identify, Unidentified};
pub use json::Json;
pub use names::{BackendName, NameError, PromptName, RequestId, ToolName};
pub use notices::{Change, Notices};
pub use offer::{Effect, Offers, Prompt, PromptArgument, Resource, ResourceTemplate, Tool};
pub use outlet::{Level, Outlet, Signal};
pub use reply::{Completion, Message, PromptReply, Reference, Reply, Role, ToolReply};
pub use terms::{Allow, Caching, Condition, Fallback, Sharing, Terms};
pub use trace::{Beginning, Collect, Ended, Note, Span, SpanKind, Spans, Step, Tally, Trace, TraceParent, Traces, is_tracestate};
pub use uri::{TemplateError, UriTemplate};
pub use visible::{excerpt, visible};

/// The members of a JSON object, in the order in which they were written.
pub type Members = serde_json::Map<String, serde_json::Value>;

#[cfg(test)]
mod tests;
