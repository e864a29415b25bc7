//! State that the replicas of a gate share: who has calls left, kept replies, and notices from one replica to all.
//!
//! It promises that every operation answers within a small bound, that a server that is away costs the calls of that time next to
//! nothing ([`Away`] comes at once), and that nothing here decides whether a write happens: all of it may be lost at any moment.
//! It leaves to `pipeline` what is taken, kept and told, and what is done while the server is away.

mod bucket;
mod config;
mod memory;
mod rate;
mod redis;
mod subscription;

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use prometheus_client::registry::Registry;

pub use config::Config;
pub use memory::Memory;
pub use rate::Rate;
pub use subscription::{Notice, Subscription};

/// What the replicas of a gate share.
#[async_trait]
pub trait Shared: Send + Sync + fmt::Debug {
    /// Takes one call from each of these, or from none of them: the first that has nothing left says when it has again.
    async fn take(&self, claims: &[Claim<'_>]) -> Result<Verdict, Away>;

    /// What is kept under `key`, if it is still there.
    async fn get(&self, key: &str) -> Result<Option<Bytes>, Away>;

    /// Keeps `value` under `key` for `ttl`. It may be forgotten earlier; an empty value and one that is longer than the
    /// configuration allows are not kept at all.
    async fn put(&self, key: &str, value: Bytes, ttl: Duration) -> Result<(), Away>;

    /// Forgets what is kept under these keys.
    async fn delete(&self, keys: &[&str]) -> Result<(), Away>;

    /// Tells all replicas, this one included, that listen to `channel`.
    async fn publish(&self, channel: &str, message: Bytes) -> Result<(), Away>;

    /// Listens to `channel` from now on. A channel is a name of the program's own: there are few, and they stay.
    fn subscribe(&self, channel: &str) -> Subscription;

    /// Registers the figures there are.
    fn register(&self, _registry: &mut Registry) {}
}

/// One limit that a call counts against.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    /// Whose calls are counted: the name of the limit and of those who share it.
    pub key: &'a str,
    /// How many there may be.
    pub rate: Rate,
    /// Who of those that share it is calling, if each is to have a fair share.
    pub member: Option<&'a str>,
}

/// Whether a call may be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every limit had one left, and it is taken.
    Taken,
    /// One had nothing left. Nothing is taken.
    Refused {
        /// Which of the claims, by its place.
        claim: usize,
        /// When it has one left again, if nobody else takes it.
        retry_after: Duration,
    },
}

/// What is shared cannot be reached just now, or took too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("what replicas share cannot be reached just now")]
pub struct Away;

/// Why what replicas share has no way to its server. The URL is not repeated, because it may hold a password.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The URL is none that a server can have.
    #[error("`shared.url` is no address of a Redis server")]
    Url,
    /// There are certificates for a connection that is not encrypted.
    #[error("`shared.ca` is for an address that begins with `rediss://`")]
    Plain,
    /// The certificates cannot be read.
    #[error("cannot read the certificates in `{path}`: {why}")]
    Authority {
        /// Their file.
        path: PathBuf,
        /// Why not.
        why: String,
    },
}

/// Opens what `config` describes; relative paths are relative to `folder`. A server that is away is no error: it is looked for until it is
/// there.
pub async fn open(config: &Config, folder: &Path) -> Result<Arc<dyn Shared>, Error> {
    Ok(match config.client(folder)? {
        Some(client) => Arc::new(redis::Redis::open(config, client).await),
        None => Arc::new(Memory::new(config)),
    })
}

#[cfg(test)]
mod tests;
