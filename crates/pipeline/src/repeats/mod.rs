//! Stops callers that make the same failing call again and again.
//!
//! An agent that does not understand a refusal may repeat it for hours. When a caller's same call, with the same arguments, has failed
//! often enough in a short time, it is refused at once and told to stop; other calls of the caller are not touched, and a call that
//! succeeds is forgotten. Failures that pass by themselves (no room, no quota, a backend that is away) do not count.

mod config;
mod layer;

pub use config::Config;
pub(crate) use layer::open;

#[cfg(test)]
mod tests;
