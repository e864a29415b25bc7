//! The terms on which something may be called: what the operator said beside its declaration, for the layers of the column.

use std::time::Duration;

use crate::Json;

/// Who may: one of these rules must hold. Each is a scope (`read:customers`), a role (`finance`), `anyone` who was recognised, or a
/// CEL expression over `caller`, `tool` and `args`. None at all means nobody.
pub type Allow = Vec<String>;

/// The terms on which a tool may be called.
#[derive(Clone, Debug, Default)]
pub struct Terms {
    /// Who may; `None` if nothing was said.
    pub allow: Option<Allow>,
    /// Conditions that the arguments must meet, each with the sentence for whoever breaks it.
    pub require: Vec<Condition>,
    /// Whether and how long replies are kept.
    pub cache: Option<Caching>,
    /// Tags of cached replies that a successful call makes stale; `{argument}` is filled in.
    pub invalidates: Vec<String>,
    /// Ask a second time after so long without an answer, and take the first that comes. Reads only.
    pub hedge: Option<Duration>,
    /// What is answered instead when the backend is away.
    pub fallback: Option<Fallback>,
}

/// A condition on arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// A CEL expression over `caller`, `tool` and `args` that must be true.
    pub rule: String,
    /// What the caller reads when it is not.
    pub message: Option<String>,
}

/// How replies of a tool are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caching {
    /// How long a reply is fresh.
    pub ttl: Duration,
    /// How long after that it may still be served while a fresh one is fetched; zero for never.
    pub stale: Duration,
    /// Names under which it can be made stale; `{argument}` is filled in.
    pub tags: Vec<String>,
    /// Who shares it.
    pub shared: Sharing,
    /// What the tool does, in as many words as its backend needs to tell it from what it did before: replies of another version are not
    /// served.
    pub version: String,
}

/// Who shares a cached reply.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sharing {
    /// The caller alone.
    #[default]
    Caller,
    /// Callers of one tenant with the same roles and scopes.
    Role,
    /// All callers of one tenant who may call the tool.
    Tenant,
}

/// What is answered when the backend is away.
#[derive(Clone, Debug)]
pub enum Fallback {
    /// The last good reply for the same caller and arguments, marked as such, if it is no older than this.
    Stale(Duration),
    /// This structured content.
    Reply(Json),
}
