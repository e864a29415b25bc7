//! From what a request brought to who is calling.
//!
//! A transport gathers [`Credentials`] without understanding them; whoever implements [`Identify`] decides. What a client that
//! brought none, or bad ones, is told stands in [`Authentication`].

use std::{fmt, sync::Arc, time::Duration};

use crate::{Caller, async_trait};

/// What a request brought to say who it is for. Never logged, never passed on.
#[derive(Clone, Copy, Default)]
pub struct Credentials<'a> {
    /// The token of `Authorization: Bearer`.
    pub bearer: Option<&'a str>,
    /// The value of `X-API-Key`.
    pub key: Option<&'a str>,
    /// The client's certificate (DER, the client's own first in the chain), already verified by the listener.
    pub certificate: Option<&'a [u8]>,
}

impl fmt::Debug for Credentials<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let brought = |is_there: bool| if is_there { "brought" } else { "none" };
        f.debug_struct("Credentials")
            .field("bearer", &brought(self.bearer.is_some()))
            .field("key", &brought(self.key.is_some()))
            .field("certificate", &brought(self.certificate.is_some()))
            .finish()
    }
}

/// Why nobody was recognised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unidentified {
    /// The request brought nothing.
    Missing,
    /// What it brought does not hold; the reason is for the operator and holds nothing secret.
    Refused(String),
    /// It cannot be decided just now, because an identity provider or the store is away.
    Unavailable {
        /// When it makes sense to come back.
        retry_after: Duration,
        /// For the operator.
        reason: String,
    },
}

/// What clients are told about how to authenticate (RFC 9728).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Authentication {
    /// The canonical URI of this gate's MCP endpoint, which tokens must name as their audience.
    pub resource: Option<String>,
    /// The issuers whose tokens are taken.
    pub authorization_servers: Vec<String>,
    /// The scopes a client can ask for.
    pub scopes: Vec<String>,
}

/// Recognises callers.
#[async_trait]
pub trait Identify: Send + Sync + fmt::Debug + 'static {
    /// Who brought these credentials. Asked for every request: the usual answer must cost next to nothing.
    async fn identify(&self, credentials: &Credentials<'_>) -> Result<Arc<Caller>, Unidentified>;

    /// What clients are told.
    fn authentication(&self) -> Arc<Authentication>;
}
