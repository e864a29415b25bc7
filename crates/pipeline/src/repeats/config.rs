//! What an operator may write under `quotas.repeats`.

use callgate_config::Span;
use schemars::JsonSchema;
use serde::Deserialize;

/// What is done about callers that make the same failing call again and again.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// So many failures of one call with the same arguments, by one caller, are enough; default 50. After them it is refused
    /// without being looked at. 0 lets callers repeat themselves for ever.
    pub after: u32,
    /// Within so much time; default `1m`. After this time the call is looked at again.
    pub within: Span,
    /// How many callers with failing calls are remembered; default 10000. Of each, the last 16 different calls.
    #[schemars(range(min = 1))]
    pub callers: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self { after: 50, within: Span::seconds(60), callers: 10_000 }
    }
}
