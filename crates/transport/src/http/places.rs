//! All places of a gate, and whom each is for. A place that is not in this table does not exist.

use super::challenge::METADATA;

/// One place.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) path: &'static str,
    pub(super) door: Door,
}

/// Whom a place is for, and what they find there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Door {
    /// MCP, for those who are recognised.
    Endpoint,
    /// A page for those of them who run the gate.
    Operators(Page),
    /// A page for everyone, also for those who do not say who they are.
    Anyone(Page),
}

/// What the gate says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Page {
    Live,
    Ready,
    Metrics,
    Metadata,
}

/// The table. What is asked for most stands first.
pub(super) const PLACES: [Place; 6] = [
    Place { path: "/mcp", door: Door::Endpoint },
    // Whoever keeps the process running has no token, and learns one bit.
    Place { path: "/health/live", door: Door::Anyone(Page::Live) },
    Place { path: "/health/ready", door: Door::Anyone(Page::Ready) },
    Place { path: "/metrics", door: Door::Operators(Page::Metrics) },
    // They say how to be recognised.
    Place { path: METADATA[0], door: Door::Anyone(Page::Metadata) },
    Place { path: METADATA[1], door: Door::Anyone(Page::Metadata) },
];

impl Place {
    /// The place at this path.
    pub(super) fn at(path: &str) -> Option<&'static Self> {
        PLACES.iter().find(|place| place.path == path)
    }
}
