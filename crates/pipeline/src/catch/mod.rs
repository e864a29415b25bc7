//! Turns a panic of one call into a fault of that call.
//!
//! It promises that a panic in a backend or a layer ends no other call: it is counted and answered as internal under the request's
//! id, and what the call held is released as the stack unwinds. What the panic said is not repeated here, since it may hold what
//! the caller sent; the process's panic hook says where it was.

mod layer;

pub(crate) use layer::open;
