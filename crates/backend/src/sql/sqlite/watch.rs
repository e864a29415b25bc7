//! Ends a statement that runs too long or that nobody waits for any more.
//!
//! SQLite asks every thousand steps of its machine whether to go on; a watch answers. A job is *open* until it is *cancelled* by
//! whoever waits for it or *committing* because the writer has begun to make it last: one of the two comes first, and only one comes.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU8, AtomicU64, Ordering},
};

use tokio::time::Instant;

/// How many steps of SQLite's machine pass between two questions: some 20 µs.
pub(super) const STEPS: i32 = 1000;

/// Answers for one connection.
#[derive(Debug)]
pub(super) struct Watch {
    start: Instant,
    /// Nanoseconds after `start`.
    until: AtomicU64,
    job: Mutex<Option<Arc<Job>>>,
}

/// The state of one piece of work, seen from both sides.
#[derive(Debug, Default)]
pub(super) struct Job(AtomicU8);

const OPEN: u8 = 0;
const CANCELLED: u8 = 1;
const COMMITTING: u8 = 2;

impl Job {
    /// Nobody waits for it any more. False if it is too late: the commit has begun.
    pub(super) fn cancel(&self) -> bool {
        self.0.compare_exchange(OPEN, CANCELLED, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// The commit begins now. False if nobody waits any more.
    pub(super) fn commit(&self) -> bool {
        self.0.compare_exchange(OPEN, COMMITTING, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// Nobody waits for it.
    pub(super) fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Acquire) == CANCELLED
    }
}

impl Watch {
    /// A watch that ends nothing yet.
    pub(super) fn new() -> Self {
        Self { start: Instant::now(), until: AtomicU64::new(u64::MAX), job: Mutex::new(None) }
    }

    /// From now on, statements end at `until`, or when `job` is cancelled.
    pub(super) fn arm(&self, until: Instant, job: Option<Arc<Job>>) {
        let nanos = until.saturating_duration_since(self.start).as_nanos();
        self.until.store(u64::try_from(nanos).unwrap_or(u64::MAX), Ordering::Relaxed);
        *self.job.lock().unwrap_or_else(PoisonError::into_inner) = job;
    }

    /// From now on, statements may run as long as they like.
    pub(super) fn disarm(&self) {
        self.until.store(u64::MAX, Ordering::Relaxed);
        *self.job.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// The statement that runs shall end.
    pub(super) fn is_over(&self) -> bool {
        let passed = self.start.elapsed().as_nanos();
        passed >= u128::from(self.until.load(Ordering::Relaxed))
            || self.job.lock().unwrap_or_else(PoisonError::into_inner).as_ref().is_some_and(|job| job.is_cancelled())
    }
}

/// Cancels a job when it is dropped before the job was done.
pub(super) struct Cancel(Option<Arc<Job>>);

impl Cancel {
    /// Watches over `job`.
    pub(super) fn on_drop(job: Arc<Job>) -> Self {
        Self(Some(job))
    }

    /// The job is done.
    pub(super) fn done(mut self) {
        self.0 = None;
    }
}

impl Drop for Cancel {
    fn drop(&mut self) {
        if let Some(job) = &self.0 {
            job.cancel();
        }
    }
}
