//! What an operator may write under `wire.http`.

use callgate_config::{Size, Span};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::tls;

/// HTTP.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Http {
    /// Names under which clients reach the gate: `gate.example.com` for any port, or with one. Loopback names are allowed while the gate listens
    /// on loopback, addresses in figures while it listens beyond; every other `Host` is refused with 403. Default: none.
    #[schemars(inner(regex(pattern = r"^(\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z._-]+)(:[0-9]{1,5})?$")))]
    pub hosts: Vec<String>,
    /// Web pages that may call the gate, as `https://app.example.com`. They get the CORS headers that a browser needs; pages from
    /// loopback may call a gate on loopback, and every other `Origin` is refused with 403. Default: none.
    #[schemars(inner(regex(pattern = r"^https?://[^/?#]+/?$")))]
    pub origins: Vec<String>,
    /// TLS. Without it, plain HTTP: on loopback, or behind something that ends TLS.
    pub tls: Option<tls::Config>,
    /// Who may read `/metrics`, and the lines of `/health/ready` that say which part is not ready and why. Default `operators`. Without
    /// authentication everyone who reaches the gate may.
    pub metrics: Metrics,
    /// The role that makes a caller an operator. Default `operator`.
    #[schemars(length(min = 1))]
    pub operators: String,
    /// How large a request may be. Default 4MiB; a larger one gets 413.
    pub body: Size,
    /// How large all requests together may be whose bodies arrive or are read just now. Default 256MiB; a further one gets 503. What
    /// comes in one piece, as small ones do, is not counted.
    pub bodies: Size,
    /// How large all replies together may be that clients have not read yet. Default 256MiB; beyond it the connection that holds most of
    /// them is hung up.
    pub replies: Size,
    /// How long the body of a request may take to arrive. Default 10s.
    pub body_time: Span,
    /// How large all headers of a request together may be. Default 64KiB, at least 8KiB; larger ones get 431.
    pub headers: Size,
    /// How many headers a request may have. Default 100; more get 431.
    #[schemars(range(min = 1))]
    pub header_count: usize,
    /// How long the headers of a request may take to arrive. Default 10s.
    pub header_time: Span,
    /// How long a connection may do nothing. Default 75s.
    pub idle: Span,
    /// How long a client may leave what it is sent unread. Default 30s.
    pub write_time: Span,
    /// How many connections there may be. Default 4096; further ones wait to be accepted.
    #[schemars(range(min = 1))]
    pub connections: usize,
    /// How many connections one address may have, or the first 64 bits of one in IPv6. Default 1024; further ones are closed. Raise it behind a proxy.
    #[schemars(range(min = 1))]
    pub per_address: usize,
    /// How many requests may run at once on one HTTP/2 connection. Default 128.
    #[schemars(range(min = 1))]
    pub streams: u32,
    /// How many HTTP/2 requests a client may take back before the gate hangs up. Default 32.
    #[schemars(range(min = 1))]
    pub resets: usize,
    /// How many HTTP/2 frames that ask nothing a client may send in one second, beside those that belong to its requests: pings,
    /// settings, resets. Default 1000; then the gate hangs up.
    #[schemars(range(min = 10))]
    pub frames: u64,
    /// How long open requests may take to finish when the gate stops. Default 10s.
    pub drain: Span,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            hosts: Vec::new(),
            origins: Vec::new(),
            tls: None,
            metrics: Metrics::Operators,
            operators: "operator".to_owned(),
            body: Size::mib(4),
            bodies: Size::mib(256),
            replies: Size::mib(256),
            body_time: Span::seconds(10),
            headers: Size::kib(64),
            header_count: 100,
            header_time: Span::seconds(10),
            idle: Span::seconds(75),
            write_time: Span::seconds(30),
            connections: 4096,
            per_address: 1024,
            streams: 128,
            resets: 32,
            frames: 1000,
            drain: Span::seconds(10),
        }
    }
}

/// Who may read the gate's pages for operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Metrics {
    /// Callers that have the role `wire.http.operators`.
    Operators,
    /// They, and whoever connects from this machine itself. Not for a gate behind a proxy on the same machine: everyone comes
    /// from there.
    Loopback,
    /// Everyone.
    Public,
}
