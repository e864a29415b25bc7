//! One call fetches, the others wait for what it brings.
//!
//! A *flight* is one load under way. Whoever wants the same joins it. The load is moved on by all who wait for it: one who leaves,
//! the first included, takes nothing from the others, and when the last has left the load is dropped, which cancels it at the backend.
//! What a flight brings, a failure too, is for those who joined it; whoever comes after it has landed begins anew.
//!
//! Calls within calls join flights of their own depth only. What waits for what is then always deeper, so that no two can wait for
//! each other.

use std::{
    collections::HashMap,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use futures_util::{
    FutureExt as _,
    future::{Shared, WeakShared},
};

use super::{
    key::Key,
    marks::{Generations, Stamp},
};

/// Locks are held for a moment each, and calls for different keys rarely meet.
const SHARDS: usize = 16;

/// A load and whoever waits for it.
pub(super) type Flight<T> = Shared<Pin<Box<dyn Future<Output = T> + Send>>>;

/// All loads under way.
#[derive(Debug)]
pub(super) struct Flights<T: Clone> {
    shards: [Mutex<HashMap<Place, UnderWay<T>>>; SHARDS],
    next: AtomicU64,
    waiting: AtomicUsize,
}

/// What is fetched, and how many calls stand above the one that does.
pub(super) type Place = (Key, u8);

#[derive(Debug)]
struct UnderWay<T: Clone> {
    id: u64,
    stamp: Stamp,
    flight: WeakShared<Pin<Box<dyn Future<Output = T> + Send>>>,
}

/// How a call came to its flight.
pub(super) enum Boarded<T: Clone, F> {
    /// It began one.
    First(Flight<T>),
    /// It joined one.
    Joined(Flight<T>),
    /// There was no need: somebody has just brought it.
    Landed(F),
}

impl<T: Clone> Default for Flights<T> {
    fn default() -> Self {
        Self { shards: Default::default(), next: AtomicU64::default(), waiting: AtomicUsize::default() }
    }
}

impl<T: Clone + Send + Sync + 'static> Flights<T> {
    /// Joins the flight to `place`, unless what it will bring is stale already; otherwise looks once more whether it has `landed`, and
    /// then begins one with `load`.
    pub(super) fn board<F, L: Future<Output = T> + Send + 'static>(
        self: &Arc<Self>,
        place: Place,
        generations: &Generations,
        stamp: &Stamp,
        landed: impl FnOnce() -> Option<F>,
        load: impl FnOnce() -> L,
    ) -> Boarded<T, F> {
        let mut shard = self.shard(&place);
        if let Some(under_way) = shard.get(&place).filter(|under_way| generations.is_current(&under_way.stamp))
            && let Some(flight) = under_way.flight.upgrade()
        {
            return Boarded::Joined(flight);
        }
        // A load is kept before its flight ends, so whoever finds neither a flight nor a copy is the first.
        if let Some(found) = landed() {
            return Boarded::Landed(found);
        }
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let end = End { flights: self.clone(), place, id };
        let load = load();
        let load = async move {
            let _end = end;
            load.await
        };
        let flight = load.boxed().shared();
        let weak = flight.downgrade().expect("it has not been polled, so it is not done");
        shard.insert(place, UnderWay { id, stamp: stamp.clone(), flight: weak });
        Boarded::First(flight)
    }

    /// A seat for one who waits, unless `most` are taken.
    pub(super) fn seat(&self, most: usize) -> Option<Seat<'_>> {
        let free = |count: usize| (count < most).then_some(count + 1);
        self.waiting.try_update(Ordering::AcqRel, Ordering::Acquire, free).ok().map(|_| Seat(&self.waiting))
    }

    /// How many wait.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }
}

impl<T: Clone> Flights<T> {
    fn shard(&self, place: &Place) -> MutexGuard<'_, HashMap<Place, UnderWay<T>>> {
        // Whatever panicked while it held the lock left the map whole: each use is one operation.
        self.shards[usize::from(place.0.0[0]) % SHARDS].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes the flight off the board when its load is done or dropped.
struct End<T: Clone> {
    flights: Arc<Flights<T>>,
    place: Place,
    id: u64,
}

impl<T: Clone> Drop for End<T> {
    fn drop(&mut self) {
        let mut shard = self.flights.shard(&self.place);
        // Its place may be another's by now: one that began after a change.
        if shard.get(&self.place).is_some_and(|under_way| under_way.id == self.id) {
            shard.remove(&self.place);
        }
    }
}

/// Somebody waits, until this is dropped.
pub(super) struct Seat<'a>(&'a AtomicUsize);

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}
