//! Attacks on a gate as it runs: the real command, over real sockets, with callers, a store, quotas, rules and kept replies.
//!
//! A row of a table is one attack: what is sent, what must come back to the letter, and what must stand on the record (`row.rs`).
//! Whatever the row, `Gate::end` and `Gate::play` (`gate.rs`) hold what is true of all of them: nothing ran behind the gate that the row
//! does not own up to, no record is missing or too many, no secret of the tests (`canary.rs`) is anywhere but where it was sent, the
//! process is the same, and no larger than it was. What does not fit a row, because it takes many clients or much time, stands behind the
//! tables as a test of its own, on the same gate with the same end.
//!
//! To add a row, write it with an empty `expect![[""]]`, run it with `UPDATE_EXPECT=1`, and judge the answer that stands there then.

#![expect(clippy::too_many_lines, reason = "tables are data")]

#[cfg(test)]
mod asking;
#[cfg(test)]
mod bombs;
#[cfg(test)]
mod cache;
#[cfg(test)]
mod canary;
#[cfg(test)]
mod certificates;
#[cfg(test)]
mod credentials;
#[cfg(test)]
mod database;
#[cfg(test)]
mod flood;
#[cfg(test)]
mod frames;
#[cfg(test)]
mod gate;
#[cfg(test)]
mod injection;
#[cfg(test)]
mod issuer;
#[cfg(test)]
mod parsing;
#[cfg(test)]
mod poison;
#[cfg(test)]
mod policy;
#[cfg(test)]
mod protocol;
#[cfg(test)]
mod records;
#[cfg(test)]
mod row;
#[cfg(test)]
mod shop;
#[cfg(test)]
mod transport;
#[cfg(test)]
mod watching;
#[cfg(test)]
mod wire;
