//! One attempt to have a backend do its work: takes leave of the backend's circuit and tells it what came of it.
//!
//! A call that is tried again, or asked twice, makes several attempts; each is counted. What an attempt says about the backend
//! stands in [`judge`](layer::judge) and is explained in `circuit_breaker`. A fault is marked here with the backend where it arose.

mod layer;

pub(crate) use layer::open;
