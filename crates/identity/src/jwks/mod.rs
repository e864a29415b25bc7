//! The keys of an issuer: fetched when they are needed, at most once per cool-down, kept through outages up to a bound.
//!
//! States of the set, and what moves it on: *none* (before the first fetch succeeded) → *fresh* (a fetch succeeded) → *due* (older
//! than `refresh`: still used, and the next token starts a fetch in the background) → *old* (older than `keep`: not used any more).
//! A fetch that fails, or brings no key that could be used, leaves the set as it is.

mod fetch;
mod key;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use arc_swap::ArcSwap;
use callgate_egress::Client;
use jsonwebtoken::DecodingKey;
use tokio::{sync::watch, time::Instant};

use self::{fetch::Source, key::Set};
use crate::{
    Error,
    refusal::Refusal,
    token::{Algorithm, Config},
};

/// The longest that a token waits for its key. The fetch itself may go on.
const PATIENCE: Duration = Duration::from_secs(2);

/// The keys of one issuer.
#[derive(Debug)]
pub(crate) enum Keys {
    /// The one secret that both sides know.
    Shared(DecodingKey),
    /// Those that the issuer publishes.
    Published(Arc<Published>),
}

/// What the issuer published, and how the last attempt to learn it ended.
#[derive(Debug)]
pub(crate) struct Published {
    issuer: String,
    source: Source,
    algorithms: Vec<Algorithm>,
    refresh: Duration,
    cooldown: Duration,
    keep: Duration,
    set: ArcSwap<Dated>,
    attempt: Mutex<Attempt>,
    /// Counts the attempts that ended.
    ended: watch::Sender<u64>,
}

/// A set and when it was fetched.
#[derive(Debug, Default)]
struct Dated {
    keys: Set,
    at: Option<Instant>,
}

#[derive(Debug, Default)]
struct Attempt {
    begun: Option<Instant>,
    under_way: bool,
    failure: Option<String>,
}

impl Keys {
    pub(crate) fn open(config: &Config, egress: Option<&Client>) -> Result<Self, Error> {
        if let Some(secret) = &config.secret {
            return Ok(Self::Shared(DecodingKey::from_secret(secret.expose().as_bytes())));
        }
        let source = Source::new(config, egress.ok_or(Error::Egress)?.clone())?;
        Ok(Self::Published(Arc::new(Published {
            issuer: config.issuer.clone(),
            source,
            algorithms: config.algorithms.clone(),
            refresh: config.refresh.get(),
            cooldown: config.cooldown.get(),
            keep: config.keep.get(),
            set: ArcSwap::default(),
            attempt: Mutex::default(),
            ended: watch::Sender::default(),
        })))
    }

    /// The key of this name that may sign with `algorithm`; without a name, the only one that may.
    pub(crate) async fn find(&self, name: Option<&str>, algorithm: Algorithm) -> Result<DecodingKey, Refusal> {
        match self {
            Self::Shared(key) => Ok(key.clone()),
            Self::Published(published) => published.find(name, algorithm).await,
        }
    }
}

impl Published {
    async fn find(self: &Arc<Self>, name: Option<&str>, algorithm: Algorithm) -> Result<DecodingKey, Refusal> {
        let now = Instant::now();
        let set = self.set.load_full();
        let age = set.at.map(|at| now.duration_since(at));
        let key = set.keys.find(name, algorithm).filter(|_| age.is_some_and(|age| age < self.keep)).cloned();
        if let Some(key) = key {
            if age.is_some_and(|age| age >= self.refresh) {
                // In the background: this token has its key.
                self.begin();
            }
            return Ok(key);
        }
        self.refreshed().await;
        let set = self.set.load_full();
        let is_usable = set.at.is_some_and(|at| at.elapsed() < self.keep);
        match set.keys.find(name, algorithm) {
            Some(key) if is_usable => Ok(key.clone()),
            _ => Err(self.lacking(is_usable)),
        }
    }

    /// Why there is no such key: because the issuer has none, or because it did not say.
    fn lacking(&self, is_usable: bool) -> Refusal {
        let attempt = self.attempt.lock().unwrap_or_else(PoisonError::into_inner);
        if is_usable && attempt.failure.is_none() && !attempt.under_way {
            return Refusal::now("the token's key is none of its issuer's");
        }
        let waited = attempt.begun.map_or(Duration::ZERO, |begun| begun.elapsed());
        let retry_after = self.cooldown.saturating_sub(waited).max(Duration::from_secs(1));
        let cause = attempt.failure.as_deref().unwrap_or("they are not there yet");
        Refusal::Away { retry_after, reason: format!("the keys of `{}` cannot be had: {cause}", self.issuer) }
    }

    /// Waits a while for the fetch that is under way, or for a new one if one may begin.
    async fn refreshed(self: &Arc<Self>) {
        if let Some(mut ended) = self.begin() {
            // Whatever comes first: what is known then is what counts.
            let _ = tokio::time::timeout(PATIENCE, ended.changed()).await;
        }
    }

    /// Begins to fetch unless the last attempt is too young; gives the end of the fetch that is under way. It runs as a task of its
    /// own, so that a client that hangs up does not use up the attempt for all others; there is never more than one.
    fn begin(self: &Arc<Self>) -> Option<watch::Receiver<u64>> {
        let mut attempt = self.attempt.lock().unwrap_or_else(PoisonError::into_inner);
        let ended = self.ended.subscribe();
        if attempt.under_way {
            return Some(ended);
        }
        if attempt.begun.is_some_and(|begun| begun.elapsed() < self.cooldown) {
            return None;
        }
        *attempt = Attempt { begun: Some(Instant::now()), under_way: true, failure: attempt.failure.take() };
        tokio::spawn(Ending { of: self.clone(), failure: Some("fetching broke off".into()) }.fetch());
        Some(ended)
    }
}

/// The end of an attempt, which comes whatever happens to the task.
struct Ending {
    of: Arc<Published>,
    failure: Option<String>,
}

impl Ending {
    async fn fetch(mut self) {
        match self.of.source.fetch(&self.of.algorithms).await {
            Ok(keys) => {
                tracing::debug!(issuer = self.of.issuer, keys = keys.len(), "fetched the issuer's keys");
                self.of.set.store(Arc::new(Dated { keys, at: Some(Instant::now()) }));
                self.failure = None;
            }
            Err(why) => {
                tracing::warn!(
                    issuer = self.of.issuer,
                    error = why,
                    "the issuer's keys cannot be fetched; those known stay in use for a while"
                );
                self.failure = Some(why);
            }
        }
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        let mut attempt = self.of.attempt.lock().unwrap_or_else(PoisonError::into_inner);
        attempt.under_way = false;
        attempt.failure = self.failure.take();
        self.of.ended.send_modify(|count| *count += 1);
    }
}
