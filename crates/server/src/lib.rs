//! Callgate as a library: a gate from a configuration, or from backends written in Rust.
//!
//! ```no_run
//! # async fn example(tickets: impl callgate::Backend) -> Result<(), callgate::Error> {
//! let gate = callgate::Gate::builder().name("tickets").backend("tickets", tickets).open().await?;
//! gate.serve_http("127.0.0.1:8000".parse().expect("an address")).await
//! # }
//! ```
//!
//! It wires the rooms and nothing more: read → check → open → run → drain. The words of [`callgate_model`] are re-exported, so that
//! a program needs this one crate. Tools written in code get the same column, transports and operations as configured ones.

mod builder;
mod config;
mod configuration;
mod control;
mod erasure;
mod error;
mod gate;
mod manual;
mod records;
mod reload;

pub use builder::Builder;
pub use callgate_backend::Applied;
pub use callgate_config::{Environment, Problem, Problems, Secret, Size, Span};
pub use callgate_identity::{ApiKeys, Grant};
pub use callgate_model::*;
pub use callgate_pipeline::{Explanation, Finding, Forget};
pub use callgate_store::ApiKey;
pub use config::{Format, Log, schema};
pub use configuration::{Configuration, Counts};
pub use erasure::Erased;
pub use error::Error;
pub use gate::{Drained, Gate, Listening, signals};
pub use manual::manual;
pub use records::Records;
pub use reload::{Reloaded, Reloader};

/// The audit log as it is read.
pub mod audit {
    pub use callgate_store::{
        Entry, Filter, Hash, Head, Row,
        verify::{Broken, Report, Wrong},
    };
}

/// The settings that a builder takes; what a configuration calls `wire`, `calls`, `audit`, `cache`, `quotas`, `shared` and `store`.
pub mod settings {
    pub use callgate_pipeline::{CacheConfig as Cache, Config as Calls, QuotaConfig as Quotas, audit::Config as Audit};
    pub use callgate_store::{Config as Store, shared::Config as Shared};
    pub use callgate_transport::Config as Wire;
}
