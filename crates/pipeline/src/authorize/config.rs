//! What an operator may write under `calls.authorize`.

use schemars::JsonSchema;
use serde::Deserialize;

/// How decisions about callers are kept.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// For how many callers the gate remembers what they may see; default 1024. Beyond it the least used are worked out again. Rules
    /// that read no more than roles and scopes are shared by all callers who have the same.
    #[schemars(range(min = 1))]
    pub callers: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self { callers: 1024 }
    }
}
