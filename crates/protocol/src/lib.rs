//! MCP on the wire, as pure functions: bytes to typed requests, replies to bytes, for four revisions.
//!
//! It promises that what it lets through is exactly one well-formed message of its revision, that an old client never sees
//! a newer member, and that it does no I/O and keeps no state. Sessions, streams and sockets are left to `transport`.
//!
//! *Modern* is 2026-07-28, where each request says everything about itself; *legacy* are the three revisions before it, where a
//! session remembers.

mod ask;
pub mod encode;
mod era;
mod error;
mod message;
pub mod modern;
mod params;
mod revision;
mod strict;

pub use ask::{Ask, Filter, Initialize, Page, Retry, ask};
pub use era::{Era, era};
pub use error::{Refusal, RpcError};
pub use message::{Body, Id, Message, Notification, Request, Response, read};
pub use params::{Given, Params};
pub use revision::Revision;
pub use strict::Limits;

#[cfg(test)]
mod tests;
