//! API keys as they are kept: who a key stands for, until when, and a keyed hash that says whether a secret is the right one.
//!
//! It promises that a key that was added is durable, that two keys never share an id, and that a revoked key stays on the list.
//! It leaves to `identity` how a key is made, hashed and compared; the secret itself never comes here.

use std::fmt;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::Error;

/// One key.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// The public part of the key, by which it is found.
    pub id: String,
    /// Whom the key stands for.
    pub caller: String,
    /// The organisation of the caller.
    pub tenant: String,
    /// What the caller is in the organisation.
    pub roles: Vec<String>,
    /// What the caller was granted.
    pub scopes: Vec<String>,
    /// The keyed hash of the secret part.
    pub hash: Vec<u8>,
    /// When the key was made.
    pub created: Timestamp,
    /// When it ends by itself; `None` for never.
    pub expires: Option<Timestamp>,
    /// When it was revoked, if it was.
    pub revoked: Option<Timestamp>,
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, caller, tenant, roles, scopes, hash: _, created, expires, revoked } = self;
        f.debug_struct("ApiKey")
            .field("id", id)
            .field("caller", caller)
            .field("tenant", tenant)
            .field("roles", roles)
            .field("scopes", scopes)
            .field("created", created)
            .field("expires", expires)
            .field("revoked", revoked)
            .finish_non_exhaustive()
    }
}

/// The table of API keys.
#[async_trait]
pub trait Keys: Send + Sync + fmt::Debug {
    /// The key with this id, revoked and expired ones included. Answers from the table itself: whoever asks for every request
    /// keeps the answer for a while.
    async fn find(&self, id: &str) -> Result<Option<ApiKey>, Error>;

    /// All keys, oldest first.
    async fn list(&self) -> Result<Vec<ApiKey>, Error>;

    /// Adds a key; refused if its id is taken.
    async fn add(&self, key: &ApiKey) -> Result<(), Error>;

    /// Revokes a key; `false` if there is no such key or it was revoked before.
    async fn revoke(&self, id: &str, at: Timestamp) -> Result<bool, Error>;
}
