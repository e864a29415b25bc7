//! JSON-RPC messages, read strictly.

use serde::{Serialize, Serializer};
use serde_json::{Number, Value};

use crate::{
    Limits, Params, Refusal, RpcError,
    strict::{self, Object, Tree},
};

/// A request's id; it is answered exactly as it came.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Id {
    /// A whole number.
    Number(Number),
    /// A text.
    Text(String),
}

impl Id {
    /// The id in `value`, if it is a string or a whole number.
    #[must_use]
    pub fn of(value: Value) -> Option<Self> {
        match value {
            Value::String(text) => Some(Self::Text(text)),
            Value::Number(number) if number.is_i64() || number.is_u64() => Some(Self::Number(number)),
            _ => None,
        }
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Number(number) => number.serialize(serializer),
            Self::Text(text) => text.serialize(serializer),
        }
    }
}

/// What one HTTP body or one line holds.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "nearly all bodies are one message; a box would cost each an allocation")]
pub enum Body {
    /// One message.
    One(Message),
    /// Several, which only 2025-03-26 allows. Never empty.
    Batch(Vec<Result<Message, Refusal>>),
}

/// One message.
#[derive(Clone, Debug, PartialEq)]
pub enum Message {
    /// Wants a reply.
    Request(Request),
    /// Wants none.
    Notification(Notification),
    /// Is one, to a request of ours.
    Response(Response),
}

/// A message that wants a reply.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// To be repeated in the reply.
    pub id: Id,
    /// What is wanted.
    pub method: String,
    /// With which parameters.
    pub params: Params,
}

/// A message that wants no reply.
#[derive(Clone, Debug, PartialEq)]
pub struct Notification {
    /// What happened.
    pub method: String,
    /// The particulars.
    pub params: Params,
}

/// The reply to a request of ours.
#[derive(Clone, Debug, PartialEq)]
pub struct Response {
    /// Which request.
    pub id: Id,
    /// What came of it.
    pub outcome: Result<Value, RpcError>,
}

/// Reads one body: strict JSON within `limits`, then a JSON-RPC message with known members only.
pub fn read(body: &[u8], limits: Limits) -> Result<Body, Refusal> {
    match strict::parse(body, limits).map_err(|error| Refusal::bad_request(None, error))? {
        Tree::Array(items) if items.is_empty() => {
            Err(Refusal::bad_request(None, RpcError::invalid_request("an empty array is not a message")))
        }
        Tree::Array(items) => Ok(Body::Batch(items.into_iter().map(message).collect())),
        tree => message(tree).map(Body::One),
    }
}

fn message(tree: Tree<'_>) -> Result<Message, Refusal> {
    let refuse = |id: Option<Id>, why: &str| Refusal::bad_request(id, RpcError::invalid_request(why));
    let Tree::Object(mut members) = tree else {
        return Err(refuse(None, "a message is one JSON object"));
    };
    let given = members.take("id");
    let had_id = given.is_some();
    let id = given.and_then(|given| Id::of(given.into()));
    if had_id && id.is_none() {
        return Err(refuse(None, "`id` must be a string or a whole number"));
    }
    if !matches!(members.take("jsonrpc"), Some(Tree::Text(version)) if version == "2.0") {
        return Err(refuse(id, "`jsonrpc` must be \"2.0\""));
    }
    let Some(method) = members.take("method") else {
        return response(id, members);
    };
    let Tree::Text(method) = method else {
        return Err(refuse(id, "`method` must be a string"));
    };
    let params = match members.take("params") {
        None => Params::default(),
        Some(Tree::Object(params)) => Params::of(params),
        Some(_) => return Err(refuse(id, "`params` must be an object")),
    };
    if let Some(key) = members.any() {
        return Err(refuse(id, &unknown_member(key)));
    }
    let method = method.into_owned();
    Ok(match id {
        Some(id) => Message::Request(Request { id, method, params }),
        None => Message::Notification(Notification { method, params }),
    })
}

fn response(id: Option<Id>, mut members: Object<'_>) -> Result<Message, Refusal> {
    let refuse = |id: Option<Id>, why: &str| Refusal::bad_request(id, RpcError::invalid_request(why));
    let outcome = match (members.take("result"), members.take("error")) {
        (Some(result), None) => Ok(result.into()),
        (None, Some(Tree::Object(error))) => Err(peer_error(error)),
        _ => return Err(refuse(id, "a message has a `method`, or an `id` with either `result` or `error`")),
    };
    if let Some(key) = members.any() {
        return Err(refuse(id, &unknown_member(key)));
    }
    let id = id.ok_or_else(|| refuse(None, "a response needs the `id` of its request"))?;
    Ok(Message::Response(Response { id, outcome }))
}

fn peer_error(mut error: Object<'_>) -> RpcError {
    let mut member = |name| error.take(name).map(Value::from);
    let code = member("code").and_then(|code| code.as_i64()).unwrap_or(RpcError::INTERNAL);
    let message = match member("message") {
        Some(Value::String(message)) => message,
        _ => String::new(),
    };
    RpcError { code, message, data: member("data") }
}

fn unknown_member(key: &str) -> String {
    let key: String = key.chars().take(40).collect();
    format!("unknown member `{key}`; a message has `jsonrpc`, `id`, `method` and `params`")
}
