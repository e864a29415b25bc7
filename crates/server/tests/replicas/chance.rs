//! Randomness that can be had again.

use std::hash::{BuildHasher as _, RandomState};

/// Random numbers from a seed. Whoever makes one prints it, so that a failure can be looked at: `CALLGATE_TEST_SEED` gives the same again.
pub(crate) struct Chance(u64);

impl Chance {
    #[expect(clippy::disallowed_methods, reason = "who repeats a run says its seed in the environment")]
    pub(crate) fn new() -> Self {
        let told = std::env::var("CALLGATE_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
        let seed = told.unwrap_or_else(|| RandomState::new().hash_one(0) >> 16);
        println!("CALLGATE_TEST_SEED={seed}");
        Self(seed | 1)
    }

    /// Another one, which depends on this one alone.
    pub(crate) fn child(&mut self) -> Self {
        Self(self.below(u64::MAX >> 11) | 1)
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % end
    }
}
