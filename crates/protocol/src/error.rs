//! JSON-RPC errors and the HTTP status each one owes.

use serde_json::{Value, json};

use crate::{Id, Revision};

/// A JSON-RPC error.
#[derive(Clone, Debug, PartialEq)]
pub struct RpcError {
    /// The number programs look at.
    pub code: i64,
    /// The sentence people and models read.
    pub message: String,
    /// Details, in the form that the code prescribes.
    pub data: Option<Value>,
}

impl RpcError {
    /// Not JSON.
    pub const PARSE: i64 = -32700;
    /// Not a JSON-RPC message.
    pub const INVALID_REQUEST: i64 = -32600;
    /// No such method in this revision.
    pub const METHOD_NOT_FOUND: i64 = -32601;
    /// Parameters that make no sense; also unknown tools, prompts and, in the modern era, resources.
    pub const INVALID_PARAMS: i64 = -32602;
    /// Our fault.
    pub const INTERNAL: i64 = -32603;
    /// Unknown resource, legacy era only.
    pub const RESOURCE_NOT_FOUND: i64 = -32002;
    /// Headers and body disagree, modern era only.
    pub const HEADER_MISMATCH: i64 = -32020;
    /// The client lacks a capability, modern era only.
    pub const MISSING_CAPABILITY: i64 = -32021;
    /// A revision we do not serve, modern era only.
    pub const UNSUPPORTED_VERSION: i64 = -32022;

    /// An error without details.
    #[must_use]
    pub fn new(code: i64, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), data: None }
    }

    /// Adds details.
    #[must_use]
    pub fn with(mut self, data: Value) -> Self {
        self.data = Some(data);
        self
    }

    /// `-32600`.
    #[must_use]
    pub fn invalid_request(message: impl Into<String>) -> Self {
        Self::new(Self::INVALID_REQUEST, message)
    }

    /// `-32601`.
    #[must_use]
    pub fn method_not_found(method: &str) -> Self {
        Self::new(Self::METHOD_NOT_FOUND, format!("unknown method `{}`", method.chars().take(80).collect::<String>()))
    }

    /// `-32602`.
    #[must_use]
    pub fn invalid_params(message: impl Into<String>) -> Self {
        Self::new(Self::INVALID_PARAMS, message)
    }

    /// `-32020`.
    #[must_use]
    pub fn header_mismatch(message: impl Into<String>) -> Self {
        Self::new(Self::HEADER_MISMATCH, message)
    }

    /// `-32021`; `capability` as a client would declare it.
    #[must_use]
    pub fn missing_capability(message: impl Into<String>, capability: Value) -> Self {
        Self::new(Self::MISSING_CAPABILITY, message).with([("requiredCapabilities".to_owned(), capability)].into_iter().collect())
    }

    /// `-32022`.
    #[must_use]
    pub fn unsupported_version(requested: &str) -> Self {
        let supported: Vec<_> = Revision::MODERN.iter().map(|revision| revision.as_str()).collect();
        let requested: String = requested.chars().take(40).collect();
        Self::new(Self::UNSUPPORTED_VERSION, format!("protocol version `{requested}` is not served here; use {}", supported.join(", ")))
            .with(json!({ "supported": supported, "requested": requested }))
    }

    /// Unknown resource, with the code that `revision` has for it.
    #[must_use]
    pub fn resource_not_found(revision: Revision, message: impl Into<String>, uri: &str) -> Self {
        let code = if revision.is_modern() { Self::INVALID_PARAMS } else { Self::RESOURCE_NOT_FOUND };
        Self::new(code, message).with(json!({ "uri": uri }))
    }
}

/// A message that was refused before anything ran.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    /// Whose id to answer under, if it could be read.
    pub id: Option<Id>,
    /// What to answer.
    pub error: RpcError,
    /// The HTTP status that goes with it.
    pub status: u16,
}

impl Refusal {
    /// Refused with status 400.
    #[must_use]
    pub fn bad_request(id: Option<Id>, error: RpcError) -> Self {
        Self { id, error, status: 400 }
    }

    /// The status a modern reply with this error owes: 404 for an unknown method, 400 for the three errors that
    /// demand it, 200 for all others.
    #[must_use]
    pub fn modern(id: Id, error: RpcError) -> Self {
        let status = match error.code {
            RpcError::METHOD_NOT_FOUND => 404,
            RpcError::HEADER_MISMATCH | RpcError::MISSING_CAPABILITY | RpcError::UNSUPPORTED_VERSION => 400,
            _ => 200,
        };
        Self { id: Some(id), error, status }
    }
}
