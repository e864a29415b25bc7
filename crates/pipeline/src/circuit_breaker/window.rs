//! The judgements of the last while, counted in a ring of buckets. A bucket leaves the window as a whole, so the window is up to a
//! tenth shorter than it says.

use std::time::Duration;

use tokio::time::Instant;

const BUCKETS: usize = 10;

/// How many attempts ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) all: u32,
    pub(super) bad: u32,
    /// Slow ones and bad ones.
    pub(super) slow: u32,
}

/// The tallies of the last while.
#[derive(Debug)]
pub(super) struct Window {
    begun: Instant,
    bucket: Duration,
    ring: [Tally; BUCKETS],
    /// The number of the bucket that is being filled, counted from the beginning.
    latest: u128,
}

impl Window {
    pub(super) fn new(span: Duration, now: Instant) -> Self {
        let bucket = (span / 10).max(Duration::from_millis(1));
        Self { begun: now, bucket, ring: [Tally::default(); BUCKETS], latest: 0 }
    }

    /// Counts one attempt that ended just now; what there is in the window with it.
    pub(super) fn add(&mut self, one: Tally, now: Instant) -> Tally {
        let number = now.saturating_duration_since(self.begun).as_nanos() / self.bucket.as_nanos();
        let passed = number.saturating_sub(self.latest).min(BUCKETS as u128);
        for step in 1..=passed {
            // The oldest buckets give way to new ones.
            self.ring[place(self.latest + step)] = Tally::default();
        }
        if passed == BUCKETS as u128 {
            self.ring = [Tally::default(); BUCKETS];
        }
        self.latest = self.latest.max(number);
        let filling = &mut self.ring[place(self.latest)];
        *filling = filling.plus(one);
        self.ring.iter().fold(Tally::default(), |sum, bucket| sum.plus(*bucket))
    }
}

impl Tally {
    fn plus(self, other: Self) -> Self {
        let Self { all, bad, slow } = other;
        Self { all: self.all.saturating_add(all), bad: self.bad.saturating_add(bad), slow: self.slow.saturating_add(slow) }
    }
}

fn place(number: u128) -> usize {
    usize::try_from(number % BUCKETS as u128).expect("a remainder is smaller than its divisor")
}
