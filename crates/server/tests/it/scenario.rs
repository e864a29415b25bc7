//! What stands in a scenario file: a configuration, steps, and what each step gives.

use std::{collections::BTreeMap, path::Path};

use anyhow::Context as _;
use serde::Deserialize;
use serde_json::{Map, Value};

/// One file of `tests/scenarios`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Scenario {
    /// On which databases it is played; both unless it says otherwise.
    #[serde(default = "Engine::both")]
    pub(crate) engines: Vec<Engine>,
    /// The files of the configuration. `${DATABASE}` is the database's URL.
    pub(crate) files: BTreeMap<String, String>,
    /// What is done, in order.
    pub(crate) steps: Vec<Step>,
}

/// A database engine.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

impl Engine {
    fn both() -> Vec<Self> {
        vec![Self::Sqlite, Self::Postgres]
    }
}

/// One request and what comes of it. `{name}` in what is sent stands for a value that an earlier step kept.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Step {
    /// A tool to call.
    pub(crate) call: Option<String>,
    /// The tool's arguments.
    pub(crate) arguments: Map<String, Value>,
    /// Any other method to send.
    pub(crate) send: Option<String>,
    /// The method's parameters.
    pub(crate) params: Map<String, Value>,
    /// A path to `GET` instead.
    pub(crate) get: Option<String>,
    /// The revision that is spoken; 2026-07-28 unless it says otherwise.
    pub(crate) revision: Option<String>,
    /// Headers to send besides.
    pub(crate) headers: BTreeMap<String, String>,
    /// The HTTP status; 200 unless it says otherwise.
    pub(crate) status: Option<u16>,
    /// What the result contains.
    pub(crate) gives: Option<Value>,
    /// What the error contains.
    pub(crate) fails: Option<Value>,
    /// What the body of a `GET` contains, line by line.
    pub(crate) text: Vec<String>,
    /// Values of the result to keep, by name and JSON pointer.
    pub(crate) keep: BTreeMap<String, String>,
}

impl Scenario {
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path)?;
        serde_saphyr::from_str(&text).with_context(|| format!("{} is no scenario", path.display()))
    }
}
