//! What an operator may write under `calls.bulkhead` and, for one backend, under `calls.backends.NAME.bulkhead`.

use std::time::Duration;

use callgate_config::{Percent, Span};
use schemars::JsonSchema;
use serde::Deserialize;

/// How many calls may run at once, and how many may wait.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// How many calls of one tool may run at once; default 64. A tool may say otherwise (`concurrency`).
    #[schemars(range(min = 1))]
    pub tool: usize,
    /// How many calls may run at once on one backend; default 128.
    #[schemars(range(min = 1))]
    pub backend: usize,
    /// Which part of the places one tenant may have, at each tool and each backend; default `75%`, rounded up. The rest is free at once
    /// for others. Among tenants that wait, a free place goes to the one that has the fewest. A gate that serves only the machine's
    /// own user has one tenant, which may have all.
    pub tenant: Percent,
    /// How many more calls may wait for a place, at each tool and each backend. Default: as many as there are places, so that nobody
    /// waits much longer than one call takes. More are refused at once; where the waiting room is full of one tenant's calls, the
    /// last of them gives way to a call of a tenant that has fewer there.
    pub waiting: Option<usize>,
    /// How long a call may wait for a place; default `1s`, and never longer than its deadline. A call that would have to wait longer,
    /// by how long calls have taken lately, is refused at once.
    pub wait: Span,
}

impl Default for Config {
    fn default() -> Self {
        Self { tool: 64, backend: 128, tenant: Percent::of(75), waiting: None, wait: Span::seconds(1) }
    }
}

/// The places of one backend, where they are different from what `calls.bulkhead` says.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct BackendPlaces {
    /// How many calls may run at once.
    #[schemars(range(min = 1))]
    pub places: Option<usize>,
    /// Which part of the places one tenant may have.
    pub tenant: Option<Percent>,
    /// How many more calls may wait for a place.
    pub waiting: Option<usize>,
    /// How long a call may wait for a place.
    pub wait: Option<Span>,
}

/// The bounds of one room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bounds {
    pub(super) places: usize,
    pub(super) tenant: usize,
    pub(super) waiting: usize,
    pub(super) wait: Duration,
}

impl Bounds {
    /// The same with one tenant, which nobody has to share with.
    pub(super) fn unshared(self) -> Self {
        Self { tenant: self.places, ..self }
    }
}

impl Config {
    /// The bounds of a tool that says this about its `concurrency`.
    pub(super) fn of_tool(&self, concurrency: Option<usize>) -> Bounds {
        self.bounds(concurrency.unwrap_or(self.tool), &BackendPlaces::default())
    }

    /// The bounds of a backend that says this about itself.
    pub(super) fn of_backend(&self, own: &BackendPlaces) -> Bounds {
        self.bounds(own.places.unwrap_or(self.backend), own)
    }

    fn bounds(&self, places: usize, own: &BackendPlaces) -> Bounds {
        let places = places.max(1);
        let part = usize::from(own.tenant.unwrap_or(self.tenant).hundredths());
        Bounds {
            places,
            tenant: places.saturating_mul(part).div_ceil(100),
            waiting: own.waiting.or(self.waiting).unwrap_or(places),
            wait: own.wait.unwrap_or(self.wait).get(),
        }
    }
}
