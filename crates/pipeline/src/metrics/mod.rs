//! Metrics: the text that `/metrics` answers, in the OpenMetrics format.
//!
//! Layers register their own figures when the gate opens and keep a handle per tool, so that counting costs an atomic addition
//! and no search. Labels come from the catalog and the code only: what a caller writes never becomes a label.

mod backends;
mod labels;
mod process;

use std::fmt;

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, text},
    metrics::{MetricType, histogram::Histogram},
    registry::Registry,
};

pub(crate) use backends::Backends;
pub(crate) use labels::{Subject, ToolLabels};
pub(crate) use process::Process;

/// Upper bounds of the buckets for durations of calls, in seconds. The default deadline is among them.
const SECONDS: [f64; 13] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];

/// A histogram of durations.
pub(crate) fn durations() -> Histogram {
    Histogram::new(SECONDS)
}

/// All metrics as text.
pub(crate) fn text(registry: &Registry, backends: &Backends) -> String {
    let mut text = String::with_capacity(16 * 1024);
    // Writing to a String cannot fail.
    let _ = text::encode_registry(&mut text, registry);
    backends.write(&mut text);
    let _ = text::encode_eof(&mut text);
    text
}

/// Figures that are read when somebody asks for them, instead of being kept up to date with every call.
pub(crate) struct Gauges<F>(pub(crate) F);

/// One figure: name, help, and its values, each with its labels if it has any.
pub(crate) struct Figure<L> {
    pub(crate) name: &'static str,
    pub(crate) help: &'static str,
    pub(crate) values: Vec<(Option<L>, f64)>,
}

impl<F> fmt::Debug for Gauges<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Gauges")
    }
}

impl<L: EncodeLabelSet, F: Fn() -> Vec<Figure<L>> + Send + Sync + 'static> Collector for Gauges<F> {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        for Figure { name, help, values } in (self.0)() {
            let mut figure = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            for (labels, value) in values {
                match labels {
                    Some(labels) => figure.encode_family(&labels)?.encode_gauge(&value)?,
                    None => figure.encode_gauge(&value)?,
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
