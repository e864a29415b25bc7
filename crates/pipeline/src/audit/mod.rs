//! Writes down every call: refused, served, cancelled or panicked, exactly one record each.
//!
//! A call takes a slot of the audit queue before anything else happens, so that its record has a place whatever comes; records
//! are never dropped. Three states decide what that means:
//!
//! - *Well*: a read is answered while its record is still on its way (at most `audit.queue` records and `store.linger` behind).
//!   A write is answered once its record is durable; one whose record is not durable in time is answered as unclear.
//! - *Behind* (no slot is free): calls wait for a slot inside their deadline and are then refused as overloaded.
//! - *Failing* (the store could not write): writes are refused before the backend is called. Reads go on; once no slot is free
//!   their records go to the log instead, and are counted.
//!
//! Before a write reaches its backend its intent is made durable (`intend`, a row further down the column: what is refused before needs
//! none). The call's record removes it. If the gate is killed in between, the next one to start makes a record of the intent, with
//! the outcome `unclear`.
//!
//! A call that its transport has refused already goes no further than this layer: it is put on record, and nothing below sees it.
//!
//! A future that is dropped writes its record from a guard. A refusal for which no slot was found is logged and counted.

mod config;
mod entry;
mod layer;
mod strangers;

pub use crate::redact::Pattern;
pub use config::Config;
pub(crate) use entry::Entry;
pub(crate) use layer::{open, open_intend};
pub(crate) use strangers::Strangers;

#[cfg(test)]
mod tests;
