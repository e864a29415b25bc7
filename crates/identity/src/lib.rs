//! Who is calling: from credentials to a caller.
//!
//! It promises that nobody is recognised without proof: no default caller, no algorithm that was not listed, no key that was not
//! published by its issuer. It leaves to `transport` how credentials travel and how a refusal is told, to `pipeline` what a caller
//! may do, and to `store` where API keys are kept.

mod callers;
mod certificate;
mod config;
mod error;
mod jwks;
pub mod keys;
mod memory;
mod refusal;
mod token;

pub use callers::{Callers, Parts};
pub use config::Config;
pub use error::Error;
pub use keys::{ApiKeys, Grant};

#[cfg(test)]
mod tests;
