//! What the kinds of store share about writing an audit log: the queue, the thread that empties it, and the signed heads.
//!
//! A kind of store brings a [`Sink`]; everything about waiting, trying again and saying so is here.

mod heads;
mod queue;
mod thread;
mod upkeep;

pub use heads::{Heads, Keys as HeadKeys, read as read_heads};
pub use upkeep::Upkeep;

pub(crate) use queue::{Batch, Queue};
pub(crate) use thread::{Sink, Tended, start};
