//! The one place where a fault becomes a reply, in the words of the client's revision.
//!
//! What went wrong inside a tool is a result that says so, because the model that called it can then do better. What was
//! wrong with the request itself is a JSON-RPC error.

use std::time::Duration;

use callgate_model::{Fault, Kind, Reply, RequestId, ToolReply, excerpt};
use callgate_protocol::{
    Refusal, RpcError,
    encode::{self, Frame, Freshness, Scope},
};

use crate::exchange::{Answer, Hint};

/// How much of a URI is given back.
const URI: usize = 512;

/// What the failed call was aimed at.
pub(crate) enum Aim {
    /// A tool.
    Tool,
    /// The resource at this URI.
    Resource(String),
    /// A prompt, or a completion.
    Other,
}

/// The reply that tells `fault`.
pub(crate) fn answer(fault: &Fault, aim: &Aim, frame: &Frame<'_>, request: &RequestId) -> Answer {
    let message = match fault.kind() {
        // The sentence speaks of the id; over stdio there is no header to find it in.
        Kind::Internal => format!("{}: {request}", fault.message()),
        _ => fault.message().to_owned(),
    };
    let mut answer = match error(fault.kind(), aim, frame, &message) {
        Some(error) => refuse(frame, error),
        None => {
            let never = Freshness { ttl_ms: 0, scope: Scope::Private };
            Answer::ok(encode::reply(frame, &Reply::Tool(ToolReply::error(message)), never))
        }
    };
    match fault.kind() {
        Kind::Scopes(needed) => {
            answer.status = 403;
            answer.hint = Some(Hint::Scopes(needed.clone()));
        }
        Kind::Limited { retry_after } => come_back(&mut answer, frame, 429, *retry_after),
        Kind::Overloaded { retry_after } | Kind::Unavailable { retry_after: Some(retry_after) } => {
            come_back(&mut answer, frame, 503, *retry_after);
        }
        _ => {}
    }
    answer
}

/// Not now. The reply stays what it is, so that a model reads when to come back; the status is for everything between it and us. To a
/// legacy client any status but 200 is a broken transport, and it would drop the reply: there the header says it alone.
fn come_back(answer: &mut Answer, frame: &Frame<'_>, status: u16, retry_after: Duration) {
    if frame.revision.is_modern() {
        answer.status = status;
    }
    answer.hint = Some(Hint::After(retry_after));
}

/// A JSON-RPC error with the status it owes.
pub(crate) fn refuse(frame: &Frame<'_>, error: RpcError) -> Answer {
    let bytes = encode::error(Some(frame.id), &error);
    let status = if frame.revision.is_modern() { Refusal::modern(frame.id.clone(), error).status } else { 200 };
    Answer::with_status(bytes, status)
}

/// The JSON-RPC error for a fault; `None` if the tool's own result should tell it.
fn error(kind: &Kind, aim: &Aim, frame: &Frame<'_>, message: &str) -> Option<RpcError> {
    let revision = frame.revision;
    Some(match (kind, aim) {
        (Kind::Unknown { uri: Some(uri) }, _) => RpcError::resource_not_found(revision, message, uri),
        (Kind::NotFound, Aim::Resource(uri)) => RpcError::resource_not_found(revision, message, &excerpt(uri, URI)),
        (Kind::Unknown { uri: None } | Kind::Request, _) => RpcError::invalid_params(message),
        (Kind::Capability(capability), _) if revision.is_modern() => RpcError::missing_capability(message, capability.clone()),
        (Kind::Capability(_), _) => RpcError::invalid_params(message),
        // Not the model but its client can get another token.
        (Kind::Scopes(needed), _) => RpcError::invalid_params(message).with(serde_json::json!({ "scopes": needed })),
        (_, Aim::Tool) => return None,
        (Kind::Arguments | Kind::Refused | Kind::NotFound | Kind::Denied, _) => RpcError::invalid_params(message),
        (
            Kind::Timeout
            | Kind::Overloaded { .. }
            | Kind::Limited { .. }
            | Kind::Unavailable { .. }
            | Kind::Unclear
            | Kind::Cancelled
            | Kind::Internal,
            _,
        ) => RpcError::new(RpcError::INTERNAL, message).with(serde_json::json!({ "kind": kind.code() })),
    })
}
