//! What an operator writes about a database and what uses it.

use std::path::PathBuf;

use callgate_config::{Mapping, Secret, Size, Span};
use schemars::JsonSchema;
use serde::Deserialize;

use super::session;

/// A database.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where it is: `sqlite:PATH`, relative to the configuration's folder, or `postgres://user:password@host/database`; with
    /// `?sslmode=require` or `verify-full` the connection is encrypted and the server's certificate checked.
    pub url: Secret<String>,
    /// A folder of `NAME.sql` files that are run in the order of their names, each once. `NAME.sqlite.sql` and
    /// `NAME.postgres.sql` run on that engine only.
    pub migrations: Option<PathBuf>,
    /// When migrations run. Default: `by_command`, that is `callgate migrate`.
    #[serde(default)]
    pub migrate: Migrate,
    /// The connections.
    #[serde(default)]
    pub pool: Pool,
    /// What each transaction begins with, for row-level security. PostgreSQL only.
    pub session: Option<session::Config>,
}

/// When migrations run.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Migrate {
    /// Whenever the gate starts, before anything is checked against the database.
    AtStart,
    /// Only when told: `callgate migrate`.
    #[default]
    ByCommand,
}

/// How many connections there are and how long they live.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Pool {
    /// The greatest number of connections. SQLite has one more, for writes. Default: 8.
    #[schemars(range(min = 1, max = 1000))]
    pub size: u32,
    /// How long a call waits for a connection before it is refused as overloaded. Default: 1s.
    pub wait: Span,
    /// A connection that was not used for this long is closed, or checked before its next use. Default: 5m.
    pub idle: Span,
    /// A connection older than this is replaced. Default: 30m.
    pub lifetime: Span,
}

impl Default for Pool {
    fn default() -> Self {
        let minutes = |minutes: u64| Span(std::time::Duration::from_secs(minutes * 60));
        Self { size: 8, wait: Span(std::time::Duration::from_secs(1)), idle: minutes(5), lifetime: minutes(30) }
    }
}

/// A tool over a database.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tool {
    /// One statement. Parameters are written `:name` and are bound, never spliced in. `x IN (:list)` takes a list;
    /// `FROM :items AS i` takes a list of objects as a table. `:caller.id`, `:caller.tenant`, `:caller.proof`, `:caller.roles`,
    /// `:caller.scopes` and `:caller.claims.NAME` are who was recognised, whatever the arguments are; a claim that is not there is NULL.
    pub sql: Option<String>,
    /// Several statements in one transaction, for `write` and `destroy`. The last one that returns rows is the reply.
    pub steps: Option<Vec<Step>>,
    /// What the reply is.
    pub returns: Returns,
    /// `returns: one` without a row: the sentence the caller reads. Say what to do next.
    pub missing: Option<String>,
    /// The greatest number of rows in one reply of `returns: many`. Default: 100. A read goes on with `after`, which counts rows: end
    /// ORDER BY in something unique. Rows that come or go between two calls can still make one be shown twice or left out.
    #[schemars(range(min = 1, max = 10000))]
    pub rows: Option<u32>,
    /// The greatest size of a reply. Default: 256KiB.
    pub bytes: Option<Size>,
    /// More queries whose results become members of the reply, for `returns: one`.
    #[serde(default)]
    pub nest: Mapping<Nest>,
    /// Parameters that the gate makes for each call.
    #[serde(default)]
    pub generate: Mapping<Generate>,
}

/// One statement of several.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The statement.
    pub sql: String,
    /// What must come of it; otherwise everything is rolled back and the call is refused. For statements without rows, `rows`
    /// means that something was changed.
    pub expect: Option<Expect>,
    /// The sentence the caller reads when it does not. With `expect: none`, `{column}` stands for a value of the first row.
    pub otherwise: Option<String>,
}

/// What must come of a statement.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Expect {
    /// At least one row.
    Rows,
    /// No row.
    None,
}

/// What a reply is made of.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Returns {
    /// The first row, as an object.
    One,
    /// All rows, up to the caps: `{ rows: […] }`, with `notice` and `after` if there are more.
    #[default]
    Many,
    /// `{ count: n }`: the one number of a query such as `SELECT count(*) …`, or how many rows were changed.
    Count,
}

/// A query whose result becomes a member of the reply.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Nest {
    /// The query; it has the tool's parameters.
    pub sql: String,
    /// A boolean parameter: the query runs only when it is true. Default: always.
    pub when: Option<String>,
    /// `many` gives a list (the default), `one` an object or null, `count` a number.
    #[serde(default)]
    pub returns: Returns,
    /// The greatest number of rows. Default: 100.
    #[schemars(range(min = 1, max = 10000))]
    pub rows: Option<u32>,
}

/// A parameter that the gate makes.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Generate {
    /// A fresh id: this prefix and 20 random characters of a-z and 0-9.
    Id(String),
    /// The present moment.
    Now(Moment),
}

/// How a moment is written.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Moment {
    /// `2026-07-28T12:00:00Z`.
    Rfc3339,
}

/// A resource, or family of resources, over a database.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Resource {
    /// One reading statement. A template's variables are its parameters, as texts.
    pub sql: Option<String>,
    /// The description of the table named by the template's one variable, read from the live database.
    #[serde(default)]
    pub schema: bool,
    /// What the resource is made of. Default: `many`.
    pub returns: Option<Returns>,
    /// The greatest number of rows. Default: 100.
    #[schemars(range(min = 1, max = 10000))]
    pub rows: Option<u32>,
    /// The greatest size. Default: 256KiB.
    pub bytes: Option<Size>,
}

/// Proposals for an argument from a query.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Completion {
    /// One reading statement; its first column is proposed. `:value` is what has been typed so far.
    pub sql: String,
}
