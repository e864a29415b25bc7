//! The layer.

use std::sync::Arc;

use async_trait::async_trait;
use callgate_model::{Call, Fault, Reply};
use prometheus_client::encoding::NoLabelSet;
use tokio::time::Instant;

use super::meters::{Meter, Meters};
use crate::{
    Error,
    gate::Running,
    layer::{Layer, Next, Opening},
    metrics::{Figure, Gauges},
};

struct Observe {
    meters: Meters,
}

pub(crate) fn open(opening: &mut Opening<'_>) -> Result<Box<dyn Layer>, Error> {
    let running = opening.running.clone();
    opening.registry.register_collector(Box::new(Gauges(move || in_flight(&running))));
    Ok(Box::new(Observe { meters: Meters::new(opening.catalog, opening.settings.calls.logged, opening.registry) }))
}

#[expect(clippy::cast_precision_loss, reason = "there are fewer than 2^52 calls at once")]
fn in_flight(running: &Arc<Running>) -> Vec<Figure<NoLabelSet>> {
    let values = vec![(None, running.count() as f64)];
    vec![Figure { name: "mcp_calls_in_flight", help: "Calls under way, of all sorts", values }]
}

#[async_trait]
impl Layer for Observe {
    async fn call(&self, call: &Call, next: Next<'_>) -> Result<Reply, Fault> {
        let mut watch = Watch { meter: Some(self.meters.of(call, next.ticket().tool)), begun: Instant::now() };
        let result = next.run(call).await;
        if let Some(meter) = watch.meter.take() {
            self.meters.count(meter, &result, watch.begun.elapsed().as_secs_f64());
            if let Err(fault) = &result {
                meter.report.failed(call, fault);
            }
        }
        result
    }
}

/// Counts the call as cancelled if it is dropped on the way.
struct Watch<'a> {
    meter: Option<&'a Meter>,
    begun: Instant,
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        if let Some(meter) = self.meter {
            meter.cancelled(self.begun.elapsed().as_secs_f64());
        }
    }
}
