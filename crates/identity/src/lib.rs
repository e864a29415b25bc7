//! Who is calling: from credentials to a caller.
//!
//! It promises that nobody is recognised without proof: no default caller, no algorithm that was not listed, no key that was not
//! published by its issuer. It leaves to `transport` how credentials travel and how a refusal is told, to `pipeline` what a caller
//! may do, and to `store` where API keys are kept.
