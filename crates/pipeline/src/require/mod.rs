//! What the arguments of a tool must meet beyond their types: the conditions under `require`.
//!
//! All of them must hold. One that is broken, or cannot be evaluated, refuses the call with the operator's sentence; the model that
//! called reads it and can do better. Conditions are asked about arguments that fit the schema.

mod condition;
mod layer;

pub(crate) use condition::Condition;
pub(crate) use layer::open;
