//! What an operator may write about the column: under `calls`, and in the sections of the layers that have one of their own.

use std::collections::HashMap;

use callgate_config::{Mapping, Problems, Section, Span};
use callgate_model::BackendName;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{audit, authorize, bulkhead, cache, circuit_breaker, fallback, rate_limit, retry, validate};

/// All sections of the column.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// What stands under `calls`.
    pub calls: Config,
    /// What stands under `audit`.
    pub audit: audit::Config,
    /// What stands under `cache`.
    pub cache: cache::Config,
    /// What stands under `quotas`.
    pub quotas: rate_limit::Config,
    /// What stands under `shared`: what is opened from it is one of the gate's parts.
    pub shared: callgate_store::shared::Config,
    /// A digest of what is declared about each backend: one that is declared in another way than before is another backend. Without
    /// one, a backend is known by its name.
    pub declared: HashMap<BackendName, [u8; 32]>,
}

/// How calls are let through: how long they may take and how many may run at once.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// How long a call may take, from its first byte to its reply; default `5s`. A tool may say otherwise.
    pub deadline: Span,
    /// The last part of a write's time, default `250ms`, in which it only comes to a known end: the backend is told to be done
    /// before it, and what is left goes to rolling back, or to learning that the commit went through and putting it on record.
    /// Never more than a tenth of the deadline.
    pub settle: Span,
    /// How many calls may be under way at once, in all, running or waiting; default 2048. More are refused before any work is done for
    /// them, and told to come back in a second.
    #[schemars(range(min = 1))]
    pub most: usize,
    /// How many lines of the log the failures of one tool may take in ten seconds, for each kind of failure; default 10. What comes beyond
    /// is counted, and the count has one line. Every call is on record and in the metrics.
    #[schemars(range(min = 1))]
    pub logged: u32,
    /// How long a backend may take to say whether it is ready; default `2s`. One that takes longer is not.
    pub probe: Span,
    /// For how long what the backends said to that is told again, however many ask; default `1s`. `0s`: everyone who asks has them asked.
    pub probe_every: Span,
    /// How decisions about callers are kept.
    pub authorize: authorize::Config,
    /// How many calls may run at once.
    pub bulkhead: bulkhead::Config,
    /// When a backend is taken for down, and its calls are refused at once.
    pub breaker: circuit_breaker::Config,
    /// How often a call that did not reach its backend is tried again.
    pub retry: retry::Config,
    /// What is kept for tools with a `fallback`.
    pub fallback: fallback::Config,
    /// What is different for one backend, by its name.
    pub backends: Mapping<BackendConfig>,
    /// Bounds on the schemas that arguments are checked against.
    pub validate: validate::Config,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            deadline: Span::seconds(5),
            settle: Span::millis(250),
            most: 2048,
            logged: 10,
            probe: Span::seconds(2),
            probe_every: Span::seconds(1),
            authorize: authorize::Config::default(),
            bulkhead: bulkhead::Config::default(),
            breaker: circuit_breaker::Config::default(),
            retry: retry::Config::default(),
            fallback: fallback::Config::default(),
            backends: Mapping::default(),
            validate: validate::Config::default(),
        }
    }
}

/// What is different for one backend. Where it says nothing, what stands under `calls` holds.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct BackendConfig {
    /// When it is taken for down.
    pub breaker: circuit_breaker::Config,
    /// How many calls may run at once.
    pub bulkhead: bulkhead::BackendPlaces,
    /// How often a call that did not reach it is tried again.
    pub retry: retry::Config,
}

impl Config {
    /// What no schema can say: bounds within which nothing could be answered, and names that are none of `backends`. `section` is where
    /// `calls` stands.
    pub fn check(&self, section: &Section, backends: &[String], problems: &mut Problems) {
        section.at_least(&[("/deadline", self.deadline, Span::millis(10)), ("/probe", self.probe, Span::millis(10))], problems);
        self.breaker.check(section, "/breaker", problems);
        self.retry.check(section, "/retry", problems);
        for (name, own) in self.backends.iter() {
            own.breaker.check(section, &format!("/backends/{name}/breaker"), problems);
            own.retry.check(section, &format!("/backends/{name}/retry"), problems);
            if !backends.contains(name) {
                let known: Vec<_> = backends.iter().map(|own| format!("`{own}`")).collect();
                let problem = section.key_problem(&format!("/backends/{name}"), format!("there is no backend `{name}`"));
                problems.push(problem.help(format!("the backends here are {}", known.join(", "))));
            }
        }
    }
}
