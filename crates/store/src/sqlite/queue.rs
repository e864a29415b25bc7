//! What waits for the thread that writes.
//!
//! Its length is bounded by whoever hands out the slots that records bring with them. Callers hold the lock for one push; the
//! writer is woken only if it sleeps or if somebody waits for the record, so a busy gate pays for one wake-up per batch.

use std::{
    mem,
    sync::{
        Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::sync::oneshot;

use crate::{Backlog, Pending};

/// A batch as full as this is written without waiting for more.
const FULL: usize = 1024;

/// The queue between the callers and the writer.
#[derive(Debug)]
pub(super) struct Queue {
    linger: Duration,
    waiting: Mutex<Waiting>,
    wake: Condvar,
    failing: AtomicBool,
}

#[derive(Debug, Default)]
struct Waiting {
    records: Vec<Pending>,
    flushes: Vec<oneshot::Sender<()>>,
    /// Somebody waits for one of the records.
    urgent: bool,
    /// The writer sleeps because there is nothing to do.
    idle: bool,
    closed: bool,
    writing: Backlog,
    failure: Option<String>,
}

/// What the writer takes in one go.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) records: Vec<Pending>,
    flushes: Vec<oneshot::Sender<()>>,
}

impl Queue {
    pub(super) fn new(linger: Duration) -> Self {
        Self { linger, waiting: Mutex::default(), wake: Condvar::new(), failing: AtomicBool::new(false) }
    }

    /// Adds a record.
    pub(super) fn push(&self, pending: Pending) {
        let mut waiting = self.lock();
        let hurry = pending.is_urgent() && !waiting.urgent;
        waiting.urgent |= hurry;
        waiting.records.push(pending);
        let wake = waiting.idle || hurry || waiting.records.len() == FULL;
        drop(waiting);
        if wake {
            self.wake.notify_one();
        }
    }

    /// Resolves once everything pushed before is durable.
    pub(super) fn flush(&self) -> oneshot::Receiver<()> {
        let (sender, receiver) = oneshot::channel();
        let mut waiting = self.lock();
        waiting.flushes.push(sender);
        waiting.urgent = true;
        drop(waiting);
        self.wake.notify_one();
        receiver
    }

    /// No more will come: the writer ends once it has written what is there.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.wake.notify_one();
    }

    /// Waits for work and lets it gather; `None` when the queue is closed and empty. `batch` comes in empty.
    pub(super) fn take(&self, mut batch: Batch) -> Option<Batch> {
        let mut waiting = self.lock();
        waiting.idle = true;
        let nothing = |waiting: &mut Waiting| waiting.records.is_empty() && waiting.flushes.is_empty() && !waiting.closed;
        waiting = self.wake.wait_while(waiting, nothing).unwrap_or_else(PoisonError::into_inner);
        waiting.idle = false;
        let more = |waiting: &mut Waiting| !waiting.urgent && !waiting.closed && waiting.records.len() < FULL;
        waiting = self.wake.wait_timeout_while(waiting, self.linger, more).unwrap_or_else(PoisonError::into_inner).0;
        mem::swap(&mut batch.records, &mut waiting.records);
        mem::swap(&mut batch.flushes, &mut waiting.flushes);
        waiting.urgent = false;
        waiting.writing = Backlog { records: batch.records.len(), oldest: batch.records.first().map(|first| first.record.at) };
        let work = !batch.records.is_empty() || !batch.flushes.is_empty();
        work.then_some(batch)
    }

    /// `batch` is durable: tells everyone who waits and gives the empty batch back for the next round.
    pub(super) fn settle(&self, mut batch: Batch) -> Batch {
        let mut waiting = self.lock();
        waiting.writing = Backlog::default();
        waiting.failure = None;
        drop(waiting);
        self.failing.store(false, Ordering::Release);
        for pending in batch.records.drain(..) {
            pending.settle();
        }
        for flush in batch.flushes.drain(..) {
            // Whoever asked may have left.
            let _ = flush.send(());
        }
        batch
    }

    /// Writing failed; says whether it had worked before.
    pub(super) fn fail(&self, why: String) -> bool {
        self.lock().failure = Some(why);
        !self.failing.swap(true, Ordering::AcqRel)
    }

    /// Sleeps until the next attempt; `false` if the queue was closed meanwhile.
    pub(super) fn pause(&self, span: Duration) -> bool {
        let open = |waiting: &mut Waiting| !waiting.closed;
        let (waiting, _) = self.wake.wait_timeout_while(self.lock(), span, open).unwrap_or_else(PoisonError::into_inner);
        !waiting.closed
    }

    pub(super) fn is_failing(&self) -> bool {
        self.failing.load(Ordering::Acquire)
    }

    pub(super) fn failure(&self) -> Option<String> {
        self.lock().failure.clone()
    }

    pub(super) fn backlog(&self) -> Backlog {
        let waiting = self.lock();
        let oldest = waiting.writing.oldest.or_else(|| waiting.records.first().map(|first| first.record.at));
        Backlog { records: waiting.writing.records + waiting.records.len(), oldest }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // Nothing under this lock can panic halfway through a change.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
