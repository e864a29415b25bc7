//! What an operator may write about any tool, resource or completion, whatever its kind.

use callgate_config::{Mapping, Span};
use callgate_model::Members;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    allow::{AllowConfig, RequireConfig},
    input::ParameterConfig,
};

/// The keys of every tool.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ToolConfig {
    /// Which backend does the work: a name under `backends`.
    pub backend: String,
    /// What a person reads instead of the name.
    pub title: Option<String>,
    /// What the model reads to decide when to call this tool, and how.
    pub description: String,
    /// What a call does to the world. `read` tools cannot write: the engine refuses.
    pub effect: EffectName,
    /// Calling it twice is the same as calling it once. Default: true for `read`, false otherwise.
    pub idempotent: Option<bool>,
    /// How long a call may take. Default: that of the gate (`calls`).
    pub deadline: Option<Span>,
    /// How many calls may run at once. Default: that of the gate (`calls`).
    #[schemars(range(min = 1))]
    pub concurrency: Option<u32>,
    /// Ask the backend a second time if it has not answered after this long, and take the answer that comes first. For `read` only;
    /// the second attempt is paid from the backend's retry budget (`calls.retry`). Default: never.
    pub hedge: Option<Span>,
    /// What is answered when the backend is away. For `read` only. Default: that it is away.
    pub fallback: Option<FallbackConfig>,
    /// Arguments that are never written down, by name.
    #[serde(default)]
    pub redact: Vec<String>,
    /// Resources that a successful call changes; whoever of the caller's tenant subscribed to them, and may read them, is told. `{argument}`
    /// is filled in.
    #[serde(default)]
    pub updates: Vec<String>,
    /// Who may call it. One of these rules must hold: a scope (`read:customers`; several with blanks between them are all needed), a
    /// role (`finance`), `anyone` who was recognised, or a condition over `caller`, `tool` and `args` (`caller.tenant == 'acme'`). An empty
    /// list is nobody. Needed where `auth` is configured; without it the machine's own user has every scope and role.
    pub allow: Option<AllowConfig>,
    /// Conditions that the arguments must meet, all of them.
    #[serde(default)]
    #[schemars(length(max = 32))]
    pub require: Vec<RequireConfig>,
    /// Keep replies and serve them again, instead of asking the backend each time. Only for `effect: read`.
    pub cache: Option<CacheConfig>,
    /// Tags of kept replies that a call makes stale, in all replicas, before it is answered. `{argument}` is filled in. Only for tools that
    /// change something.
    #[serde(default)]
    pub invalidates: Vec<String>,
    /// The parameters, by name. Others are refused.
    #[serde(default)]
    pub input: Mapping<ParameterConfig>,
}

impl ToolConfig {
    /// Its keys, to tell them from those of the kind.
    pub const KEYS: &[&str] = &[
        "backend",
        "title",
        "description",
        "effect",
        "idempotent",
        "deadline",
        "concurrency",
        "hedge",
        "fallback",
        "redact",
        "updates",
        "allow",
        "require",
        "cache",
        "invalidates",
        "input",
    ];
}

/// How replies of a tool are kept. Failures, and replies of which something was left out, never are.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CacheConfig {
    /// How long a reply is fresh, at most; some are taken for stale up to a tenth sooner, so that not all end at once.
    pub ttl: Span,
    /// How long after that it may still be served, while a fresh one is fetched; default `0s`, so never.
    pub stale: Option<Span>,
    /// Names under which replies can be made stale (`invalidates`, `callgate cache drop`), such as `customer:{customer_id}`; always
    /// within one tenant. An argument that stands in one must be given, or have a default.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Who shares a reply; default `caller`. Say `role` or `tenant` only where the reply does not depend on who asks.
    #[serde(default)]
    pub shared: SharedName,
}

/// Who shares a kept reply.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SharedName {
    /// The caller alone.
    #[default]
    Caller,
    /// Callers of one tenant with the same roles and scopes.
    Role,
    /// All callers of one tenant who may call the tool.
    Tenant,
}

impl From<SharedName> for callgate_model::Sharing {
    fn from(name: SharedName) -> Self {
        match name {
            SharedName::Caller => Self::Caller,
            SharedName::Role => Self::Role,
            SharedName::Tenant => Self::Tenant,
        }
    }
}

/// What is answered when a backend is away: one of these. The answer says that it is a stand-in.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FallbackConfig {
    /// The last good answer to the same caller and arguments, if it is no older than this.
    pub stale: Option<Span>,
    /// This object.
    pub reply: Option<Members>,
}

/// What a tool does to the world.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum EffectName {
    /// Changes nothing.
    Read,
    /// Adds or changes something.
    Write,
    /// Takes something away for good.
    Destroy,
}

impl From<EffectName> for callgate_model::Effect {
    fn from(name: EffectName) -> Self {
        match name {
            EffectName::Read => Self::Read,
            EffectName::Write => Self::Write,
            EffectName::Destroy => Self::Destroy,
        }
    }
}

/// The keys of every resource. The key of the entry is its URI, or a template such as `customer://{customer_id}`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResourceConfig {
    /// Which backend it is read from. Without it, the resource is a `text` or a `file`.
    pub backend: Option<String>,
    /// Its name. Default: the URI.
    pub name: Option<String>,
    /// What a person reads instead of the name.
    pub title: Option<String>,
    /// What the model reads to decide when to read this resource.
    pub description: Option<String>,
    /// Media type.
    pub mime: Option<String>,
    /// Who may read it. One of these rules must hold: a scope (`read:customers`; several with blanks between them are all needed), a
    /// role (`finance`), `anyone` who was recognised, or a condition over `caller`, and for a template over `args`, its variables (`caller.tenant == 'acme'`). An empty
    /// list is nobody. Needed where `auth` is configured; without it the machine's own user has every scope and role.
    pub allow: Option<AllowConfig>,
}

impl ResourceConfig {
    /// Its keys, to tell them from those of the kind. `complete` is read on its own.
    pub const KEYS: &[&str] = &["backend", "name", "title", "description", "mime", "allow"];
}

/// Which backend proposes values.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProposerConfig {
    /// The backend that is asked.
    pub backend: String,
}

/// The kind of a backend.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KindConfig {
    /// What kind of system this is; the other keys depend on it.
    pub kind: String,
}

/// A completion with fixed values.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ValuesConfig {
    /// What is proposed: values that begin with what has been typed come first, then those that contain it.
    #[schemars(length(min = 1))]
    pub values: Vec<String>,
}
