//! A store that keeps the last records in memory: for programs that embed the gate, and for tests.
//!
//! A record counts as durable as soon as it is appended. When the log is full the oldest entry is forgotten; everything is
//! lost with the process.

mod keys;

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use futures_util::future::{BoxFuture, FutureExt as _, ready};
use tokio::sync::oneshot;

use crate::{Audit, Backlog, Callers, Entry, Error, Intent, Keys, Opened, Opening, Pending, Read, Record, Store, Written};

/// A store in memory.
#[derive(Debug)]
pub struct Memory {
    most: usize,
    log: Mutex<Kept>,
    keys: keys::Table,
}

#[derive(Debug, Default)]
struct Kept {
    entries: VecDeque<Entry>,
    last: u64,
}

/// The row of this kind.
pub(crate) fn open<'a>(opening: &'a Opening<'a>) -> BoxFuture<'a, Opened> {
    let memory: Opened = Ok(Arc::new(Memory::new(opening.config.records)));
    ready(memory).boxed()
}

/// There is nothing to read for another process.
pub(crate) fn log<'a>(_opening: &'a Opening<'a>) -> BoxFuture<'a, Read> {
    ready(Err(Error::Nothing)).boxed()
}

impl Memory {
    /// A store for the last `most` records.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { most, log: Mutex::default(), keys: keys::Table::default() }
    }

    /// What is kept, oldest first.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        self.log().entries.iter().cloned().collect()
    }

    fn log(&self) -> MutexGuard<'_, Kept> {
        // Nothing under this lock can panic halfway through a change.
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for Memory {
    fn audit(&self) -> &dyn Audit {
        self
    }

    fn callers(&self) -> &dyn Callers {
        self
    }

    fn keys(&self) -> &dyn Keys {
        &self.keys
    }
}

/// Nobody has a pseudonym here: the records themselves are soon forgotten.
#[async_trait]
impl Callers for Memory {
    async fn forget(&self, _tenant: &str, _caller: &str) -> Result<Option<String>, Error> {
        Ok(None)
    }
}

#[async_trait]
impl Audit for Memory {
    fn append(&self, pending: Pending) {
        let mut log = self.log();
        log.last += 1;
        let entry = Entry::of(0, log.last, &pending.settle());
        log.entries.push_back(entry);
        if log.entries.len() > self.most {
            log.entries.pop_front();
        }
    }

    fn intend(&self, _record: Record) -> (Intent, Written) {
        // What is in memory is as durable as it will be, and nobody comes after this process.
        let (written, promise) = oneshot::channel();
        let _ = written.send(());
        (Intent(0), promise)
    }

    fn is_failing(&self) -> bool {
        false
    }

    fn failure(&self) -> Option<String> {
        None
    }

    fn backlog(&self) -> Backlog {
        Backlog::default()
    }

    async fn flush(&self) {}
}
