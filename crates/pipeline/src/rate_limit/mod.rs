//! Decides whether the caller, its tenant, the tool, the backend or the gate has calls left.
//!
//! Each rule of `quotas.rules` counts the calls it applies to, for everybody it names together or for each by itself. A call takes one
//! from all its rules or from none: a refused call costs nothing else and reaches no backend. What is counted is shared with the
//! other replicas; while that cannot be reached, each replica goes on with its part of every quota, and a metric says so.
//!
//! Calls within calls count like others: a backend does not care who asks.

mod config;
mod layer;
mod rule;

pub use config::{Config, Limit, Member, Per, Rule};
pub(crate) use layer::open;

#[cfg(test)]
mod tests;
