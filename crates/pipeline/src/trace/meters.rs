//! How many traces were sent, dropped, and wait.

use std::{fmt, sync::Arc};

use callgate_model::{Tally, Traces};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, NoLabelSet},
    metrics::MetricType,
};

/// Asks when somebody looks.
pub(crate) struct Meters(pub(crate) Arc<dyn Traces>);

impl fmt::Debug for Meters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Meters")
    }
}

impl Collector for Meters {
    #[expect(clippy::cast_precision_loss, reason = "there are fewer than 2^52 traces that wait")]
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let Tally { exported, dropped, waiting } = self.0.tally();
        let counter = MetricType::Counter;
        let help = "Traces that the collector has taken";
        encoder.encode_descriptor("mcp_traces_exported", help, None, counter)?.encode_counter::<NoLabelSet, _, u64>(&exported, None)?;
        let mut lost = encoder.encode_descriptor("mcp_traces_dropped", "Traces that were not sent, by reason", None, counter)?;
        for (reason, count) in dropped {
            lost.encode_family(&[("reason", reason)])?.encode_counter::<NoLabelSet, _, u64>(&count, None)?;
        }
        let help = "Traces that wait to be sent";
        encoder.encode_descriptor("mcp_traces_waiting", help, None, MetricType::Gauge)?.encode_gauge(&(waiting as f64))
    }
}
