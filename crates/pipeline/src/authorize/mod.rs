//! Who may make a call: the rules under `allow`, and what follows from them for what a caller gets to see.
//!
//! One of the rules must hold. A rule that does not read the arguments is decided once per caller: what the caller may not use does
//! not exist for it, in lists, calls, completions and capabilities alike, and nothing but the audit record says otherwise. A rule
//! that reads the arguments is decided at the call. A rule that cannot be evaluated does not hold. Where nothing was said, nobody
//! may, unless the gate knows no callers but the machine's own user.
//!
//! A caller with a token that lacks nothing but scopes sees the tool, and is told with the refusal which scopes it needs; with any
//! other proof there is no way to get more, and the tool does not exist.
//!
//! Views of the catalog are kept for a bounded number of callers, under everything that the rules can read of a caller; callers who
//! see the same share one catalog.

mod authority;
mod config;
mod decide;
mod explain;
mod judgement;
mod layer;
mod rules;
mod shelf;
mod standing;

pub(crate) use authority::Authority;
pub use config::Config;
pub use explain::{Explanation, Finding};
pub(crate) use judgement::Judgement;
pub(crate) use layer::open;
pub(crate) use rules::House;

/// What stands on the record of a call of something that does not exist for the caller.
pub(crate) const HIDDEN: &str = "denied: no rule of `allow` holds; for this caller it does not exist";

#[cfg(test)]
mod tests;
