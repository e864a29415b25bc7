//! What statements can read of the caller: `:caller.id`, `:caller.tenant`, `:caller.claims.region` and their like.
//!
//! The values come from who was recognised, never from arguments, and are bound like any other. A claim that the caller does not
//! have is NULL.

use std::{borrow::Cow, fmt, sync::Arc};

use callgate_model::{Caller, Scopes};
use serde_json::Value;

use crate::declare::Type;

/// How such a name begins.
pub(super) const PREFIX: &str = "caller.";

/// What there is, for who named something else.
pub(super) const KNOWN: &str =
    "there is `caller.id`, `caller.tenant`, `caller.proof`, `caller.roles`, `caller.scopes`, and `caller.claims.NAME`";

static NOTHING: Value = Value::Null;

/// Something about the caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Trait {
    Id,
    Tenant,
    Proof,
    Roles,
    Scopes,
    /// A claim, and the way to what is inside of it.
    Claim(Vec<String>),
}

impl Trait {
    /// What `caller.…` names; `None` if there is no such thing.
    pub(super) fn named(name: &str) -> Option<Self> {
        let mut steps = name.strip_prefix(PREFIX)?.split('.');
        let found = match steps.next()? {
            "id" => Self::Id,
            "tenant" => Self::Tenant,
            "proof" => Self::Proof,
            "roles" => Self::Roles,
            "scopes" => Self::Scopes,
            "claims" => {
                let path: Vec<_> = steps.by_ref().map(str::to_owned).collect();
                return (!path.is_empty() && path.iter().all(|step| !step.is_empty())).then_some(Self::Claim(path));
            }
            _ => return None,
        };
        steps.next().is_none().then_some(found)
    }

    /// Its type, as statements see it. What a claim is, the provider of identities says; the engine reads it as it is needed.
    pub(super) fn of(&self) -> Type {
        match self {
            Self::Roles | Self::Scopes => Type::Array(Box::new(Type::String)),
            Self::Id | Self::Tenant | Self::Proof | Self::Claim(_) => Type::String,
        }
    }

    /// Whether all callers of one tenant have the same.
    pub(super) fn is_shared_by_tenant(&self) -> bool {
        *self == Self::Tenant
    }

    /// Whether all callers of one tenant with the same roles and scopes have the same.
    pub(super) fn is_shared_by_role(&self) -> bool {
        matches!(self, Self::Tenant | Self::Roles | Self::Scopes)
    }

    /// What it is for this caller.
    pub(super) fn value<'c>(&self, caller: &'c Caller) -> Cow<'c, Value> {
        let text = |text: &str| Cow::Owned(Value::String(text.to_owned()));
        match self {
            Self::Id => text(caller.id()),
            Self::Tenant => text(caller.tenant()),
            Self::Proof => text(caller.proof.as_str()),
            Self::Roles => Cow::Owned(texts(&caller.roles)),
            Self::Scopes => match &caller.scopes {
                Scopes::All => Cow::Owned(Value::Array(Vec::new())),
                Scopes::Named(scopes) => Cow::Owned(texts(scopes)),
            },
            Self::Claim(path) => {
                let mut steps = path.iter();
                let first = steps.next().and_then(|step| caller.claims.get(step));
                Cow::Borrowed(steps.try_fold(first.unwrap_or(&NOTHING), |value, step| value.get(step)).unwrap_or(&NOTHING))
            }
        }
    }
}

fn texts(texts: &[Arc<str>]) -> Value {
    texts.iter().map(|text| Value::String(text.as_ref().to_owned())).collect()
}

impl fmt::Display for Trait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Id => "id",
            Self::Tenant => "tenant",
            Self::Proof => "proof",
            Self::Roles => "roles",
            Self::Scopes => "scopes",
            Self::Claim(path) => return write!(f, "{PREFIX}claims.{}", path.join(".")),
        };
        write!(f, "{PREFIX}{name}")
    }
}
