//! One bounded set of places with a bounded waiting room.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use callgate_model::{Call, Fault};
use tokio::{
    sync::SemaphorePermit,
    time::{Instant, timeout_at},
};

use crate::{door, gate::Running, lanes::Lanes};

/// The places of one tool or backend.
#[derive(Debug)]
pub(super) struct Room {
    places: Lanes,
    waiting: AtomicUsize,
}

/// The bounds that all rooms share.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    pub(super) waiting: usize,
    pub(super) wait: Duration,
}

impl Room {
    pub(super) fn new(places: usize) -> Self {
        Self { places: Lanes::new(places), waiting: AtomicUsize::new(0) }
    }

    /// Takes a place for `call`, at once if there is one; `what` names the room in the refusal.
    pub(super) async fn enter(&self, call: &Call, what: &str, patience: Patience, running: &Running) -> Result<SemaphorePermit<'_>, Fault> {
        let lane = self.places.at(call.depth);
        if let Ok(place) = lane.try_acquire() {
            return Ok(place);
        }
        let Some(_chair) = Chair::take(&self.waiting, patience.waiting) else {
            return Err(Fault::overloaded(what, patience.wait));
        };
        let until = call.deadline.at().min(Instant::now() + patience.wait);
        tokio::select! {
            biased;
            // Asked first, so that a place that falls free because its call was cancelled starts nothing new. Refused here rather
            // than by the door: a call that waits has done nothing yet, and may say so.
            () = running.cancelled() => Err(door::closing()),
            // The semaphore is never closed, so every error is the time that is up.
            place = timeout_at(until, lane.acquire()) => place.ok().and_then(Result::ok).ok_or_else(|| Fault::overloaded(what, patience.wait)),
        }
    }

    /// How many places are taken.
    pub(super) fn taken(&self) -> usize {
        self.places.taken()
    }

    /// How many calls wait.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }
}

/// A seat in the waiting room, until it is dropped.
struct Chair<'a>(&'a AtomicUsize);

impl<'a> Chair<'a> {
    fn take(taken: &'a AtomicUsize, most: usize) -> Option<Self> {
        let free = |count: usize| (count < most).then_some(count + 1);
        taken.try_update(Ordering::AcqRel, Ordering::Acquire, free).ok().map(|_| Self(taken))
    }
}

impl Drop for Chair<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}
