//! What an operator may write under `cache`.

use callgate_config::{Secret, Size};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de::Error as _};

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
    /// Keeps replies in what replicas share (`shared.url`) too, encrypted with a key made of this secret: at least 32 characters, the same
    /// in all replicas. Without it each replica keeps replies for itself; what is made stale is told to all in any case.
    #[serde(deserialize_with = "long")]
    pub secret: Option<Secret>,
}

/// What is shorter can be guessed by whoever reads what it encrypts.
const SHORTEST_SECRET: usize = 32;

fn long<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Secret>, D::Error> {
    let secret = Option::<Secret>::deserialize(deserializer)?;
    match secret.as_ref().map(|secret| secret.expose().chars().count()) {
        Some(length) if length < SHORTEST_SECRET => {
            Err(D::Error::custom(format_args!("a secret has at least {SHORTEST_SECRET} characters, this one has {length}")))
        }
        _ => Ok(secret),
    }
}

impl Default for Config {
    fn default() -> Self {
        Self { memory: Size::mib(64), largest: Size::kib(256), waiting: 10_000, secret: None }
    }
}
