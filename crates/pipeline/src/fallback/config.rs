//! What an operator may write under `calls.fallback`. Which tools have one stands beside the tools.

use callgate_config::Size;
use schemars::JsonSchema;
use serde::Deserialize;

/// What is kept for tools whose `fallback` is `stale`.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// How much memory the last good answers may take, for all tools together; default `16MiB`.
    pub keep: Size,
}

impl Default for Config {
    fn default() -> Self {
        Self { keep: Size::mib(16) }
    }
}
