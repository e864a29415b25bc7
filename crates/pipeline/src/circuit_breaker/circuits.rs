//! The circuits of all backends, with their metrics and their lines in the log.

use std::{sync::Arc, time::Duration};

use callgate_model::{BackendName, Fault, Kind};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};
use tracing::{info, warn};

use super::{
    Permit, Source, Terms, Verdict,
    circuit::{Circuit, State},
};
use crate::{
    Carried, Settings,
    carried::Standing,
    metrics::{BackendLabels, Figure, Gauges},
};

/// One circuit for each backend, in the order of [`crate::layer::Opening::backends`].
#[derive(Debug)]
pub(crate) struct Circuits(Arc<[Line]>);

#[derive(Debug)]
struct Line {
    name: BackendName,
    declared: Option<[u8; 32]>,
    circuit: Arc<Circuit>,
    refused: Counter,
    /// To closed, half-open and open.
    turned: [Counter; 3],
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Turn {
    backend: String,
    to: &'static str,
}

impl Circuits {
    /// A circuit that stood before, of a backend that is declared in the same way, and is set in the same way goes on as it is.
    pub(crate) fn new(names: &[BackendName], settings: &Settings, before: &Carried, registry: &mut Registry) -> Self {
        let Settings { calls: config, declared, .. } = settings;
        let general = Terms::default().with(&config.breaker);
        let (refusals, turns) = (Family::<BackendLabels, Counter>::default(), Family::<Turn, Counter>::default());
        registry.register("mcp_breaker_refusals", "Calls and attempts refused because their backend is down", refusals.clone());
        registry.register("mcp_breaker_transitions", "Changes of a breaker's state, by the new state", turns.clone());
        let line = |name: &BackendName| {
            let terms = config.backends.get(name.as_str()).map_or_else(|| general.clone(), |own| general.with(&own.breaker));
            let turned = |to| turns.get_or_create_owned(&Turn { backend: name.to_string(), to });
            let declared = declared.get(name).copied();
            Line {
                name: name.clone(),
                declared,
                circuit: stands(before, name, declared, &terms).unwrap_or_else(|| Arc::new(Circuit::new(terms))),
                refused: refusals.get_or_create_owned(&BackendLabels::of(name)),
                turned: ["closed", "half_open", "open"].map(turned),
            }
        };
        let lines: Arc<[Line]> = names.iter().map(line).collect();
        let seen = lines.clone();
        registry.register_collector(Box::new(Gauges(move || figures(&seen))));
        Self(lines)
    }

    /// For the gate that takes the place of this one.
    pub(crate) fn carried(&self) -> Vec<Standing> {
        let standing =
            |Line { name, declared, circuit, .. }: &Line| Standing { backend: name.clone(), declared: *declared, circuit: circuit.clone() };
        self.0.iter().map(standing).collect()
    }

    /// How the circuit of this backend is set.
    pub(crate) fn terms(&self, backend: usize) -> &Terms {
        self.0[backend].circuit.terms()
    }

    /// Whether a call of this backend has a chance. A refusal is counted.
    pub(crate) fn ask(&self, backend: usize) -> Result<(), Fault> {
        let line = &self.0[backend];
        line.circuit.ask().map_err(|wait| line.refuse(wait))
    }

    /// Nothing speaks against calling this backend once more than its callers asked for.
    pub(crate) fn is_closed(&self, backend: usize) -> bool {
        self.0[backend].circuit.state() == State::Closed
    }

    /// Leave to make one attempt.
    pub(crate) fn enter(&self, backend: usize) -> Result<Permit<'_>, Fault> {
        let line = &self.0[backend];
        let before = line.circuit.state();
        let permit = line.circuit.enter().map_err(|wait| line.refuse(wait))?;
        if before == State::Open {
            line.turned[State::HalfOpen as usize].inc();
        }
        Ok(permit)
    }

    /// An attempt ended.
    pub(crate) fn end(&self, backend: usize, permit: Permit<'_>, verdict: Verdict, source: Source) {
        let Some(to) = permit.end(verdict, source) else { return };
        let line = &self.0[backend];
        line.turned[to as usize].inc();
        let name = &line.name;
        if to == State::Open {
            warn!(backend = %name, "`{name}` is taken for down: its calls are refused for a while, then it is tried again");
        } else {
            info!(backend = %name, "`{name}` is back: its calls pass again");
        }
    }
}

impl Line {
    fn refuse(&self, wait: Duration) -> Fault {
        self.refused.inc();
        away(&self.name, wait)
    }
}

fn stands(before: &Carried, name: &BackendName, declared: Option<[u8; 32]>, terms: &Terms) -> Option<Arc<Circuit>> {
    let is_same = |own: &&Standing| own.backend == *name && own.declared == declared && own.circuit.terms() == terms;
    before.circuits.iter().find(is_same).map(|standing| standing.circuit.clone())
}

/// The refusal of a call whose backend is known to be down.
fn away(backend: &BackendName, wait: Duration) -> Fault {
    let seconds = wait.as_millis().div_ceil(1000).max(1);
    let message = format!("`{backend}` cannot be reached just now: nothing was done; try again in {seconds} s, not before");
    Fault::new(Kind::Unavailable { retry_after: Some(wait) }, message).because("the circuit breaker is open").at(backend)
}

fn figures(lines: &[Line]) -> Vec<Figure<BackendLabels>> {
    let value = |line: &Line| (Some(BackendLabels::of(&line.name)), f64::from(line.circuit.state() as u8));
    let help = "Whether calls of a backend pass: 0 closed (they do), 1 half-open (it is being tried), 2 open (they are refused)";
    vec![Figure { name: "mcp_breaker_state", help, values: lines.iter().map(value).collect() }]
}
