//! API keys that the operator gives out.
//!
//! It promises that a key is shown once and never kept, only its keyed hash; that it is compared in constant time; and that a key
//! that nobody gave out does not reach the store. It leaves to `store` where keys are kept.

mod config;
mod pepper;
mod text;

use std::{path::Path, sync::Arc, time::Duration};

use callgate_model::{Caller, Clock, Proof, Scopes, chain};
use callgate_store::{ApiKey, Store};
use jiff::Timestamp;

pub use self::config::Config;
use self::pepper::Pepper;
use crate::{Error, refusal::Refusal};

/// When it makes sense to ask a store again that did not answer.
const SOON: Duration = Duration::from_secs(1);

/// The keys that were given out.
#[derive(Debug)]
pub struct ApiKeys {
    prefix: String,
    pepper: Pepper,
    patience: Duration,
    store: Arc<dyn Store>,
    clock: Clock,
}

/// What a new key is for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grant {
    /// Whom it stands for.
    pub caller: String,
    /// The organisation of the caller.
    pub tenant: String,
    /// What the caller is in the organisation.
    pub roles: Vec<String>,
    /// What the caller is granted.
    pub scopes: Vec<String>,
    /// When it ends by itself.
    pub expires: Option<Timestamp>,
}

impl ApiKeys {
    /// The keys in `store`. Without a configured pepper, that in the file `pepper` counts, and is made if it is not there; without
    /// a file, keys work as long as the process lives.
    pub fn open(config: &Config, store: Arc<dyn Store>, pepper: Option<&Path>, clock: Clock) -> Result<Self, Error> {
        let pepper = match (&config.pepper, pepper) {
            (Some(secret), _) => Pepper::new(secret.expose().as_bytes()),
            (None, Some(path)) => Pepper::kept(path)?,
            (None, None) => Pepper::passing(),
        };
        Ok(Self { prefix: config.prefix.clone(), pepper, patience: config.patience.get(), store, clock })
    }

    /// Gives out a key: its text, which nobody can show again, and what is kept of it.
    pub async fn add(&self, grant: Grant) -> Result<(String, ApiKey), Error> {
        let Grant { caller, tenant, roles, scopes, expires } = grant;
        let (text, id) = text::make(&self.prefix, &self.pepper);
        let hash = self.pepper.hash(&text);
        let key = ApiKey { id, caller, tenant, roles, scopes, hash, created: self.clock.now(), expires, revoked: None };
        self.store.keys().add(&key).await.map_err(Error::Store)?;
        Ok((text, key))
    }

    /// All keys, oldest first.
    pub async fn list(&self) -> Result<Vec<ApiKey>, Error> {
        self.store.keys().list().await.map_err(Error::Store)
    }

    /// Revokes a key; `false` if there is none of this id, or it was revoked before.
    pub async fn revoke(&self, id: &str) -> Result<bool, Error> {
        self.store.keys().revoke(id, self.clock.now()).await.map_err(Error::Store)
    }

    /// Whether a text looks like a key rather than a token.
    pub(crate) fn is_one(&self, text: &[u8]) -> bool {
        text.strip_prefix(self.prefix.as_bytes()).is_some_and(|rest| rest.starts_with(b"_"))
    }

    /// Whose key it is.
    pub(crate) async fn recognise(&self, text: &[u8]) -> Result<Arc<Caller>, Refusal> {
        let unknown = || Refusal::lasting("nobody gave out this API key");
        let text = std::str::from_utf8(text).map_err(|_| unknown())?;
        let id = text::id(text, &self.prefix, &self.pepper).ok_or_else(unknown)?;
        let away = |reason: String| Refusal::Away { retry_after: SOON, reason };
        let found = tokio::time::timeout(self.patience, self.store.keys().find(id)).await;
        let found = found.map_err(|_| away(format!("the store did not find a key within {:?}", self.patience)))?;
        let key = found.map_err(|error| away(chain(&error)))?.ok_or_else(unknown)?;
        if !self.pepper.holds(text, &key.hash) {
            return Err(unknown());
        }
        if key.revoked.is_some() {
            return Err(Refusal::lasting(format!("the API key `{id}` was revoked")));
        }
        if key.expires.is_some_and(|end| end <= self.clock.now()) {
            return Err(Refusal::lasting(format!("the API key `{id}` has expired")));
        }
        Ok(Arc::new(caller(&key)))
    }
}

fn caller(key: &ApiKey) -> Caller {
    let words = |words: &[String]| words.iter().map(|word| word.as_str().into()).collect();
    let mut caller = Caller::new(key.tenant.as_str(), key.caller.as_str(), Proof::Key);
    caller.roles = words(&key.roles);
    caller.scopes = Scopes::Named(words(&key.scopes));
    caller.expires = key.expires;
    caller
}
