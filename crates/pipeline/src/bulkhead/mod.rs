//! Bounds how many calls run at once, per tool and per backend.
//!
//! A call that finds no place waits in a bounded waiting room for a bounded time; when the room is full or the time is up it is
//! refused as overloaded and told when to come back. First come, first served. The tool's place is taken before the backend's.
//! Calls within calls have places of their own (see `lanes.rs`), so that they cannot wait for the calls above them.

mod config;
mod layer;
mod room;

pub use config::Config;
pub(crate) use layer::open;

#[cfg(test)]
mod tests;
