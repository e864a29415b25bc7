//! Refuses calls of a backend that is known to be down, at once and without anybody waiting for it.
//!
//! Each backend has a circuit. Every attempt to reach the backend is judged where it ends (see `attempt`), and the circuit counts
//! the judgements of the last `window`. Only the backend itself counts: that it could not be reached, did not answer in time, or
//! left a write unclear is *bad*; an answer is *good*, or *slow*, also when it says no. Calls that were cancelled, that found no
//! room, that panicked, or that failed at another backend which they called in turn, are neither.
//!
//! - *closed*: calls pass. Once at least `least` attempts are in the window and `failures` of them were bad, or `slow.rate` of them
//!   slow or bad, the next that is slow or bad opens it.
//! - *open*: calls are refused. After `open`, doubled each time it opens again without having closed, up to `longest`, it is
//! - *half-open*: `probes` calls may pass. When as many have ended well it closes; the first that does not opens it again. A probe
//!   that was cancelled leaves its place to another.
//!
//! What a call had begun before its circuit changed says nothing about the new state and is not counted.

mod circuit;
mod circuits;
mod config;
mod layer;
mod window;

pub(crate) use circuit::{Circuit, Permit, Verdict};
pub(crate) use circuits::Circuits;
pub(crate) use config::Terms;
pub use config::{Config, Slow};
pub(crate) use layer::open;

#[cfg(test)]
mod tests;
