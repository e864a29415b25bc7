//! What can go wrong between the gate and PostgreSQL, in words that repeat neither the URL nor its password.

use std::time::Duration;

use callgate_model::chain;
use deadpool_postgres::PoolError;
use tokio_postgres::error::SqlState;

/// Why something could not be done.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    /// The URL says something that cannot be done.
    #[error("{0}")]
    Url(String),
    /// The server refused, or the connection broke off.
    #[error("{}", chain(.0))]
    Server(#[from] tokio_postgres::Error),
    /// No connection to be had.
    #[error("no connection: {}", chain(.0))]
    Pool(#[from] PoolError),
    /// Nothing came back in time.
    #[error("PostgreSQL did not answer within {} ms", .0.as_millis())]
    Silent(Duration),
    /// The connection before this one cannot be brought to its end.
    #[error("the connection before this one has not ended, and it is not known what becomes of its last batch")]
    Haunted,
    /// A batch could not be written under one count of forgotten callers.
    #[error("callers are being forgotten faster than a batch can be written")]
    Forgetful,
    /// Nothing is free.
    #[error("every chain of the audit log is being written by some gate")]
    Full,
    /// The database keeps texts in another way than as UTF-8.
    #[error("the database has the encoding {0}; the store needs UTF8")]
    Encoding(String),
    /// What stands in a table is nothing that a gate would have written.
    #[error("{0} in the store is damaged")]
    Damaged(&'static str),
    /// The tables were made by a later version.
    #[error("its tables for {part} have version {found}, this program knows {known}; use the newer program")]
    Newer {
        /// Which part of the state.
        part: &'static str,
        /// The version in the database.
        found: usize,
        /// The version this program writes.
        known: usize,
    },
}

impl Trouble {
    /// The row that was to be made is there already.
    pub(super) fn is_taken(&self) -> bool {
        matches!(self, Self::Server(cause) if cause.code() == Some(&SqlState::UNIQUE_VIOLATION))
    }
}

/// What `work` gives, unless it takes longer than `most`.
pub(super) async fn within<T>(most: Duration, work: impl Future<Output = Result<T, Trouble>>) -> Result<T, Trouble> {
    tokio::time::timeout(most, work).await.unwrap_or(Err(Trouble::Silent(most)))
}
