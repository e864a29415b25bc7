//! SQL as text: what an operator wrote, cut into tokens, judged, and turned into the text an engine gets.
//!
//! It knows strings, quoted identifiers, comments, dollar quotes and casts, so that a `:` or `;` inside them means nothing. It
//! promises that a parameter is only ever replaced by a placeholder, never by a value. It is not a parser of SQL: what a statement
//! means is left to the engine, which prepares it before the gate opens.

mod guard;
mod items;
mod rewrite;
mod scan;

pub(super) use guard::{Verb, one_statement, reads_only, verb, writes};
pub(super) use items::{Body, Item, items, may_lose_rows, sources};
pub(super) use rewrite::{Feed, Form, Known, Window, names, rewrite};
pub(super) use scan::{Sort, Text};

/// Whose SQL it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// SQLite.
    Sqlite,
    /// PostgreSQL.
    Postgres,
}

impl Dialect {
    /// What OpenTelemetry calls the system.
    pub(super) fn system(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgresql",
        }
    }
}

/// What is wrong with a text, as a sentence for the operator.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum TextError {
    /// Something opens and does not close.
    #[error("{0} does not end")]
    Unclosed(&'static str),
    /// More `)` than `(` or the other way round.
    #[error("`(` and `)` do not pair up")]
    Unbalanced,
    /// No statement at all.
    #[error("there is no statement here")]
    Empty,
    /// A second statement.
    #[error("one statement only: there is more after `;`. Several statements in one transaction are written as `steps`")]
    Second,
    /// A placeholder of another style.
    #[error("`{0}` is not how parameters are written here; write `:name`")]
    Placeholder(String),
    /// A word that changes something.
    #[error("a `read` tool cannot `{0}`; set `effect: write` if it shall, or quote the word if it is a name")]
    Writes(String),
    /// A function that reaches beyond reading.
    #[error("a `read` tool cannot call `{0}`")]
    Function(String),
    /// A statement that is neither.
    #[error("`{0}` cannot be used in a tool; use SELECT, INSERT, UPDATE, DELETE, MERGE, VALUES or WITH")]
    Verb(String),
}

#[cfg(test)]
mod tests;
