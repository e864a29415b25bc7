//! Refuses calls of a backend that is known to be down, at once and without anybody waiting for it.
//!
//! Each backend has a circuit. Every attempt to reach the backend is judged where it ends (see `attempt`), and the circuit counts
//! the judgements of the last `window`. Only the backend itself counts. That it could not be reached or broke off is *bad*; that the
//! time was over without a word of it is *silent*; an answer is *good*, or *slow*, also when it says no. A backend that gave the work
//! up itself when the time was over is slow: it is there. Calls that were cancelled, that found no room, that panicked, or that failed
//! at another backend which they called in turn, are neither.
//!
//! Callers can bring about slowness, and silence too: an endless statement, a page that takes its time. So that none of them takes a
//! backend away from the others, the circuit also counts by source (the tenant, or the tool where there is one tenant) and looks at
//! the *rest*: everything, good and bad, but for the source of which most was slow or silent.
//!
//! - *closed*: calls pass. What is not good opens it if now, with at least `least` attempts in the window, `failures` of them are bad;
//!   or bad or silent, and so are as many of the rest, where there is one; or if the rest alone is `least` attempts of which
//!   `slow.rate` are slow, silent or bad.
//! - *open*: calls are refused. After `open`, doubled each time it opens again without having closed, up to `longest`, it is
//! - *half-open*: `probes` calls may pass. When as many have ended well it closes; the first that is bad opens it again. If
//!   it opened because enough were bad, a silent one does so too, and a slow one ends well. If not, either says nothing, and like one
//!   that was cancelled it leaves its place to another.
//!
//! What a call had begun before its circuit changed says nothing about the new state and is not counted.

mod circuit;
mod circuits;
mod config;
mod layer;
mod source;
mod window;

pub(crate) use circuit::{Circuit, Permit, Verdict};
pub(crate) use circuits::Circuits;
pub(crate) use config::Terms;
pub use config::{Config, Slow};
pub(crate) use layer::open;
pub(crate) use source::Source;

#[cfg(test)]
mod tests;
