//! What an operator may write about the column: under `calls`, and in the sections of the layers that have one of their own.

use callgate_config::Span;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{audit, bulkhead, cache, rate_limit, validate};

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
    /// How long a backend may take to say whether it is ready; default `2s`. One that takes longer is not.
    pub probe: Span,
    /// How many calls may run at once.
    pub bulkhead: bulkhead::Config,
    /// Bounds on the schemas that arguments are checked against.
    pub validate: validate::Config,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            deadline: Span::seconds(5),
            settle: Span::millis(250),
            probe: Span::seconds(2),
            bulkhead: bulkhead::Config::default(),
            validate: validate::Config::default(),
        }
    }
}
