//! Why a call failed: a kind for programs, a sentence for the caller, a cause for the operator.
//!
//! The sentence names what was wrong and what would be right; it never holds anything the caller did not send or may not
//! know. The cause goes to the log under the request's id and never to the caller.

use std::{error::Error, fmt, sync::Arc, time::Duration};

use serde_json::Value;

use crate::{BackendName, excerpt};

/// How much of a name is repeated.
const EXCERPT: usize = 80;
/// How much of a URI is given back for programs.
const URI: usize = 512;

/// A failed call. Made by the constructor for its kind, then given its cause with [`Fault::because`].
#[derive(Clone, Debug)]
pub struct Fault {
    kind: Kind,
    message: String,
    cause: Option<Arc<dyn Error + Send + Sync>>,
    backend: Option<BackendName>,
    is_ended: bool,
}

/// The kinds of failure. `transport` turns each into the reply its era has for it.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// There is no such tool, resource, prompt or template for this caller.
    Unknown {
        /// The URI, where a resource was asked for.
        uri: Option<String>,
    },
    /// The request does not make sense whatever is on offer: a bad cursor, a forged state, a missing prompt argument.
    Request,
    /// The arguments do not fit the tool.
    Arguments,
    /// The arguments fit, but the system behind refused them by its own rules.
    Refused,
    /// What the arguments name does not exist.
    NotFound,
    /// A rule of the operator forbids this call with these arguments.
    Denied,
    /// The caller's token does not reach; these scopes would.
    Scopes(Vec<String>),
    /// The caller, its tenant or the tool has used up its quota.
    Limited {
        /// When it makes sense to come back.
        retry_after: Duration,
    },
    /// The client would have to declare a capability; the value is what it lacks.
    Capability(Value),
    /// The deadline passed.
    Timeout,
    /// There is no room just now.
    Overloaded {
        /// When it makes sense to come back.
        retry_after: Duration,
    },
    /// The system behind cannot be reached or does not answer properly.
    Unavailable {
        /// When it makes sense to come back, if that is known.
        retry_after: Option<Duration>,
    },
    /// A write was started and its end is not known.
    Unclear,
    /// The caller went away.
    Cancelled,
    /// A mistake of the gate or of its configuration.
    Internal,
}

impl Kind {
    /// A stable word for programs: metric label, audit outcome.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unknown { .. } => "unknown",
            Self::Request => "bad_request",
            Self::Arguments => "bad_arguments",
            Self::Refused => "refused",
            Self::NotFound => "not_found",
            Self::Denied => "denied",
            Self::Scopes(_) => "insufficient_scope",
            Self::Limited { .. } => "limited",
            Self::Capability(_) => "missing_capability",
            Self::Timeout => "timeout",
            Self::Overloaded { .. } => "overloaded",
            Self::Unavailable { .. } => "unavailable",
            Self::Unclear => "unclear",
            Self::Cancelled => "cancelled",
            Self::Internal => "internal",
        }
    }

    /// The operator should hear of it: something on our side of the gate is not as it should be.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        matches!(self, Self::Timeout | Self::Unavailable { .. } | Self::Unclear | Self::Internal)
    }
}

