//! The layer.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use aws_lc_rs::rand;
use callgate_model::{BackendName, Call, Effect, Fault, Kind, Reply};
use prometheus_client::{
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};
use tokio::time::sleep;

use super::{budget::Budget, config::Terms, hedge};
use crate::{
    Error,
    circuit_breaker::Circuits,
    layer::{Layer, Next, Opening},
    metrics::BackendLabels,
};

struct Retry {
    circuits: Arc<Circuits>,
    tools: Vec<Tool>,
    backends: Vec<Backend>,
}

/// What may be done for a tool.
#[derive(Clone, Copy)]
struct Tool {
    /// It only reads.
    reads: bool,
    /// Calling it twice is the same as calling it once.
    repeats: bool,
    hedge: Option<Duration>,
}

/// Everything that is not a tool only reads.
const CONTENT: Tool = Tool { reads: true, repeats: true, hedge: None };

struct Backend {
    name: BackendName,
    terms: Terms,
    budget: Budget,
    retried: Counter,
    hedged: Counter,
    unaffordable: Counter,
}

pub(crate) fn open(opening: &mut Opening<'_>) -> Result<Box<dyn Layer>, Error> {
    let tool = |tool: &callgate_model::Tool| {
        let reads = tool.effect == Effect::Read;
        Tool { reads, repeats: reads || tool.idempotent, hedge: tool.terms.hedge.filter(|_| reads) }
    };
    let tools = opening.catalog.tools().iter().map(|item| tool(&item.offer)).collect();
    let calls = &opening.settings.calls;
    let general = Terms::default().with(&calls.retry);
    let terms = |name: &BackendName| calls.backends.get(name.as_str()).map_or(general, |own| general.with(&own.retry));
    let own = |name: &BackendName| (name.clone(), terms(name));
    let backends = backends(opening.backends.iter().map(own), opening.registry);
    Ok(Box::new(Retry { circuits: opening.circuits.clone(), tools, backends }))
}

fn backends(named: impl Iterator<Item = (BackendName, Terms)>, registry: &mut Registry) -> Vec<Backend> {
    let counters = || Family::<BackendLabels, Counter>::default();
    let (retried, hedged, unaffordable) = (counters(), counters(), counters());
    registry.register("mcp_retries", "Attempts made because one before had failed", retried.clone());
    registry.register("mcp_hedges", "Attempts made because the first had not answered yet", hedged.clone());
    registry.register("mcp_retry_budget_exhausted", "Attempts that were not made because the budget was spent", unaffordable.clone());
    let backend = |(name, terms): (BackendName, Terms)| {
        let labels = BackendLabels::of(&name);
        let [retried, hedged, unaffordable] = [&retried, &hedged, &unaffordable].map(|family| family.get_or_create_owned(&labels));
        Backend { name, budget: Budget::new(&terms), terms, retried, hedged, unaffordable }
    };
    named.map(backend).collect()
}

#[async_trait]
impl Layer for Retry {
    async fn call(&self, call: &Call, next: Next<'_>) -> Result<Reply, Fault> {
        let ticket = next.ticket();
        let Some(index) = ticket.backend else { return next.run(call).await };
        let (tool, backend) = (ticket.tool.map_or(CONTENT, |tool| self.tools[tool]), &self.backends[index]);
        backend.budget.add();
        let mut made = 0;
        loop {
            made += 1;
            let fault = match self.attempt(call, next, tool, index).await {
                Err(fault) if backend.is_worth(&fault, tool) && made < backend.terms.attempts => fault,
                result => return result,
            };
            let wait = random(backend.terms.longest(made));
            if wait >= call.deadline.left() || !self.may(index, &backend.retried) {
                return Err(fault);
            }
            next.note("callgate.attempts", i64::from(made) + 1);
            sleep(wait).await;
        }
    }
}

impl Retry {
    async fn attempt(&self, call: &Call, next: Next<'_>, tool: Tool, backend: usize) -> Result<Reply, Fault> {
        let Some(delay) = tool.hedge else { return next.run(call).await };
        hedge::race(next.run(call), delay, || self.may(backend, &self.backends[backend].hedged), || next.run(call)).await
    }

    /// One more attempt than there are calls may be made; then it is counted.
    fn may(&self, index: usize, counter: &Counter) -> bool {
        if !self.circuits.is_closed(index) {
            return false;
        }
        let backend = &self.backends[index];
        let affordable = backend.budget.take();
        if affordable {
            counter.inc()
        } else {
            backend.unaffordable.inc()
        };
        affordable
    }
}

impl Backend {
    /// Whether trying again can help and do no harm. What failed at another backend was tried again there.
    fn is_worth(&self, fault: &Fault, tool: Tool) -> bool {
        let arose_here = fault.backend() == Some(&self.name);
        match fault.kind() {
            Kind::Unavailable { .. } => tool.repeats && arose_here,
            // A read leaves nothing unclear.
            Kind::Unclear => tool.repeats && !tool.reads && arose_here,
            _ => false,
        }
    }
}

/// Some time up to `longest`.
fn random(longest: Duration) -> Duration {
    let mut bytes = [0; 4];
    rand::fill(&mut bytes).expect("the system's random numbers do not run out");
    longest.mul_f64(f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX))
}
