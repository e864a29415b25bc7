//! The audit log as the pipeline sees it: records go in, a promise of durability comes back.
//!
//! A record is handed over with the slot that bounds how many may be under way; the log holds the slot until the record is
//! durable. A log that fails keeps its records and tries again; it says that it is failing, so that writes can be refused.
//!
//! Before a call changes something, its intent is made durable; its record removes the intent in the transaction that appends
//! it. What a gate that ended left behind becomes a record with the outcome `unclear`, so that every effect has its record.

mod chain;
mod filter;
mod line;
mod log;
mod record;
pub mod verify;

use std::fmt;

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

pub use chain::{CHAINS, Hash, Head};
pub(crate) use chain::{place, row};
pub use filter::Filter;
pub(crate) use line::View;
pub use log::{Left, Log, Row};
pub use record::{Entry, Intent, Record, Subject};

/// Resolves once a record is durable; an error means that it will not be, or not in time for anybody who waits.
pub type Written = oneshot::Receiver<()>;

/// The place that a record takes until it is durable. Its owner bounds how many there are.
pub type Slot = OwnedSemaphorePermit;

/// A record on its way to the log.
#[derive(Debug)]
pub struct Pending {
    /// What is written.
    pub record: Record,
    slot: Option<Slot>,
    written: Option<oneshot::Sender<()>>,
}

impl Pending {
    /// A record that nobody waits for: it may linger until others can be written with it.
    #[must_use]
    pub fn new(record: Record, slot: Slot) -> Self {
        Self { record, slot: Some(slot), written: None }
    }

    /// A record that somebody waits for: it is written at once.
    #[must_use]
    pub fn urgent(record: Record, slot: Slot) -> (Self, Written) {
        let (written, promise) = oneshot::channel();
        (Self { record, slot: Some(slot), written: Some(written) }, promise)
    }

    /// Somebody waits for it.
    pub(crate) fn is_urgent(&self) -> bool {
        self.written.is_some()
    }

    /// The record is durable: frees its slot and tells whoever waits.
    pub(crate) fn settle(mut self) -> Record {
        drop(self.slot.take());
        if let Some(written) = self.written.take() {
            // Whoever waited may have left; the record is there all the same.
            let _ = written.send(());
        }
        self.record
    }
}

/// What is not durable yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// How many records.
    pub records: usize,
    /// The time of the oldest.
    pub oldest: Option<Timestamp>,
}

/// An append-only log.
#[async_trait]
pub trait Audit: Send + Sync + fmt::Debug {
    /// Takes a record over. Never blocks and never fails: a record is kept until it can be written.
    fn append(&self, pending: Pending);

    /// Writes down at once that a call is about to change something. The call goes on when the promise is kept; if it is broken,
    /// nothing may be changed. Either way the call's record names the intent, which removes it.
    fn intend(&self, record: Record) -> (Intent, Written);

    /// The last attempt to write failed. Cheap: asked before every write.
    fn is_failing(&self) -> bool;

    /// Why writing fails, if it does.
    fn failure(&self) -> Option<String>;

    /// What is not durable yet.
    fn backlog(&self) -> Backlog;

    /// Resolves once everything appended before is durable; not at all while the log is failing.
    async fn flush(&self);
}
