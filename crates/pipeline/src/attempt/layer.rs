//! The layer.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use callgate_model::{Call, Deadline, Fault, Kind, Reply};
use tokio::time::Instant;

use crate::{
    Error,
    circuit_breaker::{Circuits, Source, Verdict},
    layer::{Layer, Next, Opening, Tenants},
};

struct Attempt {
    circuits: Arc<Circuits>,
    /// From when on an answer is slow, by tool.
    slow: Vec<Duration>,
    tenants: Tenants,
}

pub(crate) fn open(opening: &mut Opening<'_>) -> Result<Box<dyn Layer>, Error> {
    let circuits = opening.circuits.clone();
    let general = |name| opening.backends.iter().position(|own| own == name).map(|backend| circuits.terms(backend).slow_after);
    let tools = opening.catalog.tools().iter();
    let slow = tools.map(|item| {
        let own = item.offer.deadline.map_or(Duration::ZERO, |deadline| deadline / 2);
        general(&item.backend_name).unwrap_or_default().max(own)
    });
    Ok(Box::new(Attempt { slow: slow.collect(), circuits, tenants: opening.tenants }))
}

#[async_trait]
impl Layer for Attempt {
    async fn call(&self, call: &Call, next: Next<'_>) -> Result<Reply, Fault> {
        let ticket = next.ticket();
        let (Some(backend), Some((name, _))) = (ticket.backend, call.found.backend()) else { return next.run(call).await };
        let permit = self.circuits.enter(backend).inspect_err(|_| next.note("callgate.breaker.state", "open"))?;
        if let Some(step) = next.step() {
            step.note("callgate.attempt", step.place());
            step.note("callgate.breaker.state", if self.circuits.is_closed(backend) { "closed" } else { "half_open" });
        }
        let begun = Instant::now();
        // What is left of a deadline after waiting for a place may be too little for any backend.
        let is_fair = ticket.answer_by.at().saturating_duration_since(begun) * 2 >= ticket.answer_by.span();
        let result = next.run(call).await.map_err(|fault| fault.at(name));
        let verdict = match &result {
            Err(fault) if fault.backend() != Some(name) => Verdict::Void,
            Err(fault) => judge(fault, is_fair, ticket.answer_by),
            Ok(_) => Verdict::Good,
        };
        let slow = ticket.tool.map_or_else(|| self.circuits.terms(backend).slow_after, |tool| self.slow[tool]);
        let verdict = if verdict == Verdict::Good && begun.elapsed() >= slow { Verdict::Slow } else { verdict };
        self.circuits.end(backend, permit, verdict, Source::of(self.tenants, call.caller.tenant(), ticket.tool));
        result
    }
}

/// What a fault says about the backend.
fn judge(fault: &Fault, is_fair: bool, answer_by: Deadline) -> Verdict {
    match fault.kind() {
        Kind::Timeout if is_fair && fault.is_ended() => Verdict::Slow,
        Kind::Timeout if is_fair => Verdict::Silent,
        // A write that was cut off.
        Kind::Unclear if answer_by.left().is_zero() => Verdict::Silent,
        Kind::Unavailable { .. } | Kind::Unclear => Verdict::Bad,
        Kind::Unknown { .. } | Kind::Request | Kind::Arguments | Kind::Refused | Kind::NotFound => Verdict::Good,
        _ => Verdict::Void,
    }
}
