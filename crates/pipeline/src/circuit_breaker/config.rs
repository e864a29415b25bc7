//! What an operator may write under `calls.breaker` and, for one backend, under `calls.backends.NAME.breaker`.

use std::time::Duration;

use callgate_config::{Percent, Problems, Section, Span};
use schemars::JsonSchema;
use serde::Deserialize;

/// When calls of a backend that is down are refused at once, and when it is tried again. A backend's own section says only what is
/// different from `calls.breaker`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Over how long attempts are counted; default `10s`, at least `10ms`.
    pub window: Option<Span>,
    /// Which part of the attempts must have found the backend away, or silent until the deadline, for it to count as down; default
    /// `50%`. What a tool itself refuses or reports as an error is no failure. Silence counts only if it is not met by one tenant alone
    /// (in a gate with one tenant: by one tool alone) while others are answered.
    pub failures: Option<Percent>,
    /// The same for attempts that are answered, but slowly, and for those that a database gave up itself when the time was over.
    pub slow: Slow,
    /// How many attempts there must be in the window before anything is decided; default 20. With a number that is never reached,
    /// the backend is never taken for down.
    #[schemars(range(min = 1))]
    pub least: Option<u32>,
    /// How long calls are refused before the backend is tried again; default `1s`, at least `10ms`. It doubles each time the backend is still down.
    pub open: Option<Span>,
    /// The longest it doubles to; default `5s`.
    pub longest: Option<Span>,
    /// How many calls are let through to try the backend; default 3. When all of them have ended well, all calls pass again.
    #[schemars(range(min = 1))]
    pub probes: Option<u32>,
}

/// When answers are too slow.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct Slow {
    /// From when on an attempt is slow; default `2s`. For a tool with a `deadline` of its own it is at least half of that.
    pub after: Option<Span>,
    /// Which part of the attempts must be slow or worse; default `80%`. One caller's slow calls do not take a backend away from the
    /// others: the tenant (in a gate with one tenant: the tool) with most of them is left out, and what is left must still be `least`
    /// attempts, so many of them slow.
    pub rate: Option<Percent>,
}

impl Config {
    /// What no schema can say; `at` is where it stands in `section`.
    pub(crate) fn check(&self, section: &Section, at: &str, problems: &mut Problems) {
        // Less than this is less than a backend that works may need to answer.
        let least = Span::millis(10);
        let given = [("window", self.window), ("open", self.open), ("longest", self.longest), ("slow/after", self.slow.after)];
        for (key, span) in given.into_iter().filter_map(|(key, span)| Some((key, span?))) {
            section.at_least(&[(format!("{at}/{key}").as_str(), span, least)], problems);
        }
    }
}

/// The same with nothing left open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Terms {
    pub(super) window: Duration,
    pub(super) failures: Percent,
    pub(crate) slow_after: Duration,
    pub(super) slow_rate: Percent,
    pub(super) least: u32,
    pub(super) open: Duration,
    pub(super) longest: Duration,
    pub(super) probes: u32,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            window: Duration::from_secs(10),
            failures: Percent::of(50),
            slow_after: Duration::from_secs(2),
            slow_rate: Percent::of(80),
            least: 20,
            open: Duration::from_secs(1),
            longest: Duration::from_secs(5),
            probes: 3,
        }
    }
}

impl Terms {
    /// These, but for what `config` says.
    pub(crate) fn with(&self, config: &Config) -> Self {
        let Config { window, failures, slow, least, open, longest, probes } = config;
        let open = open.map_or(self.open, Span::get);
        Self {
            window: window.map_or(self.window, Span::get),
            failures: failures.unwrap_or(self.failures),
            slow_after: slow.after.map_or(self.slow_after, Span::get),
            slow_rate: slow.rate.unwrap_or(self.slow_rate),
            least: least.unwrap_or(self.least),
            open,
            longest: longest.map_or(self.longest, Span::get).max(open),
            probes: probes.unwrap_or(self.probes),
        }
    }
}
