//! What tests of several rooms share: a raw HTTP client, a child process that is ended by its id, a folder with files, an issuer
//! of tokens, a collector of traces, a PostgreSQL and a Redis server, a TCP proxy that does to a connection what networks and servers do to one.
//!
//! It promises to speak plain HTTP/1.1 and nothing more, so that a test sees what is on the wire, but where a test asks for HTTP/2; and that everything waits with a
//! bound. It knows no room: what is MCP in a test is written in the test.

pub mod collector;
pub mod fault_proxy;
mod folder;
pub mod http;
pub mod issuer;
mod postgres;
mod process;
mod redis;

pub use collector::Collector;
pub use folder::Folder;
pub use issuer::Issuer;
pub use postgres::Postgres;
pub use process::Process;
pub use redis::Redis;

use std::time::Duration;

/// The longest that anything here waits. It is only ever reached by a test that fails.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// How long to leave a server alone that is starting, before it is asked again.
pub(crate) const PAUSE: Duration = Duration::from_millis(20);

#[cfg(test)]
mod tests;
