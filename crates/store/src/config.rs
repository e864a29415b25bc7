//! What an operator may write under `store`.

use std::path::PathBuf;

use callgate_config::{Problems, Secret, Section, Size, Span};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::postgres;

/// Where the gate keeps its own state: the audit log.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// `sqlite` (default) is a file on this machine; `postgres` is a database that all replicas of a gate share; `memory` keeps the last records and loses them when the process ends.
    pub kind: Name,
    /// The SQLite file; default `data/callgate.db`. It is made if it is missing, with its folder, readable by its owner only.
    pub path: PathBuf,
    /// Only for `postgres`: the database, as `postgres://user:password@host:5432/name`, in UTF-8. With
    /// `?sslmode=require` it is encrypted and the certificate is checked, against the file in `sslrootcert` if there is one. What
    /// stands between must keep sessions: no pooler that shares connections between transactions.
    pub url: Option<Secret>,
    /// Only for `postgres`: how long it may take to connect; default `3s`.
    pub connect: Span,
    /// Only for `postgres`: how long one statement may take before it counts as failed; default `5s`.
    pub statement: Span,
    /// How long the record of a read may wait for others before they are written together; default `100ms`. A record of a write
    /// never waits. A longer time costs less per call; a power cut may lose the reads of this time, and writes never.
    pub linger: Span,
    /// How long the file's write-ahead log may become before it is folded into the file; default `8MiB`.
    pub wal: Size,
    /// Only for `memory`: how many records are kept; default 10000. Older ones are forgotten.
    pub records: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            kind: Name::Sqlite,
            path: "data/callgate.db".into(),
            url: None,
            connect: Span::seconds(3),
            statement: Span::seconds(5),
            linger: Span::millis(100),
            wal: Size::mib(8),
            records: 10_000,
        }
    }
}

impl Config {
    /// What no schema can say. `section` is where it stands. The URL may hold a password, so nothing here repeats it.
    pub fn check(&self, section: &Section, problems: &mut Problems) {
        const HELP: &str = "write `postgres://user:password@host:5432/name`, better from a file or the environment: `url: { file: … }`";
        section.at_least(&[("/connect", self.connect, Span::millis(10)), ("/statement", self.statement, Span::millis(10))], problems);
        section.at_least(&[("/wal", self.wal, Size::kib(64))], problems);
        match (self.kind, &self.url) {
            (Name::Postgres, None) => problems.push(section.problem("/kind", "`postgres` needs the `url` of a database").help(HELP)),
            (Name::Postgres, Some(_)) => {
                if let Err(why) = postgres::check(self) {
                    problems.push(section.problem("/url", why).help(HELP));
                }
            }
            (_, Some(_)) => problems.push(section.problem("/url", "is only for `kind: postgres`")),
            (_, None) => {}
        }
    }
}

/// The kinds of store by name.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Name {
    /// A SQLite file.
    #[default]
    Sqlite,
    /// A database on a PostgreSQL server.
    Postgres,
    /// Nothing but memory.
    Memory,
}
