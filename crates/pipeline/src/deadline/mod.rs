//! Ends a call when its time is up.
//!
//! Dropping the backend's future is the signal to stop: a backend must then stop what it started elsewhere (interrupt the
//! statement, drop the request). A read is dropped at `call.deadline`. A write is told to be done by `call.deadline` and dropped
//! only at the end of the `settle` time after it, so that it can roll back or learn that its commit went through; if it is
//! dropped even then, nobody knows whether the change was made, and the fault says so. A backend whose write cannot be interrupted
//! half-way (a request to a payment provider) must come to a known state by itself within its deadline.

mod layer;

pub(crate) use layer::open;

#[cfg(test)]
mod tests;
