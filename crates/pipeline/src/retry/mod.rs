//! Tries again what may be tried again, and asks twice where an operator wants that.
//!
//! A call is tried again if the backend could not be reached and trying again can do no harm: it reads, or its tool is declared
//! idempotent. Each wait is random between nothing and a limit that doubles (full jitter), and no attempt is begun that its
//! deadline would cut off at once. A tool with `hedge` is asked a second time while the first attempt is still out; the first good
//! answer counts and the other attempt is dropped, which cancels it.
//!
//! Both spend from one budget per backend: each call adds a part of an attempt, each further attempt takes a whole one. So however
//! many calls fail, the backend sees at most that part more than there are calls, and `floor` attempts. While the backend's circuit
//! is not closed nothing is tried twice.

mod budget;
mod config;
mod hedge;
mod layer;

pub use config::Config;
pub(crate) use layer::open;

#[cfg(test)]
mod tests;
