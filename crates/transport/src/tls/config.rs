//! What an operator may write under `wire.http.tls`.

use std::path::PathBuf;

use callgate_config::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// TLS on the HTTP listener: 1.2 and 1.3, with HTTP/2 where the client knows it. Paths are relative to the folder of the configuration.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// The file of the gate's certificate (PEM), with those that lead to the authority behind it.
    pub certificate: PathBuf,
    /// The file of its private key (PEM), which not everyone on the machine may read.
    pub key: PathBuf,
    /// The file of the authorities (PEM) whose certificates are taken of clients. Without it clients are not asked for one.
    #[serde(default)]
    pub client_ca: Option<PathBuf>,
    /// Whether a client must show a certificate; default `required`. Only with `client_ca`.
    #[serde(default)]
    pub client: Option<Client>,
    /// How long a client may take to agree on keys. Default 10s.
    #[serde(default = "handshake")]
    pub handshake: Span,
    /// How often the files are looked at. Default 10s. New ones that are good are used for the connections that come from then on; bad ones
    /// change nothing and are logged.
    #[serde(default = "look")]
    pub look: Span,
    /// From how long before the certificate ends on the log warns of it, once a day. Default 14d.
    #[serde(default = "warn")]
    pub warn: Span,
}

/// Whether a client must show a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Client {
    /// It may. One that does not hold ends the connection all the same.
    Optional,
    /// It must.
    Required,
}

fn handshake() -> Span {
    Span::seconds(10)
}

fn look() -> Span {
    Span::seconds(10)
}

fn warn() -> Span {
    Span::seconds(14 * 24 * 3600)
}
