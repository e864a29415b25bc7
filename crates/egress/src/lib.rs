//! Outgoing HTTP: the one way in which the gate calls other systems by URL.
//!
//! It promises that a request goes only to an address class that the operator allowed, checked after the name was resolved; that it
//! follows no redirect and no proxy of the environment; and that an answer is bounded in size and time and never unpacked. It
//! leaves to its users what is asked, with which credentials, and what the answer means.

mod client;
mod config;
mod error;
mod guard;
mod target;

pub use bytes::Bytes;
pub use client::{Client, Limits};
pub use config::Config;
pub use error::Error;
pub use target::Target;

#[cfg(test)]
mod tests;
