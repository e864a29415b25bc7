//! Why TLS cannot be offered.

use std::path::PathBuf;

/// Why TLS cannot be offered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file cannot be read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The key of `wire.http.tls` that names it.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        cause: std::io::Error,
    },
    /// A file does not hold what it should.
    #[error("`{}` holds no {wanted} in PEM", path.display())]
    Empty {
        /// The key of `wire.http.tls` that names it.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// What it should hold.
        wanted: &'static str,
    },
    /// Others on this machine can read the private key.
    #[error("everyone on this machine can read the private key `{}`; take that away with `chmod o-rwx`", .0.display())]
    Exposed(PathBuf),
    /// Clients should show certificates that nobody can check.
    #[error("`client` says that certificates are asked for, and no `client_ca` says whose are taken")]
    NoAuthority,
    /// A certificate cannot be used.
    #[error("`{}` cannot be used", path.display())]
    Unfit {
        /// The key of `wire.http.tls` that names it.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl Error {
    /// The key of `wire.http.tls` at which the mistake is.
    #[must_use]
    pub fn key(&self) -> &'static str {
        match self {
            Self::Read { key, .. } | Self::Empty { key, .. } | Self::Unfit { key, .. } => key,
            Self::Exposed(_) => "key",
            Self::NoAuthority => "client",
        }
    }
}
