//! Asking back: a call may need something from the caller's side before it can finish.
//!
//! A backend states what it needs and returns; it is called again with the answers. How the question travels (inside the
//! reply in the modern era, as a request of the server in the legacy one) is the transport's business.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{Json, Members};

/// What the client answered, by the key of the question. Answers of earlier rounds are included.
pub type Answers = BTreeMap<String, Value>;

/// One thing a call needs before it can go on.
#[derive(Clone, Debug, PartialEq)]
pub enum InputRequest {
    /// The user fills in a form. `schema` is flat: strings, numbers, booleans and enums.
    Form {
        /// What the user reads.
        message: String,
        /// JSON Schema of the form.
        schema: Json,
    },
    /// The user visits a page, for what must not pass through the client.
    Url {
        /// What the user reads.
        message: String,
        /// `https` page to open.
        url: String,
    },
    /// The client's language model continues these messages: the params of `sampling/createMessage`.
    Sample(Members),
    /// The client lists its roots.
    Roots,
}

/// The reply of a call that cannot finish yet.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct InputRequired {
    /// The questions; keys are the backend's choice and come back with the answers.
    pub requests: BTreeMap<String, InputRequest>,
    /// What the backend wants to be told when it is called again. It is sealed on its way through the client.
    pub state: Option<String>,
}

impl InputRequired {
    /// Asks one question.
    #[must_use]
    pub fn one(key: impl Into<String>, request: InputRequest) -> Self {
        Self::default().and(key, request)
    }

    /// Asks one more.
    #[must_use]
    pub fn and(mut self, key: impl Into<String>, request: InputRequest) -> Self {
        self.requests.insert(key.into(), request);
        self
    }

    /// Remembers `state` until the answers come.
    #[must_use]
    pub fn remember(mut self, state: impl Into<String>) -> Self {
        self.state = Some(state.into());
        self
    }
}
