//! Metrics: the text that `/metrics` answers, in Prometheus' text format 0.0.4.
//!
//! Layers register their own figures when the gate opens and keep a handle per tool, so that counting costs an atomic addition
//! and no search. Labels come from the catalog and the code only: what a caller writes never becomes a label.

mod backends;
mod labels;
mod process;

use std::fmt::{self, Write as _};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, text},
    metrics::{MetricType, histogram::Histogram},
    registry::Registry,
};

pub(crate) use backends::Backends;
pub(crate) use labels::{BackendLabels, Subject, ToolLabels};
pub(crate) use process::Process;

/// Upper bounds of the buckets for durations of calls, in seconds. The default deadline is among them, and the 2 s of the alert.
const SECONDS: [f64; 14] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 2.5, 5.0];

/// A histogram of durations.
pub(crate) fn durations() -> Histogram {
    Histogram::new(SECONDS)
}

/// All metrics as text.
pub(crate) fn text(registry: &Registry, backends: &Backends) -> String {
    let mut open_metrics = String::with_capacity(16 * 1024);
    // Writing to a String cannot fail.
    let _ = text::encode_registry(&mut open_metrics, registry);
    let mut text = prometheus(&open_metrics);
    backends.write(&mut text);
    text
}

/// OpenMetrics calls a counter `x` and its sample `x_total`; Prometheus' own format wants one name for both.
fn prometheus(open_metrics: &str) -> String {
    let mut text = String::with_capacity(open_metrics.len() + 1024);
    let mut help = "";
    for line in open_metrics.lines() {
        if line.starts_with("# HELP ") {
            help = line;
            continue;
        }
        match line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
            Some((name, kind)) => {
                let total = if kind == "counter" { "_total" } else { "" };
                let about = help.get("# HELP ".len() + name.len()..).unwrap_or_default();
                let _ = writeln!(text, "# HELP {name}{total}{about}\n# TYPE {name}{total} {kind}");
            }
            None => {
                text.push_str(line);
                text.push('\n');
            }
        }
    }
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
