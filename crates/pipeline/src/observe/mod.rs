//! Counts and times every call, and logs failures.
//!
//! It promises that each call is counted once, cancelled ones included, and that a failure on our side of the gate is logged once,
//! under the id the caller got, with its cause and without arguments or results.

mod layer;
mod meters;

pub(crate) use layer::open;

#[cfg(test)]
mod tests;
