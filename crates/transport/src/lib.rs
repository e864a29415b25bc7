//! The doors of a gate: MCP over HTTP and over standard input and output, both eras at each.
//!
//! It promises that whatever reaches the gate was read strictly, within its bounds, from an allowed host and origin, and that what
//! goes out fits the client's revision. It decides nothing about calls: it hands them to `model::Gateway` and writes down the reply.

mod config;
mod context;
mod desk;
mod dispatch;
mod exchange;
mod fault;
pub mod http;
mod legacy;
mod listen;
mod lists;
mod marks;
mod questions;
mod running;
mod seal;
pub mod stdio;
#[cfg(test)]
mod testbed;
pub mod tls;
mod visit;
mod watched;

pub use self::{
    config::{Config, Fresh, Http, Listen, Metrics, Proof, Questions, Scope, Sessions, Stdio},
    desk::Drained,
    marks::check,
};
