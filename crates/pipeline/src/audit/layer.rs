//! The layer.

use std::sync::Arc;

use async_trait::async_trait;
use callgate_model::{Call, Effect, Fault, Reply};
use prometheus_client::{encoding::NoLabelSet, metrics::counter::Counter};
use tokio::time::timeout_at;

use super::entry::{Desk, Entry, effect, unrecordable};
use crate::{
    Error,
    lanes::Lanes,
    layer::{Layer, Next, Opening},
    metrics::{Figure, Gauges},
    outcome,
};

struct Audit {
    desk: Arc<Desk>,
}

pub(crate) fn open(opening: &mut Opening<'_>) -> Result<Box<dyn Layer>, Error> {
    let desk = Arc::new(Desk {
        store: opening.store.clone(),
        clock: opening.clock,
        redaction: opening.redaction.clone(),
        slots: Lanes::new(opening.settings.audit.queue),
        unwritten: Counter::default(),
    });
    opening.registry.register("mcp_audit_unwritten", "Calls whose record went to the log for want of room", desk.unwritten.clone());
    let watched = desk.clone();
    opening.registry.register_collector(Box::new(Gauges(move || figures(&watched))));
    Ok(Box::new(Audit { desk }))
}

#[async_trait]
impl Layer for Audit {
    async fn call(&self, call: &Call, next: Next<'_>) -> Result<Reply, Fault> {
        let mut entry = Entry::begin(&self.desk, call, next);
        let refused = next.judgement().refusal();
        let writes = refused.is_none() && effect(call).is_some_and(|effect| effect != Effect::Read);
        let admitted = match self.desk.store.audit().is_failing() {
            true if writes => Err(unrecordable()),
            true => Ok(()),
            false => entry.wait_for_slot().await,
        };
        if let Err(fault) = admitted {
            let result = Err(fault);
            entry.finish(&result);
            return result;
        }
        let result = match refused {
            None => next.noting(&entry).run(call).await,
            Some(fault) => Err(fault.clone()),
        };
        if !writes || outcome::is_harmless(&result) {
            entry.finish(&result);
            return result;
        }
        let Some(written) = entry.finish_durably(&result) else { return result };
        match timeout_at(next.ticket().answer_by.at(), written).await {
            Ok(Ok(())) => result,
            // A failure stays what it is: nobody is told that a change was made.
            Ok(Err(_)) | Err(_) => result.and(Err(unrecorded())),
        }
    }
}

/// Announces writes before they are made.
struct Intend {
    /// For each tool, whether it changes anything.
    writes: Vec<bool>,
}

/// The second row of this component: where a write is about to be made.
pub(crate) fn open_intend(opening: &mut Opening<'_>) -> Result<Box<dyn Layer>, Error> {
    Ok(Box::new(Intend { writes: opening.catalog.tools().iter().map(|item| item.offer.effect != Effect::Read).collect() }))
}

#[async_trait]
impl Layer for Intend {
    fn concerns(&self, tool: Option<usize>) -> bool {
        tool.is_some_and(|tool| self.writes[tool])
    }

    async fn call(&self, call: &Call, next: Next<'_>) -> Result<Reply, Fault> {
        if let Some(entry) = next.entry() {
            entry.intend().await?;
        }
        next.run(call).await
    }
}

fn unrecorded() -> Fault {
    Fault::unclear("the change was made but could not be put on record in time: look before you try again")
        .because("the record of a write was not durable before its deadline")
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn figures(desk: &Desk) -> Vec<Figure<NoLabelSet>> {
    let audit = desk.store.audit();
    let backlog = audit.backlog();
    let lag = backlog.oldest.map_or(0.0, |oldest| desk.clock.now().duration_since(oldest).as_secs_f64().max(0.0));
    let one = |name, help, value| Figure { name, help, values: vec![(None, value)] };
    vec![
        one("mcp_audit_queue", "Records that are not durable yet", backlog.records as f64),
        one("mcp_audit_slots_taken", "Calls and records that hold a place in the audit queue", desk.slots.taken() as f64),
        one("mcp_audit_lag_seconds", "Age of the oldest record that is not durable yet", lag),
        one("mcp_audit_failing", "1 while the audit log cannot be written", f64::from(u8::from(audit.is_failing()))),
    ]
}
