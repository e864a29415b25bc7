//! Why a gate does not open or does not serve.

use std::net::SocketAddr;

use callgate_config::Problems;

/// Why a gate does not open or does not serve.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The configuration has mistakes, or does not fit the systems behind it.
    #[error("{0}")]
    Configuration(Problems),
    /// The gate's own state cannot be opened.
    #[error("cannot open the store")]
    Store(#[from] callgate_store::Error),
    /// Nobody could be recognised.
    #[error("cannot set up who may call")]
    Identity(#[from] callgate_identity::Error),
    /// Traces cannot be sent.
    #[error("cannot set up where traces go")]
    Telemetry(#[source] callgate_egress::Error),
    /// There is nothing to give out API keys for.
    #[error("no API key could be given out: {0}")]
    NoKeys(&'static str),
    /// What was to be done cannot be put on record.
    #[error("the audit log cannot be written just now: {0}")]
    Unrecorded(&'static str),
    /// What replicas share has no address.
    #[error("cannot open what replicas share")]
    Shared(#[from] callgate_store::shared::Error),
    /// The parts do not make a gate.
    #[error("cannot put the gate together")]
    Gate(#[from] callgate_pipeline::Error),
    /// A backend's name is none.
    #[error(transparent)]
    Name(#[from] callgate_model::NameError),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why not.
        #[source]
        cause: std::io::Error,
    },
    /// The address can be reached from other machines.
    #[error("{0} can be reached from other machines, and nothing says who may call")]
    Exposed(SocketAddr),
    /// TLS cannot be offered.
    #[error("cannot offer TLS")]
    Tls(#[from] callgate_transport::tls::Error),
    /// A running gate would stop asking who is calling.
    #[error("the new configuration has no `auth`, and the running gate has; start it again if that is meant")]
    Unguarded,
    /// Serving broke off.
    #[error("serving broke off")]
    Serve(#[source] std::io::Error),
}
