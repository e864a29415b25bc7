//! Backends: the systems where calls end.
//!
//! Reads what the configuration declares (`declare`), hands each part to its kind, and opens the backends. It promises that a
//! declaration is checked whole before anything connects. It leaves decisions about calls to `pipeline` and the wire to `transport`.
//!
//! A kind of backend is one folder and its row in [`KINDS`].

pub mod content;
pub mod declare;
pub mod sql;

pub use declare::{Aim, Applied, Declared, Opened, Opening, Plan, check, schemas};

use declare::Kind;

/// The kinds that an entry of `backends:` can name. `content` has no row: it needs no entry, for it serves what stands beside the
/// configuration itself (texts, files, prompts).
pub const KINDS: &[Kind] = &[Kind::of::<sql::Sql>()];

#[cfg(test)]
mod tests;
