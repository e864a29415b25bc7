//! The judgements of the last while, counted by source in a ring of buckets. A bucket leaves the window as a whole, so the window is
//! up to a tenth shorter than it says. To count one is a few increments, whatever is in the window.

use std::time::Duration;

use tokio::time::Instant;

use super::{Verdict, source::Source};

const BUCKETS: usize = 10;

/// How many attempts ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) all: u32,
    /// The backend was away.
    pub(super) bad: u32,
    /// No word came of it in time.
    pub(super) silent: u32,
    /// It was slow, or gave the work up.
    pub(super) slow: u32,
}

/// A tally for each source.
type Tallies = [Tally; Source::COUNT];

const NONE: Tallies = [Tally { all: 0, bad: 0, silent: 0, slow: 0 }; Source::COUNT];

/// The tallies of the last while.
#[derive(Debug)]
pub(super) struct Window {
    begun: Instant,
    bucket: Duration,
    ring: Box<[Tallies; BUCKETS]>,
    /// Over all buckets.
    sums: Tallies,
    /// Over all sources as well.
    total: Tally,
    /// The number of the bucket that is being filled, counted from the beginning.
    latest: u128,
}

impl Window {
    pub(super) fn new(span: Duration, now: Instant) -> Self {
        let bucket = (span / 10).max(Duration::from_millis(1));
        Self { begun: now, bucket, ring: Box::new([NONE; BUCKETS]), sums: NONE, total: Tally::default(), latest: 0 }
    }

    /// Counts one attempt that ended just now.
    pub(super) fn add(&mut self, verdict: Verdict, source: Source, now: Instant) {
        let number = now.saturating_duration_since(self.begun).as_nanos() / self.bucket.as_nanos();
        let passed = number.saturating_sub(self.latest).min(BUCKETS as u128);
        for step in 1..=passed {
            self.forget(place(self.latest + step));
        }
        self.latest = self.latest.max(number);
        let one = Tally::of(verdict);
        for tally in [&mut self.ring[place(self.latest)][source.place()], &mut self.sums[source.place()], &mut self.total] {
            *tally = tally.with(one, u32::saturating_add);
        }
    }

    /// What there is in the window.
    pub(super) fn total(&self) -> Tally {
        self.total
    }

    /// The same without the source of which most was slow or silent.
    pub(super) fn rest(&self) -> Tally {
        let worst = self.sums.iter().max_by_key(|tally| tally.slow.saturating_add(tally.silent));
        worst.map_or(self.total, |worst| self.total.with(*worst, u32::saturating_sub))
    }

    /// The bucket in this place gives way to a new one.
    fn forget(&mut self, place: usize) {
        for (sum, old) in self.sums.iter_mut().zip(std::mem::replace(&mut self.ring[place], NONE)) {
            *sum = sum.with(old, u32::saturating_sub);
            self.total = self.total.with(old, u32::saturating_sub);
        }
    }
}

impl Tally {
    fn of(verdict: Verdict) -> Self {
        let is = |other| u32::from(verdict == other);
        Self { all: 1, bad: is(Verdict::Bad), silent: is(Verdict::Silent), slow: is(Verdict::Slow) }
    }

    /// Each number with the other's.
    fn with(self, other: Self, each: fn(u32, u32) -> u32) -> Self {
        let Self { all, bad, silent, slow } = other;
        Self { all: each(self.all, all), bad: each(self.bad, bad), silent: each(self.silent, silent), slow: each(self.slow, slow) }
    }
}

fn place(number: u128) -> usize {
    usize::try_from(number % BUCKETS as u128).expect("a remainder is smaller than its divisor")
}
