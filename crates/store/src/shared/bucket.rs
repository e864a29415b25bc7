//! One counter in memory. `governor` decides; what is kept here is its state, so that a call can be given back, and a member's
//! part can change with the number of members.

use std::{
    cell::Cell,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use governor::{
    Quota, RateLimiter,
    clock::Clock,
    middleware::NoOpMiddleware,
    nanos::Nanos,
    state::{NotKeyed, StateStore},
};

use super::Rate;

/// What is known about one counter.
#[derive(Debug, Default)]
pub(super) struct Bucket {
    /// The moment at which all calls that were taken are worked off, in nanoseconds since the beginning (GCRA's "theoretical
    /// arrival time").
    until: AtomicU64,
    /// For a member: the last window in which it was counted, plus one.
    seen: AtomicU64,
    /// For a limit that members share: the current window (upper half), and how many were counted in the one before (next
    /// quarter) and in this one (last quarter).
    crowd: AtomicU64,
}

impl Bucket {
    /// Takes a call; otherwise says how long to wait.
    pub(super) fn take(&self, rate: Rate, now: Duration) -> Result<(), Duration> {
        let quota = Quota::with_period(rate.every()).expect("a rate's period is not zero").allow_burst(rate.burst());
        let moment = Moment { begun: Cell::new(false), now: Nanos::from(now) };
        let limiter = RateLimiter::<_, _, _, NoOpMiddleware<Nanos>>::new(quota, self, moment);
        limiter.check().map_err(|not_until| not_until.wait_time_from(Nanos::from(now)))
    }

    /// Takes a call that somebody else has allowed, even if there is none left.
    pub(super) fn charge(&self, rate: Rate, now: Duration) {
        let add = |until: u64| Some(until.max(nanos(now)).saturating_add(nanos(rate.every())));
        let _ = self.until.try_update(Ordering::AcqRel, Ordering::Acquire, add);
    }

    /// Gives a call back that was taken at this rate.
    pub(super) fn give_back(&self, rate: Rate) {
        let less = |until: u64| Some(until.saturating_sub(nanos(rate.every())));
        let _ = self.until.try_update(Ordering::AcqRel, Ordering::Acquire, less);
    }

    /// How many members share this limit, `member` being one of them.
    pub(super) fn crowd(&self, member: &Self, rate: Rate, now: Duration) -> u32 {
        let window = u64::try_from(now.as_nanos() / rate.window().as_nanos()).unwrap_or(u64::MAX) & u64::from(u32::MAX);
        let is_new = member.seen.swap(window + 1, Ordering::AcqRel) != window + 1;
        if is_new {
            let _ = self.crowd.try_update(Ordering::AcqRel, Ordering::Acquire, |crowd| Some(Crowd::of(crowd).at(window).joined().packed()));
        }
        let Crowd { before, now, .. } = Crowd::of(self.crowd.load(Ordering::Acquire)).at(window);
        u32::from(before.max(now)).max(1)
    }
}

/// How many members were counted.
#[derive(Clone, Copy)]
struct Crowd {
    window: u64,
    before: u16,
    now: u16,
}

impl Crowd {
    fn of(packed: u64) -> Self {
        let part = |shift: u32| u16::try_from(packed >> shift & 0xffff).expect("sixteen bits fit");
        Self { window: packed >> 32, before: part(16), now: part(0) }
    }

    fn packed(self) -> u64 {
        self.window << 32 | u64::from(self.before) << 16 | u64::from(self.now)
    }

    /// The same as seen from `window`.
    fn at(self, window: u64) -> Self {
        match window.checked_sub(self.window) {
            // Somebody else has seen the next window already.
            None | Some(0) => self,
            Some(1) => Self { window, before: self.now, now: 0 },
            Some(_) => Self { window, before: 0, now: 0 },
        }
    }

    fn joined(self) -> Self {
        Self { now: self.now.saturating_add(1), ..self }
    }
}

/// The moment of one decision. A limiter looks at its clock once when it is made, which is its beginning of time, and once for each
/// decision; all limiters here begin at the same time.
struct Moment {
    begun: Cell<bool>,
    now: Nanos,
}

impl Clock for Moment {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        if self.begun.replace(true) { self.now } else { self.now.saturating_sub(self.now) }
    }
}

impl Clone for Moment {
    fn clone(&self) -> Self {
        Self { begun: self.begun.clone(), now: self.now }
    }
}

impl StateStore for &Bucket {
    type Key = NotKeyed;

    fn measure_and_replace<T, F, E>(&self, _: &NotKeyed, decide: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let mut until = self.until.load(Ordering::Acquire);
        loop {
            let (decided, next) = decide((until > 0).then(|| until.into()))?;
            match self.until.compare_exchange_weak(until, next.into(), Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return Ok(decided),
                Err(other) => until = other,
            }
        }
    }
}

fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}
