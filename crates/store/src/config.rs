//! What an operator may write under `store`.

use std::path::PathBuf;

use callgate_config::{Size, Span};
use schemars::JsonSchema;
use serde::Deserialize;

/// Where the gate keeps its own state: the audit log.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// `sqlite` (default) is a file on this machine; `memory` keeps the last records and loses them when the process ends.
    pub kind: Name,
    /// The SQLite file; default `data/callgate.db`. It is made if it is missing, with its folder, readable by its owner only.
    pub path: PathBuf,
    /// How long the record of a read may wait for others before they are written together; default `20ms`. A record of a write
    /// never waits. A longer time costs less per call; a power cut may lose the reads of this time, and writes never.
    pub linger: Span,
    /// How long the file's write-ahead log may become before it is folded into the file; default `8MiB`.
    pub wal: Size,
    /// Only for `memory`: how many records are kept; default 10000. Older ones are forgotten.
    pub records: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self { kind: Name::Sqlite, path: "data/callgate.db".into(), linger: Span::millis(20), wal: Size::mib(8), records: 10_000 }
    }
}

/// The kinds of store by name.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Name {
    /// A SQLite file.
    #[default]
    Sqlite,
    /// Nothing but memory.
    Memory,
}
