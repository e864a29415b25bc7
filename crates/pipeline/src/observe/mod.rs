//! Counts and times every call, and logs failures.
//!
//! It promises that each call is counted once, cancelled ones included, and that a failure on our side of the gate is logged at most
//! once, under the id the caller got, with its cause and without arguments or results. Of many alike only some are logged one by one
//! (`calls.logged`), since callers can make a backend fail for them; the others are counted there too.

mod layer;
mod meters;
mod report;

pub(crate) use layer::open;

#[cfg(test)]
mod tests;
