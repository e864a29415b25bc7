//! What an operator may write under `calls.bulkhead`.

use callgate_config::Span;
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
    /// How many more calls may wait for a place, at each tool and each backend; default 256. More are refused at once.
    pub waiting: usize,
    /// How long a call may wait for a place; default `1s`, and never longer than its deadline.
    pub wait: Span,
}

impl Default for Config {
    fn default() -> Self {
        Self { tool: 64, backend: 128, waiting: 256, wait: Span::seconds(1) }
    }
}
