//! What waits for the thread that writes.
//!
//! Its length is bounded by whoever hands out the slots that records bring with them, and a call has at most one intent beside its
//! record. Callers hold the lock for one push; the
//! writer is woken only if it sleeps or if somebody waits for the record, so a busy gate pays for one wake-up per batch.

use std::{
    mem,
    sync::{
        Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use aws_lc_rs::rand;
use tokio::sync::oneshot;

use crate::{Backlog, Intent, Pending, Record, Written};

/// A batch as full as this is written without waiting for more.
const FULL: usize = 1024;

/// Bits of an intent's number that count; the bits above say whose it is.
const COUNT: u32 = 40;

/// The queue between the callers and the writer.
#[derive(Debug)]
pub(crate) struct Queue {
    linger: Duration,
    /// Who numbers intents here, in the upper bits of each number.
    owner: u64,
    intents: AtomicU64,
    waiting: Mutex<Waiting>,
    wake: Condvar,
    failing: AtomicBool,
}

#[derive(Debug, Default)]
struct Waiting {
    intents: Vec<Draft>,
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

/// An intent on its way to the log.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) number: Intent,
    pub(crate) record: Record,
    written: oneshot::Sender<()>,
}

/// What the writer takes in one go: intents first, then records, which may settle them.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) intents: Vec<Draft>,
    pub(crate) records: Vec<Pending>,
    flushes: Vec<oneshot::Sender<()>>,
}

impl Batch {
    /// There is nothing to write.
    pub(crate) fn is_empty(&self) -> bool {
        self.intents.is_empty() && self.records.is_empty()
    }

    /// Somebody waits until everything is durable, as a gate that ends does.
    pub(super) fn is_flushed(&self) -> bool {
        !self.flushes.is_empty()
    }
}

impl Queue {
    pub(crate) fn new(linger: Duration) -> Self {
        let mut bytes = [0; 4];
        rand::fill(&mut bytes).expect("the system's random numbers do not run out");
        // 22 bits: the number as a whole stays positive.
        let owner = u64::from(u32::from_le_bytes(bytes) >> 10);
        let (waiting, wake, failing) = (Mutex::default(), Condvar::new(), AtomicBool::new(false));
        Self { linger, owner, intents: AtomicU64::new(0), waiting, wake, failing }
    }

    /// The first number that intents of this queue can have, and the first that they cannot have any more.
    pub(crate) fn numbers(&self) -> (i64, i64) {
        let first = |owner: u64| i64::try_from(owner << COUNT).unwrap_or(i64::MAX);
        (first(self.owner), first(self.owner + 1))
    }

    /// Adds an intent; while the log fails the promise is broken at once.
    pub(crate) fn intend(&self, record: Record) -> (Intent, Written) {
        let number = Intent((self.owner << COUNT) | self.intents.fetch_add(1, Ordering::Relaxed));
        let (written, promise) = oneshot::channel();
        if !self.is_failing() {
            let mut waiting = self.lock();
            waiting.intents.push(Draft { number, record, written });
            waiting.urgent = true;
            drop(waiting);
            self.wake.notify_one();
        }
        (number, promise)
    }

    /// Adds a record.
    pub(crate) fn push(&self, pending: Pending) {
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
    pub(crate) fn flush(&self) -> oneshot::Receiver<()> {
        let (sender, receiver) = oneshot::channel();
        let mut waiting = self.lock();
        waiting.flushes.push(sender);
        waiting.urgent = true;
        drop(waiting);
        self.wake.notify_one();
        receiver
    }

    /// No more will come: the writer ends once it has written what is there.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.wake.notify_one();
    }

    /// Waits for work and lets it gather; an empty batch after `tick` without any, `None` when the queue is closed and empty.
    /// `batch` comes in empty.
    pub(super) fn take(&self, mut batch: Batch, tick: Duration) -> Option<Batch> {
        let mut waiting = self.lock();
        waiting.idle = true;
        waiting = self.wake.wait_timeout_while(waiting, tick, |waiting| waiting.is_idle()).unwrap_or_else(PoisonError::into_inner).0;
        waiting.idle = false;
        let more = |waiting: &mut Waiting| !waiting.urgent && !waiting.closed && !waiting.is_idle() && waiting.records.len() < FULL;
        waiting = self.wake.wait_timeout_while(waiting, self.linger, more).unwrap_or_else(PoisonError::into_inner).0;
        mem::swap(&mut batch.intents, &mut waiting.intents);
        mem::swap(&mut batch.records, &mut waiting.records);
        mem::swap(&mut batch.flushes, &mut waiting.flushes);
        waiting.urgent = false;
        waiting.writing = Backlog { records: batch.records.len(), oldest: batch.records.first().map(|first| first.record.at) };
        let ends = waiting.closed && batch.is_empty() && !batch.is_flushed();
        (!ends).then_some(batch)
    }

    /// `batch` is durable: tells everyone who waits and gives the empty batch back for the next round.
    pub(super) fn settle(&self, mut batch: Batch) -> Batch {
        let mut waiting = self.lock();
        waiting.writing = Backlog::default();
        waiting.failure = None;
        drop(waiting);
        self.failing.store(false, Ordering::Release);
        for draft in batch.intents.drain(..) {
            // Whoever asked may have left: the record that says so is on its way.
            let _ = draft.written.send(());
        }
        for pending in batch.records.drain(..) {
            pending.settle();
        }
        for flush in batch.flushes.drain(..) {
            // Whoever asked may have left.
            let _ = flush.send(());
        }
        batch
    }

    /// Writing failed; says whether it had worked before. Promises about intents are broken: their calls change nothing.
    pub(super) fn fail(&self, why: String) -> bool {
        let first = !self.failing.swap(true, Ordering::AcqRel);
        let mut waiting = self.lock();
        waiting.failure = Some(why);
        waiting.intents.clear();
        first
    }

    /// Sleeps until the next attempt; `false` if the queue was closed meanwhile.
    pub(super) fn pause(&self, span: Duration) -> bool {
        let open = |waiting: &mut Waiting| !waiting.closed;
        let (waiting, _) = self.wake.wait_timeout_while(self.lock(), span, open).unwrap_or_else(PoisonError::into_inner);
        !waiting.closed
    }

    pub(crate) fn is_failing(&self) -> bool {
        self.failing.load(Ordering::Acquire)
    }

    pub(crate) fn failure(&self) -> Option<String> {
        self.lock().failure.clone()
    }

    pub(crate) fn backlog(&self) -> Backlog {
        let waiting = self.lock();
        let oldest = waiting.writing.oldest.or_else(|| waiting.records.first().map(|first| first.record.at));
        Backlog { records: waiting.writing.records + waiting.records.len(), oldest }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // Nothing under this lock can panic halfway through a change.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    /// There is nothing to do.
    fn is_idle(&self) -> bool {
        self.records.is_empty() && self.intents.is_empty() && self.flushes.is_empty() && !self.closed
    }
}
