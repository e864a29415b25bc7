//! Where the gate keeps its own state: the audit log, whose its pseudonyms are, and the API keys.
//!
//! It promises that what was acknowledged is durable, that the audit log only grows, and that a record is never dropped while
//! the process lives. It leaves to `pipeline` what a record says, who waits for it, and how many may be under way.
//!
//! A kind of store is a folder and its row in [`KINDS`].

mod audit;
mod config;
mod error;
mod keys;
mod memory;
mod postgres;
pub mod pseudonyms;
mod sqlite;
mod writing;

pub mod shared;

use std::{fmt, path::Path, sync::Arc};

use futures_util::future::BoxFuture;

pub use audit::{
    Audit, Backlog, CHAINS, Entry, Filter, Hash, Head, Intent, Left, Log, Pending, Record, Row, Slot, Subject, Written, verify,
};
pub use config::{Config, Name};
pub use error::Error;
pub use keys::{ApiKey, Keys};
pub use memory::Memory;
pub use pseudonyms::{Callers, Config as Pseudonyms};
pub use sqlite::Sqlite;
pub use writing::{HeadKeys, Heads, Upkeep, read_heads};

/// The gate's own state.
pub trait Store: Send + Sync + fmt::Debug {
    /// The audit log.
    fn audit(&self) -> &dyn Audit;

    /// Whose the pseudonyms of the audit log are.
    fn callers(&self) -> &dyn Callers;

    /// The API keys.
    fn keys(&self) -> &dyn Keys;
}

/// An open store, or why there is none.
pub type Opened = Result<Arc<dyn Store>, Error>;

/// An audit log that can be read, or why it cannot.
pub type Read = Result<Box<dyn Log>, Error>;

/// What a store is opened from.
#[derive(Clone, Debug)]
pub struct Opening<'a> {
    /// What the operator wrote under `store`.
    pub config: &'a Config,
    /// How the audit log is kept.
    pub upkeep: Upkeep,
    /// To which relative paths are relative.
    pub folder: &'a Path,
}

/// A kind of store: its name in the configuration and how it is opened.
pub struct Kind {
    /// What stands under `store.kind`.
    pub name: Name,
    /// Opens it; relative paths are relative to the folder.
    pub open: for<'a> fn(&'a Opening<'a>) -> BoxFuture<'a, Opened>,
    /// Opens its audit log for reading only.
    pub log: for<'a> fn(&'a Opening<'a>) -> BoxFuture<'a, Read>,
}

/// All kinds.
pub const KINDS: &[Kind] = &[
    // One machine, nothing else installed: a file beside the configuration.
    Kind { name: Name::Sqlite, open: sqlite::open, log: sqlite::log },
    // Replicas, which share it: tables on a server.
    Kind { name: Name::Postgres, open: postgres::open, log: postgres::log },
    // Programs that embed the gate, and tests: the last records, gone with the process.
    Kind { name: Name::Memory, open: memory::open, log: memory::log },
];

/// Opens the store that `opening` describes.
///
/// # Panics
/// Never: each name has its row, which a test checks.
pub async fn open(opening: &Opening<'_>) -> Opened {
    (kind(opening.config.kind).open)(opening).await
}

/// Opens the audit log of a store for reading, beside a gate that may be writing it. Makes nothing and changes nothing.
pub async fn log(opening: &Opening<'_>) -> Read {
    (kind(opening.config.kind).log)(opening).await
}

fn kind(name: Name) -> &'static Kind {
    KINDS.iter().find(|kind| kind.name == name).expect("every name has its row in KINDS")
}

#[cfg(test)]
mod tests;
