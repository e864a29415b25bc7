//! The layer.

use std::sync::Arc;

use async_trait::async_trait;
use callgate_model::{Call, Fault, Kind, Reply, Trace};
use prometheus_client::encoding::NoLabelSet;
use tokio::time::Instant;
use tracing::{debug, error, warn};

use super::meters::{Meter, Meters};
use crate::{
    Error,
    gate::Running,
    layer::{Layer, Next, Opening},
    metrics::{Figure, Gauges},
    subject::subject,
};

struct Observe {
    meters: Meters,
}

pub(crate) fn open(opening: &mut Opening<'_>) -> Result<Box<dyn Layer>, Error> {
    let running = opening.running.clone();
    opening.registry.register_collector(Box::new(Gauges(move || in_flight(&running))));
    Ok(Box::new(Observe { meters: Meters::new(opening.catalog, opening.registry) }))
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
        }
        if let Err(fault) = &result {
            report(call, fault);
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

/// Logs a failure where it is handled: at the top. What a call within a call meets is told by the call above it.
fn report(call: &Call, fault: &Fault) {
    let kind = fault.kind();
    let own = call.trace.as_ref().map(Trace::parent);
    macro_rules! say {
        ($level:ident, $text:literal) => {
            $level!(
                request = %call.request,
                tool = subject(call),
                caller = %call.caller.id(),
                tenant = %call.caller.tenant(),
                session = call.origin.session.as_deref(),
                traceparent = call.origin.traceparent.as_deref(),
                trace_id = own.map(|own| tracing::field::display(format!("{:032x}", own.trace))),
                span_id = own.map(|own| tracing::field::display(format!("{:016x}", own.span))),
                kind = kind.code(),
                error = fault.chain(),
                $text
            )
        };
    }
    match kind {
        _ if call.depth > 0 => say!(debug, "a call within a call failed"),
        Kind::Internal | Kind::Unclear => say!(error, "the call failed"),
        _ if kind.is_ours() => say!(warn, "the call failed"),
        // What callers do wrong is counted and on the audit record; logging it would let them write the log.
        _ => say!(debug, "the call was refused"),
    }
}
