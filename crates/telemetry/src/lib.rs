//! What the gate tells about calls to systems that watch it: traces, over OTLP.
//!
//! It promises that no call waits for it or fails by it: what there is no room for is dropped and counted, and a collector that hangs,
//! refuses or is away costs nobody but itself. It leaves to `model` what a trace is, to `pipeline` what is seen of a call, and to `egress`
//! where it may be sent.

mod config;
mod deliver;
mod exporter;
mod otlp;
mod sampler;
mod task;

pub use config::{Config, TracesConfig};
pub use exporter::{Exporter, Opening};

#[cfg(test)]
mod tests;
