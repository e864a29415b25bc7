//! Putting a gate together.

use std::{
    collections::HashMap,
    sync::{Arc, Weak},
    time::Duration,
};

use callgate_model::{BackendName, Call, Caller, Catalog, Effect, Invoke, Item, Target, Tool};
use prometheus_client::registry::Registry;

use super::{Gate, Parts, Running, probes::Probes};
use crate::{
    Carried, Config, Error,
    audit::Strangers,
    authorize::{Authority, House},
    circuit_breaker::Circuits,
    layer::{Column, Opening, Tenants, Ticket},
    metrics::{Backends, Process},
    redact::Redaction,
    stack::STACK,
    trace::meters::Meters,
};

impl Gate {
    /// Checks and puts together what `parts` describe. Starts nothing.
    pub fn open(parts: Parts) -> Result<Arc<Self>, Error> {
        let Parts { identity, backends, identify, store, shared, settings, notices, traces, before, clock } = parts;
        let catalog = Arc::new(Catalog::of(backends.iter().cloned())?);
        let redaction = Arc::new(Redaction::new(&settings.audit, &catalog));
        let house = if identify.is_some() { House::Closed } else { House::Open };
        let authority = Arc::new(Authority::open(&catalog, &settings.calls.authorize, house)?);
        let running = Arc::new(Running::default());
        let mut registry = Registry::default();
        let names: Vec<_> = backends.iter().map(|(name, _)| name.clone()).collect();
        let circuits = Arc::new(Circuits::new(&names, &settings, &before, &mut registry));
        let mut carried = Carried { circuits: circuits.carried(), ..Carried::default() };
        let mut opening = Opening {
            catalog: &catalog,
            backends: &names,
            tenants: if identify.is_some() { Tenants::Many } else { Tenants::One },
            circuits: &circuits,
            settings: &settings,
            store: &store,
            shared: &shared,
            clock,
            redaction: &redaction,
            authority: &authority,
            running: &running,
            registry: &mut registry,
            before: &before,
            carried: &mut carried,
        };
        let mut steps = Vec::with_capacity(STACK.len());
        for row in STACK {
            tracing::debug!(layer = row.name, "opening");
            steps.push(row.open(&mut opening)?);
        }
        let column = Arc::new(Column::new(steps, catalog.tools().len()));
        let strangers = Strangers::new(&store, clock, settings.audit.strangers, &mut registry);
        shared.register(&mut registry);
        registry.register_collector(Box::new(Process));
        traces.iter().for_each(|traces| registry.register_collector(Box::new(Meters(traces.clone()))));
        let targets = Targets::new(&catalog, &names, &settings.calls);
        Ok(Arc::new_cyclic(|me: &Weak<Self>| {
            let me: Weak<dyn Invoke> = me.clone();
            Self {
                identity: Arc::new(identity),
                backends: Backends(backends),
                identify,
                strangers,
                local: Caller::local(),
                store,
                targets,
                column,
                registry,
                notices,
                running,
                traces,
                carried,
                probes: Probes::new(&settings.calls),
                catalog,
                authority,
                redaction,
                me,
            }
        }))
    }
}

/// What is fixed about each target.
pub(super) struct Targets {
    tools: HashMap<Box<str>, usize>,
    backends: Vec<BackendName>,
    limits: Vec<Limit>,
    default: Duration,
    settle: Duration,
}

struct Limit {
    backend: Option<usize>,
    span: Duration,
    effect: Effect,
}

impl Targets {
    fn new(catalog: &Catalog, backends: &[BackendName], config: &Config) -> Self {
        let default = config.deadline.get();
        let tools = catalog.tools().iter();
        let limit = |item: &Item<Tool>| Limit {
            backend: position(backends, &item.backend_name),
            span: item.offer.deadline.unwrap_or(default),
            effect: item.offer.effect,
        };
        Self {
            tools: tools.clone().enumerate().map(|(index, item)| (item.offer.name.as_str().into(), index)).collect(),
            backends: backends.to_vec(),
            limits: tools.map(|item| limit(item)).collect(),
            default,
            settle: config.settle.get(),
        }
    }

    /// Where a tool stands in the catalog.
    pub(super) fn place(&self, target: &Target) -> Option<usize> {
        match target {
            Target::Tool(name) => self.tools.get(name.as_str()).copied(),
            Target::Resource(_) | Target::Prompt(_) | Target::Completion { .. } => None,
        }
    }

    /// Finds the backend and sets the deadline of the call. Time that was used before stays used. `tool` exists for the caller, `named`
    /// whoever calls.
    pub(super) fn admit(&self, call: &mut Call, tool: Option<usize>, named: Option<usize>) -> Ticket {
        let limit = tool.map(|tool| &self.limits[tool]);
        let answer_by = call.deadline.within(limit.map_or(self.default, |limit| limit.span));
        let writes = limit.is_some_and(|limit| limit.effect != Effect::Read);
        let span = answer_by.span();
        call.deadline = if writes { answer_by.within(span - self.settle.min(span / 10)) } else { answer_by };
        let other = || call.found.backend().and_then(|(name, _)| position(&self.backends, name));
        let backend = limit.map_or_else(other, |limit| limit.backend);
        Ticket { tool, named, backend, answer_by }
    }
}

fn position(backends: &[BackendName], name: &BackendName) -> Option<usize> {
    backends.iter().position(|own| own == name)
}
