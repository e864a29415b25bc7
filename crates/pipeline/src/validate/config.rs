//! What an operator may write under `calls.validate`.

use callgate_config::Size;
use schemars::JsonSchema;
use serde::Deserialize;

/// Bounds on the schemas that arguments are checked against.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// How long the input schema of a tool may be; default `256KiB`. A longer one is refused when the gate opens.
    pub schema: Size,
    /// How much memory one compiled pattern may take; default `1MiB`. A pattern that takes more is refused.
    pub pattern: Size,
}

impl Default for Config {
    fn default() -> Self {
        Self { schema: Size::kib(256), pattern: Size::mib(1) }
    }
}
