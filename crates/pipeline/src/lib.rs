//! The column a call walks: what is decided about a call between the wire and the backend.
//!
//! It promises that each call, refused or served, cancelled or panicked, leaves one audit record; that a backend is called only
//! with arguments that fit, while there is room and time; and that one call's failure never ends another. It leaves the wire to
//! `transport`, the work to `backend`, and durability to `store`.
//!
//! A layer is a folder and its row in `stack.rs`, where the order of the column and the reasons for it stand. [`Gate`] is the
//! whole: what a transport calls, and what a backend calls back into.

mod attempt;
mod authorize;
mod bulkhead;
mod cache;
mod carried;
mod catch;
mod circuit_breaker;
mod config;
mod deadline;
mod door;
mod error;
mod fallback;
mod find;
mod gate;
mod lanes;
mod layer;
mod metrics;
mod observe;
mod outcome;
mod rate_limit;
mod redact;
mod repeats;
mod require;
mod retry;
mod sparing;
mod stack;
mod subject;
mod trace;
mod validate;

pub mod audit;

pub use authorize::{Config as AuthorizeConfig, Explanation, Finding};
pub use bulkhead::{BackendPlaces, Config as BulkheadConfig};
pub use cache::{Config as CacheConfig, Forget, forget};
pub use carried::Carried;
pub use circuit_breaker::{Config as BreakerConfig, Slow};
pub use config::{BackendConfig, Config, Settings};
pub use error::Error;
pub use fallback::Config as FallbackConfig;
pub use gate::{Gate, Parts};
pub use rate_limit::{Config as QuotaConfig, Limit, Member, Per, Rule};
pub use repeats::Config as RepeatsConfig;
pub use retry::Config as RetryConfig;
pub use validate::Config as ValidateConfig;

#[cfg(test)]
mod tests;
