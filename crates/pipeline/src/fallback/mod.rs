//! Answers for a backend that is away, where an operator said how: with the last good answer to the same question, or a fixed one.
//!
//! The same question is the same caller, with the same rights and claims, the same tool and the same arguments. Last good answers
//! are kept in memory, bounded by bytes; when room is short, those that are asked for least go first. Only tools that read have a
//! fallback: a write that was not made is never reported as if it had been.
//!
//! An answer of this layer says that it is one, to the model in a sentence and to programs in `_meta`. What it stands in for is
//! logged and counted, since nobody else hears of it.

mod config;
mod kept;
mod key;
mod layer;

pub use config::Config;
pub(crate) use layer::open;

#[cfg(test)]
mod tests;
