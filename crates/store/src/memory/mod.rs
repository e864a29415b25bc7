//! A store that keeps the last records in memory: for programs that embed the gate, and for tests.
//!
//! A record counts as durable as soon as it is appended. When the log is full the oldest entry is forgotten; everything is
//! lost with the process.

mod keys;

use std::{
    collections::VecDeque,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use futures_util::future::{BoxFuture, FutureExt as _, ready};

use crate::{Audit, Backlog, Config, Entry, Error, Keys, Opened, Pending, Store};

/// A store in memory.
#[derive(Debug)]
pub struct Memory {
    most: usize,
    log: Mutex<Log>,
    keys: keys::Table,
}

#[derive(Debug, Default)]
struct Log {
    entries: VecDeque<Entry>,
    last: i64,
}

/// The row of this kind.
pub(crate) fn open<'a>(config: &'a Config, _folder: &'a Path) -> BoxFuture<'a, Opened> {
    let memory: Opened = Ok(Arc::new(Memory::new(config.records)));
    ready(memory).boxed()
}

impl Memory {
    /// A store for the last `most` records.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { most, log: Mutex::default(), keys: keys::Table::default() }
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        // Nothing under this lock can panic halfway through a change.
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for Memory {
    fn audit(&self) -> &dyn Audit {
        self
    }

    fn keys(&self) -> &dyn Keys {
        &self.keys
    }
}

#[async_trait]
impl Audit for Memory {
    fn append(&self, pending: Pending) {
        let mut log = self.log();
        log.last += 1;
        let entry = Entry::of(log.last, pending.settle());
        log.entries.push_back(entry);
        if log.entries.len() > self.most {
            log.entries.pop_front();
        }
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

    fn tail(&self, last: usize) -> Result<Vec<Entry>, Error> {
        let log = self.log();
        let skip = log.entries.len().saturating_sub(last);
        Ok(log.entries.iter().skip(skip).cloned().collect())
    }
}
