//! What an operator may write under `cache`.

use callgate_config::Size;
use schemars::JsonSchema;
use serde::Deserialize;

/// How replies of tools with `cache` are kept. What is kept, for how long and for whom, each tool says for itself.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// How much memory kept replies may take in this process; default `64MiB`. Those that are asked for least make room.
    pub memory: Size,
    /// Replies larger than this are not kept; default `256KiB`.
    pub largest: Size,
    /// How many calls may wait for replies that other calls are already fetching; default 10000. More are refused at once.
    #[schemars(range(min = 1))]
    pub waiting: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self { memory: Size::mib(64), largest: Size::kib(256), waiting: 10_000 }
    }
}
