//! What an operator may write under `calls.retry` and, for one backend, under `calls.backends.NAME.retry`.

use std::time::Duration;

use callgate_config::{Percent, Problems, Section, Span};
use schemars::JsonSchema;
use serde::Deserialize;

/// How often a call that did not reach its backend is tried again. Only calls that read, or whose tool is `idempotent`, are. A
/// backend's own section says only what is different from `calls.retry`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// How many attempts a call gets in all; default 3. With 1, nothing is tried again.
    #[schemars(range(min = 1, max = 10))]
    pub attempts: Option<u32>,
    /// The longest wait before the second attempt; default `50ms`. It doubles with each further attempt, and how long is really
    /// waited is random, up to that.
    pub base: Option<Span>,
    /// What it doubles to at most; default `500ms`.
    pub cap: Option<Span>,
    /// How many further attempts a backend gets in all, as a part of its calls; default `20%`. Attempts that `hedge` adds count too.
    pub budget: Option<Percent>,
    /// How many further attempts may be made beyond that part, so that a failure after a quiet time is tried again; default 10.
    /// They are saved up again while calls need no second attempt.
    pub floor: Option<u32>,
}

impl Config {
    /// What no schema can say; `at` is where it stands in `section`.
    pub(crate) fn check(&self, section: &Section, at: &str, problems: &mut Problems) {
        for (key, span) in [("base", self.base), ("cap", self.cap)].into_iter().filter_map(|(key, span)| Some((key, span?))) {
            section.at_least(&[(format!("{at}/{key}").as_str(), span, Span::millis(1))], problems);
        }
    }
}

/// The same with nothing left open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Terms {
    pub(super) attempts: u32,
    pub(super) base: Duration,
    pub(super) cap: Duration,
    pub(super) budget: Percent,
    pub(super) floor: u32,
}

impl Default for Terms {
    fn default() -> Self {
        let (base, cap) = (Duration::from_millis(50), Duration::from_millis(500));
        Self { attempts: 3, base, cap, budget: Percent::of(20), floor: 10 }
    }
}

impl Terms {
    /// These, but for what `config` says.
    pub(super) fn with(self, config: &Config) -> Self {
        let Config { attempts, base, cap, budget, floor } = config;
        Self {
            attempts: attempts.unwrap_or(self.attempts),
            base: base.map_or(self.base, Span::get),
            cap: cap.map_or(self.cap, Span::get),
            budget: budget.unwrap_or(self.budget),
            floor: floor.unwrap_or(self.floor),
        }
    }

    /// The longest wait after so many attempts.
    pub(super) fn longest(&self, made: u32) -> Duration {
        self.base.saturating_mul(1 << made.saturating_sub(1).min(16)).min(self.cap)
    }
}
