//! How many calls there may be.

use std::{
    num::{NonZeroU32, NonZeroU64},
    time::Duration,
};

/// So many calls in so much time, evenly spread, of which so many may come at once (GCRA).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rate {
    /// The time that one call takes up, in nanoseconds.
    every: NonZeroU64,
    burst: NonZeroU32,
    per: Duration,
}

/// No rate is higher: above it, the clock of the server that counts is too coarse.
const SHORTEST: u64 = 10_000;

impl Rate {
    /// `count` calls per `per`, of which `burst` may come at once; `None` if that is more than 100,000 a second, or less than one
    /// in 30 days.
    #[must_use]
    pub fn new(count: NonZeroU32, per: Duration, burst: NonZeroU32) -> Option<Self> {
        const LONGEST: u64 = 30 * 86_400 * 1_000_000_000;
        let every = u64::try_from(per.as_nanos()).ok()? / u64::from(count.get());
        (SHORTEST..=LONGEST).contains(&every).then_some(())?;
        // With as many at once as fit into a year, nothing here overflows.
        let most = u32::try_from(12 * LONGEST / every).unwrap_or(u32::MAX);
        let burst = burst.min(NonZeroU32::new(most)?);
        Some(Self { every: NonZeroU64::new(every)?, burst, per })
    }

    /// What is left of it for each of `parts` that share it evenly.
    #[must_use]
    pub fn split(self, parts: u32) -> Self {
        let parts = NonZeroU32::new(parts).unwrap_or(NonZeroU32::MIN);
        let burst = NonZeroU32::new(self.burst.get() / parts).unwrap_or(NonZeroU32::MIN);
        Self { every: self.every.saturating_mul(parts.into()), burst, ..self }
    }

    /// The time that one call takes up.
    #[must_use]
    pub fn every(self) -> Duration {
        Duration::from_nanos(self.every.get())
    }

    /// How many may come at once.
    #[must_use]
    pub fn burst(self) -> NonZeroU32 {
        self.burst
    }

    /// For how long one who has called counts as one who shares.
    pub(super) fn window(self) -> Duration {
        self.per.clamp(Duration::from_secs(1), Duration::from_secs(60))
    }
}
