//! The calls under way, and how they are brought to an end.
//!
//! *Open*: calls come and go. *Closing*: no new ones are let in; what runs may finish. *Cancelling*: what still runs is dropped.
//! `drain` moves from each to the next; there is no way back.

use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

use tokio::sync::Notify;

const OPEN: u8 = 0;
const CLOSING: u8 = 1;
const CANCELLING: u8 = 2;

/// Counts the calls under way.
#[derive(Debug, Default)]
pub(crate) struct Running {
    count: AtomicUsize,
    state: AtomicU8,
    changed: Notify,
}

/// One call under way, until it is dropped.
pub(crate) struct UnderWay<'a>(&'a Running);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        // Nobody waits for the last call while the gate is open.
        if self.0.count.fetch_sub(1, Ordering::AcqRel) == 1 && self.0.is_closing() {
            self.0.changed.notify_waiters();
        }
    }
}

impl Running {
    /// A call begins.
    pub(crate) fn enter(&self) -> UnderWay<'_> {
        self.count.fetch_add(1, Ordering::AcqRel);
        UnderWay(self)
    }

    /// How many calls are under way.
    pub(crate) fn count(&self) -> usize {
        self.count.load(Ordering::Acquire)
    }

    /// No new calls are let in.
    pub(crate) fn is_closing(&self) -> bool {
        self.state.load(Ordering::Acquire) != OPEN
    }

    /// Lets no new calls in.
    pub(crate) fn close(&self) {
        self.state.fetch_max(CLOSING, Ordering::AcqRel);
    }

    /// Tells all calls under way to end.
    pub(crate) fn cancel(&self) {
        self.state.fetch_max(CANCELLING, Ordering::AcqRel);
        self.changed.notify_waiters();
    }

    /// Resolves when the gate has closed and no call is under way.
    pub(crate) async fn ended(&self) {
        self.until(|running| running.count() == 0).await;
    }

    /// Resolves when calls under way must end.
    pub(crate) async fn cancelled(&self) {
        self.until(|running| running.state.load(Ordering::Acquire) == CANCELLING).await;
    }

    async fn until(&self, done: impl Fn(&Self) -> bool) {
        loop {
            // Listening begins before the question, so that an answer in between is not missed.
            let changed = self.changed.notified();
            if done(self) {
                return;
            }
            changed.await;
        }
    }
}
