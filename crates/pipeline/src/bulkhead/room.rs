//! One bounded set of places with a bounded waiting room, for one tool or one backend.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use callgate_model::{Call, Fault};
use tokio::time::{Instant, timeout_at};

use super::{
    config::Bounds,
    lane::{Lane, Seat, Told},
};
use crate::{door, gate::Running};

/// How many depths there are; the model lets calls go no deeper.
const DEPTHS: usize = 5;

/// The places of one tool or backend.
#[derive(Debug)]
pub(super) struct Room {
    bounds: Bounds,
    lanes: [Mutex<Lane>; DEPTHS],
    /// How long calls keep their places, in nanoseconds: a moving average. Zero until the first has ended.
    pace: AtomicU64,
}

/// A place, until it is dropped.
#[derive(Debug)]
pub(super) struct Place<'a> {
    room: &'a Room,
    lane: usize,
    tenant: &'a Arc<str>,
    since: Instant,
}

/// Somebody who waits. Dropped before an answer was heard, the seat is given back, or the place if there was one by then.
struct Guest<'a> {
    room: &'a Room,
    lane: usize,
    tenant: &'a Arc<str>,
    seat: Seat,
    has_heard: bool,
}

impl Room {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self { bounds, lanes: Default::default(), pace: AtomicU64::new(0) }
    }

    /// Takes a place for `call`, at once if there is one; `what` names the room in the refusal.
    pub(super) async fn enter<'a>(&'a self, call: &'a Call, what: &str, running: &Running) -> Result<Place<'a>, Fault> {
        let tenant = call.caller.tenant();
        let index = usize::from(call.depth).min(DEPTHS - 1);
        let patience = self.bounds.wait.min(call.deadline.left());
        let seat = {
            let mut lane = self.lane(index);
            if lane.enter(tenant, &self.bounds) {
                drop(lane);
                return Ok(self.place(index, tenant));
            }
            let expected = self.expected(lane.ahead(tenant));
            let seat = if expected > patience { None } else { lane.wait(tenant, &self.bounds) };
            seat.ok_or_else(|| Fault::overloaded(what, self.bounds.wait.max(expected)))?
        };
        let mut guest = Guest { room: self, lane: index, tenant, seat, has_heard: false };
        let until = Instant::now() + patience;
        tokio::select! {
            biased;
            // Asked first, so that a place that falls free because its call was cancelled starts nothing new. Refused here rather
            // than by the door: a call that waits has done nothing yet, and may say so.
            () = running.cancelled() => Err(door::closing()),
            told = timeout_at(until, &mut guest.seat.told) => {
                let told = told.ok().and_then(Result::ok);
                guest.has_heard = told.is_some();
                match told {
                    Some(Told::Enter) => Ok(self.place(index, tenant)),
                    Some(Told::Leave) | None => Err(Fault::overloaded(what, self.bounds.wait)),
                }
            }
        }
    }

    /// How many places are taken.
    pub(super) fn taken(&self) -> usize {
        (0..DEPTHS).map(|index| self.lane(index).running()).sum()
    }

    /// How many calls wait.
    pub(super) fn waiting(&self) -> usize {
        (0..DEPTHS).map(|index| self.lane(index).waiting()).sum()
    }

    /// How long a call waits that has so many before it, as far as can be known.
    fn expected(&self, ahead: usize) -> Duration {
        let (turns, places) = (u64::try_from(ahead + 1).unwrap_or(u64::MAX), u64::try_from(self.bounds.places).unwrap_or(u64::MAX));
        // Whole milliseconds, since callers read it.
        Duration::from_millis(self.pace.load(Ordering::Relaxed).saturating_mul(turns) / places / 1_000_000)
    }

    fn place<'a>(&'a self, lane: usize, tenant: &'a Arc<str>) -> Place<'a> {
        Place { room: self, lane, tenant, since: Instant::now() }
    }

    fn lane(&self, index: usize) -> MutexGuard<'_, Lane> {
        self.lanes[index].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An eighth of what is new, the rest as it was. Two calls at once may lose one of the two: it is an average.
    fn learn(&self, took: Duration) {
        let took = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        let before = self.pace.load(Ordering::Relaxed);
        let after = if before == 0 { took } else { before - before / 8 + took / 8 };
        self.pace.store(after, Ordering::Relaxed);
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.room.learn(self.since.elapsed());
        self.room.lane(self.lane).leave(self.tenant, &self.room.bounds);
    }
}

impl Drop for Guest<'_> {
    fn drop(&mut self) {
        if !self.has_heard {
            self.room.lane(self.lane).give_up(self.tenant, &mut self.seat, &self.room.bounds);
        }
    }
}
