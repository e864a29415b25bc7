//! Why callers cannot be recognised at all.

use std::path::PathBuf;

/// Why identity cannot be set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An issuer's keys have no address that may be called.
    #[error("the keys of `{issuer}` cannot be fetched")]
    Issuer {
        /// Whose keys.
        issuer: String,
        /// Why not.
        #[source]
        cause: callgate_egress::Error,
    },
    /// The secret under which API keys are hashed cannot be had.
    #[error("cannot use the secret in `{}`", path.display())]
    Pepper {
        /// Its file.
        path: PathBuf,
        /// Why not.
        #[source]
        cause: std::io::Error,
    },
    /// The store does not keep API keys just now.
    #[error("the store cannot be asked for API keys")]
    Store(#[source] callgate_store::Error),
    /// There is no way to call issuers.
    #[error("cannot set up outgoing requests")]
    Client(#[from] callgate_egress::Error),
    /// There are issuers, and no client to ask them with.
    #[error("there is no way to ask the issuers for their keys")]
    Egress,
}