impl Fault {
    /// A fault of this kind with this sentence for the caller.
    #[must_use]
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), cause: None, backend: None, is_ended: false }
    }

    /// No such tool or prompt, for this caller.
    #[must_use]
    pub fn unknown(what: &str, name: &str) -> Self {
        Self::new(Kind::Unknown { uri: None }, format!("unknown {what} `{}`", excerpt(name, EXCERPT)))
    }

    /// No such resource, for this caller.
    #[must_use]
    pub fn unknown_resource(uri: &str) -> Self {
        Self::new(Kind::Unknown { uri: Some(excerpt(uri, URI)) }, format!("unknown resource `{}`", excerpt(uri, EXCERPT)))
    }

    /// A request that makes no sense.
    #[must_use]
    pub fn request(message: impl Into<String>) -> Self {
        Self::new(Kind::Request, message)
    }

    /// Arguments that do not fit.
    #[must_use]
    pub fn arguments(message: impl Into<String>) -> Self {
        Self::new(Kind::Arguments, message)
    }

    /// Arguments that the system behind refuses.
    #[must_use]
    pub fn refused(message: impl Into<String>) -> Self {
        Self::new(Kind::Refused, message)
    }

    /// Nothing by that name.
    #[must_use]
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(Kind::NotFound, message)
    }

    /// Forbidden by a rule.
    #[must_use]
    pub fn denied(message: impl Into<String>) -> Self {
        Self::new(Kind::Denied, message)
    }

    /// The token lacks these scopes; all of them are named at once.
    #[must_use]
    pub fn scopes(needed: Vec<String>) -> Self {
        let message = format!("this needs a token with the scope {}", needed.join(" "));
        Self::new(Kind::Scopes(needed), message)
    }

    /// A quota is used up. `what` says whose, such as `your quota for this tool (10 per minute)`.
    #[must_use]
    pub fn limited(what: &str, retry_after: Duration) -> Self {
        let seconds = retry_after.as_millis().div_ceil(1000).max(1);
        Self::new(Kind::Limited { retry_after }, format!("{what} is used up; call again in {seconds} s, not before"))
    }

    /// The client must declare `capability` first.
    #[must_use]
    pub fn capability(capability: Value) -> Self {
        let names: Vec<_> = capability.as_object().into_iter().flat_map(|members| members.keys().map(String::as_str)).collect();
        let message = format!("this needs a client with {}", names.join(", "));
        Self::new(Kind::Capability(capability), message)
    }

    /// The deadline of `span` passed.
    #[must_use]
    pub fn timeout(span: Duration) -> Self {
        Self::new(Kind::Timeout, format!("no answer within {span:?}; ask for less, or try again later"))
    }

    /// The deadline of `span` passed, and the system behind itself gave the work up: it is alive, and was asked for too much.
    #[must_use]
    pub fn ended(span: Duration) -> Self {
        Self { is_ended: true, ..Self::timeout(span) }
    }

    /// No room.
    #[must_use]
    pub fn overloaded(what: &str, retry_after: Duration) -> Self {
        Self::new(Kind::Overloaded { retry_after }, format!("{what} is busy; try again in {retry_after:?}"))
    }

    /// The system behind is away.
    #[must_use]
    pub fn unavailable(backend: &str) -> Self {
        Self::new(Kind::Unavailable { retry_after: None }, format!("`{backend}` cannot be reached just now; try again later"))
    }

    /// A write whose end is not known.
    #[must_use]
    pub fn unclear(message: impl Into<String>) -> Self {
        Self::new(Kind::Unclear, message)
    }

    /// The caller went away.
    #[must_use]
    pub fn cancelled() -> Self {
        Self::new(Kind::Cancelled, "the call was cancelled")
    }

    /// A mistake on our side. The caller learns only that there was one; the operator finds the cause under the request id.
    #[must_use]
    pub fn internal(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(Kind::Internal, "something went wrong on this side; the operator finds it under this request's id").because(cause)
    }

    /// Adds what the operator should know.
    #[must_use]
    pub fn because(mut self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.cause = Some(Arc::from(cause.into()));
        self
    }

    /// The same failure as `told` tells it, with its own cause.
    #[must_use]
    pub fn told_as(self, told: Self) -> Self {
        Self { kind: told.kind, message: told.message, ..self }
    }

    /// Says that it arose at this backend. What was said first stays: a fault that passes through the backend of a call above
    /// still belongs to the one where it arose.
    #[must_use]
    pub fn at(mut self, backend: &BackendName) -> Self {
        self.backend.get_or_insert_with(|| backend.clone());
        self
    }

    /// The backend at which it arose, if it reached one.
    #[must_use]
    pub fn backend(&self) -> Option<&BackendName> {
        self.backend.as_ref()
    }

    /// Whether the system behind itself gave the work up, in which case it is alive.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.is_ended
    }

    /// Which kind of failure.
    #[must_use]
    pub fn kind(&self) -> &Kind {
        &self.kind
    }

    /// The sentence for the caller.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The chain of causes for the operator, outermost first, joined by `: `. Empty if there is none.
    #[must_use]
    pub fn chain(&self) -> String {
        self.source().map(crate::chain).unwrap_or_default()
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Fault {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as &(dyn Error + 'static))
    }
}
