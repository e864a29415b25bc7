//! Where the gate keeps its own state: the audit log and the API keys.
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
mod sqlite;

use std::{fmt, path::Path, sync::Arc};

use futures_util::future::BoxFuture;

pub use audit::{Audit, Backlog, Entry, Pending, Record, Slot, Subject, Written};
pub use config::{Config, Name};
pub use error::Error;
pub use keys::{ApiKey, Keys};
pub use memory::Memory;
pub use sqlite::Sqlite;

/// The gate's own state.
pub trait Store: Send + Sync + fmt::Debug {
    /// The audit log.
    fn audit(&self) -> &dyn Audit;

    /// The API keys.
    fn keys(&self) -> &dyn Keys;
}

/// An open store, or why there is none.
pub type Opened = Result<Arc<dyn Store>, Error>;

/// A kind of store: its name in the configuration and how it is opened.
pub struct Kind {
    /// What stands under `store.kind`.
    pub name: Name,
    /// Opens it; relative paths are relative to the folder.
    pub open: for<'a> fn(&'a Config, &'a Path) -> BoxFuture<'a, Opened>,
}

/// All kinds.
pub const KINDS: &[Kind] = &[
    // One machine, nothing else installed: a file beside the configuration.
    Kind { name: Name::Sqlite, open: sqlite::open },
    // Programs that embed the gate, and tests: the last records, gone with the process.
    Kind { name: Name::Memory, open: memory::open },
];

/// Opens the store that `config` describes.
///
/// # Panics
/// Never: each name has its row, which a test checks.
pub async fn open(config: &Config, folder: &Path) -> Opened {
    let kind = KINDS.iter().find(|kind| kind.name == config.kind).expect("every name has its row in KINDS");
    (kind.open)(config, folder).await
}

#[cfg(test)]
mod tests;
