//! Bounds how many calls run at once, per tool, per backend, and per tenant at each of them.
//!
//! A call that finds no place waits in a bounded waiting room for a bounded time; when the room is full, or the wait would be too
//! long, it is refused as overloaded and told when to come back. The tool's place is taken before the backend's.
//!
//! Tenants share fairly. A place that falls free goes to the waiting tenant that has the fewest places, and among its calls to the
//! one that came first; a full waiting room makes room for a tenant that has few calls in it by sending away the last call of the
//! tenant that has most. So one tenant's flood costs another at most the wait for one place to fall free.
//!
//! Calls within calls have places of their own at each depth, so that they cannot wait for the calls above them: a call waits only
//! for calls of its own depth, and the deepest for nobody. The price: the bounds hold per depth.

mod config;
mod lane;
mod layer;
mod room;

pub use config::{BackendPlaces, Config};
pub(crate) use layer::open;

#[cfg(test)]
mod tests;
