//! Keeps replies of tools that say so, and lets one call fetch what many want at once.
//!
//! It promises that a reply is served to those only who share it by the operator's word, within one tenant and never beyond; that it
//! is the same, to the byte, as one that was fetched; that failures, replies of which something was left out, and questions to the
//! caller are never kept; and that a reply whose loading began before a change is not served after the change is answered. Memory is
//! bounded in bytes, waiting in calls. Resources, prompts and completions are not kept.
//!
//! - `key.rs`: which calls are the same call.
//! - `marks.rs`: what a reply hangs on, and how that is made stale.
//! - `shelf.rs`: where replies are kept.
//! - `annex.rs`: what replicas share: replies, and the news that something is stale.
//! - `pressed.rs`: a reply as it lies there.
//! - `flights.rs`: one call fetches, the others wait.
//! - `terms.rs`: what the operator said about each tool.
//! - `keeper.rs`: the kept replies and the loads under way, together.
//! - `forget.rs`: what an operator makes stale by hand.
//! - `layer.rs`: what is done about a call.
//!
//! It leaves to `authorize`, above it, whether a caller may have the reply at all.

mod annex;
mod config;
mod flights;
mod forget;
mod keeper;
mod key;
mod layer;
mod marks;
mod meters;
mod pressed;
mod shelf;
mod terms;

pub use config::Config;
pub use forget::{Forget, forget};
pub(crate) use layer::open;

#[cfg(test)]
mod tests;
