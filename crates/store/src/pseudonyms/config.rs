//! What an operator may write under `audit.pseudonyms`.

use schemars::JsonSchema;
use serde::Deserialize;

/// With it (`pseudonyms: {}`), records bear a random pseudonym in place of the caller, and a table beside them says whose it is, so that
/// `callgate audit forget` can make a caller's records name nobody while they still verify. Not for `store.kind: memory`.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// How many callers' pseudonyms the gate remembers, about 200 bytes each; default 10000. Beyond that it begins anew and looks them
    /// up in the store, once per batch of records.
    #[schemars(range(min = 1))]
    pub remember: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self { remember: 10_000 }
    }
}
