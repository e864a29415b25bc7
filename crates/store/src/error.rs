//! Why a store cannot be opened or read.

use std::path::PathBuf;

/// A failure of the store.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file or its folder cannot be made or opened.
    #[error("cannot open the store `{}`", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// PostgreSQL does not answer, or not as it must.
    #[error("cannot open the store in PostgreSQL")]
    Server(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The file was written by a later version.
    #[error("the store `{}` has version {found} of its {part}, this program knows {known}; use the newer program", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Which part of the state.
        part: &'static str,
        /// The version in the file.
        found: usize,
        /// The version this program writes.
        known: usize,
    },
    /// The kind of store has no log that another process could read.
    #[error("a store in memory has no audit log that could be read from outside")]
    Nothing,
    /// Signed heads cannot be read or do not hold.
    #[error("the signed heads in `{}` cannot be used: {why}", path.display())]
    Heads {
        /// The file.
        path: PathBuf,
        /// Why not.
        why: String,
    },
    /// Reading failed.
    #[error("cannot read the store")]
    Read(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Writing failed.
    #[error("cannot write to the store")]
    Write(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// There is an API key with this id.
    #[error("there is an API key with the id `{id}` already")]
    Taken {
        /// The id.
        id: String,
    },
}

impl Error {
    pub(crate) fn server(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Server(cause.into())
    }

    pub(crate) fn reading(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Read(cause.into())
    }

    pub(crate) fn writing(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Write(cause.into())
    }
}
