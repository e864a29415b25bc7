//! Who is calling.
//!
//! A caller is settled once per request, before anything else is looked at. Everything that is kept for a caller (sessions,
//! cursors, seats, quotas, cached replies) is kept under [`Caller::key`], which no two callers share.

use std::{fmt, sync::Arc};

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::Members;

/// The one on whose behalf a call is made.
#[derive(Clone, Debug, PartialEq)]
pub struct Caller {
    id: Arc<str>,
    tenant: Arc<str>,
    key: Arc<str>,
    /// How the caller was recognised.
    pub proof: Proof,
    /// What the caller is in the organisation, such as `finance`.
    pub roles: Vec<Arc<str>>,
    /// What the caller was granted, such as `read:customers`.
    pub scopes: Scopes,
    /// What else a token says about the caller, for rules and for parameters of statements. Not written down.
    pub claims: Members,
    /// When the proof ends. A stream or a waiting call does not outlive it.
    pub expires: Option<Timestamp>,
}

/// How a caller was recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Proof {
    /// By being on this machine: loopback without authentication, standard input, the command line.
    Local,
    /// By an API key that the operator gave out.
    Key,
    /// By a token of an identity provider, which the client can ask for more scopes.
    Token,
    /// By a client certificate.
    Certificate,
}

impl Proof {
    /// The word used in audit, logs and rules.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Key => "key",
            Self::Token => "token",
            Self::Certificate => "certificate",
        }
    }
}

/// What a caller was granted.
#[derive(Clone, Debug, PartialEq)]
pub enum Scopes {
    /// Everything: the machine's own user, where nobody said otherwise.
    All,
    /// These.
    Named(Vec<Arc<str>>),
}

impl Scopes {
    /// Whether `scope` is among them.
    #[must_use]
    pub fn contain(&self, scope: &str) -> bool {
        match self {
            Self::All => true,
            Self::Named(scopes) => scopes.iter().any(|own| own.as_ref() == scope),
        }
    }
}

impl Caller {
    /// A caller without roles, scopes and claims. A caller's id is unique in its tenant.
    #[must_use]
    pub fn new(tenant: impl Into<Arc<str>>, id: impl Into<Arc<str>>, proof: Proof) -> Self {
        let (tenant, id) = (tenant.into(), id.into());
        // The length says where the tenant ends, whatever it is made of.
        let key = format!("{}:{tenant}:{id}", tenant.len()).into();
        Self { id, tenant, key, proof, roles: Vec::new(), scopes: Scopes::Named(Vec::new()), claims: Members::new(), expires: None }
    }

    /// The user of this machine: whoever can reach standard input, or a loopback socket of a gate without authentication.
    #[must_use]
    pub fn local() -> Arc<Self> {
        Arc::new(Self { scopes: Scopes::All, ..Self::new("local", "local", Proof::Local) })
    }

    /// Stable id: the subject of a token, the owner of a key, `local` for the machine's own user.
    #[must_use]
    pub fn id(&self) -> &Arc<str> {
        &self.id
    }

    /// The organisation the caller belongs to; callers of one tenant may share what callers of two never do.
    #[must_use]
    pub fn tenant(&self) -> &Arc<str> {
        &self.tenant
    }

    /// Tenant and id in one text, which no other caller has.
    #[must_use]
    pub fn key(&self) -> &Arc<str> {
        &self.key
    }

    /// Whether the caller has this role.
    #[must_use]
    pub fn is(&self, role: &str) -> bool {
        self.roles.iter().any(|own| own.as_ref() == role)
    }

    /// The caller as rules and statements see it: `caller.id`, `caller.tenant`, `caller.proof`, `caller.roles`, `caller.scopes`,
    /// `caller.claims`.
    #[must_use]
    pub fn describe(&self) -> Value {
        let scopes: &[Arc<str>] = match &self.scopes {
            Scopes::All => &[],
            Scopes::Named(scopes) => scopes,
        };
        json!({
            "id": self.id, "tenant": self.tenant, "proof": self.proof.as_str(),
            "roles": self.roles, "scopes": scopes, "claims": self.claims,
        })
    }
}

impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.tenant, self.id)
    }
}
