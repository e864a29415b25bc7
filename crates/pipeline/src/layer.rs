//! What a layer is, and how one calls the next.
//!
//! A [`Layer`] sees every call on its way down and every reply on its way up. It may refuse, wait, look at the reply, or call the
//! rest again (a retry); it never changes the call. Dropping the future of a layer cancels the call, so a layer that must do
//! something in any case does it in a guard's `Drop`. A [`Check`] is a layer that only looks at the way down and never waits.
//!
//! A layer costs one boxed future per call and should allocate nothing else, a check costs none: whatever is fixed per tool is made
//! when the gate opens and found by [`Ticket::tool`], the tool's index in the catalog. Calls of tools that a layer does not concern
//! pass it by.

use std::{
    future::{Future, ready},
    pin::Pin,
    sync::Arc,
};

use async_trait::async_trait;
use callgate_model::{BackendName, Call, Catalog, Clock, Deadline, Fault, Note, Reply, Trace};
use callgate_store::{Store, shared::Shared};
use prometheus_client::registry::Registry;

use crate::{
    Carried, Settings,
    audit::Entry,
    authorize::{Authority, Judgement},
    circuit_breaker::Circuits,
    gate::{Running, dispatch},
    redact::Redaction,
    trace,
};

/// One step of the column.
#[async_trait]
pub(crate) trait Layer: Send + Sync {
    /// Whether calls of this tool need the layer; `None` stands for all that is no tool. Asked once, when the gate opens.
    fn concerns(&self, _tool: Option<usize>) -> bool {
        true
    }

    /// Decides about `call`; `next` is the rest of the column.
    async fn call(&self, call: &Call, next: Next<'_>) -> Result<Reply, Fault>;
}

/// A step that refuses a call or lets it pass, at once, and does not look at the reply.
pub(crate) trait Check: Send + Sync {
    /// Whether calls of this tool need the check; `None` stands for all that is no tool. Asked once, when the gate opens.
    fn concerns(&self, _tool: Option<usize>) -> bool {
        true
    }

    /// Refuses `call`, or does not.
    fn check(&self, call: &Call, next: &Next<'_>) -> Result<(), Fault>;
}

/// A step of either sort.
pub(crate) enum Step {
    Layer(Box<dyn Layer>),
    Check(Box<dyn Check>),
}

/// What comes of a call, when it is done.
pub(crate) type Outcome<'a> = Pin<Box<dyn Future<Output = Result<Reply, Fault>> + Send + 'a>>;

/// All steps of a gate, outermost first.
pub(crate) struct Column {
    steps: Box<[Step]>,
    /// For each tool, the steps that concern it, a bit each; what is no tool comes last.
    paths: Box<[Path]>,
}

/// A set of steps. The lowest bit is the outermost step.
type Path = u32;

/// The layers below the one that holds this, and the backend at their end.
#[derive(Clone, Copy)]
pub(crate) struct Next<'a> {
    column: &'a Arc<Column>,
    ahead: Path,
    ticket: &'a Ticket,
    entry: Option<&'a Entry<'a>>,
    judgement: &'a Judgement,
    /// The step of the layer that holds this, if the call is sampled.
    trace: Option<&'a Trace>,
}

/// The same for reads that outlive the call they were begun for. They add nothing to its record.
#[derive(Clone)]
pub(crate) struct Rest {
    column: Arc<Column>,
    ahead: Path,
    ticket: Ticket,
    judgement: Arc<Judgement>,
    trace: Option<Trace>,
}

/// What the gate worked out about a call, for all layers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ticket {
    /// The tool's index in [`Catalog::tools`], if a tool of that name exists for the caller.
    pub(crate) tool: Option<usize>,
    /// The same for a tool that the caller may not know of: what is written down is redacted by its rules all the same.
    pub(crate) named: Option<usize>,
    /// The backend's index in [`Opening::backends`], if the target exists.
    pub(crate) backend: Option<usize>,
    /// By when the call is answered. For a write this is later than `call.deadline`, which is what the backend is told: the time
    /// between the two is there to come to a known end.
    pub(crate) answer_by: Deadline,
}

impl Step {
    fn concerns(&self, tool: Option<usize>) -> bool {
        match self {
            Self::Layer(layer) => layer.concerns(tool),
            Self::Check(check) => check.concerns(tool),
        }
    }
}

impl Column {
    /// The column of `steps` for a catalog of so many tools.
    pub(crate) fn new(steps: Vec<Step>, tools: usize) -> Self {
        let path = |tool: Option<usize>| {
            steps.iter().enumerate().filter(|(_, step)| step.concerns(tool)).fold(0, |path: Path, (place, _)| path | 1 << place)
        };
        Self { paths: (0..tools).map(Some).chain([None]).map(path).collect(), steps: steps.into() }
    }

    fn path(&self, tool: Option<usize>) -> Path {
        self.paths[tool.unwrap_or(self.paths.len() - 1)]
    }
}

impl<'a> Next<'a> {
    /// The whole column, as far as it concerns the call.
    pub(crate) fn column(column: &'a Arc<Column>, ticket: &'a Ticket, judgement: &'a Judgement, trace: Option<&'a Trace>) -> Self {
        Self { column, ahead: column.path(ticket.tool), ticket, entry: None, judgement, trace }
    }

    /// What the gate worked out about the call.
    pub(crate) fn ticket(&self) -> &'a Ticket {
        self.ticket
    }

    /// The same below the layer that writes the call's record.
    pub(crate) fn noting(self, entry: &'a Entry<'a>) -> Self {
        Self { entry: Some(entry), ..self }
    }

    /// The call's record in the making.
    pub(crate) fn entry(&self) -> Option<&'a Entry<'a>> {
        self.entry
    }

    /// Who the caller is to the gate, and which rule decided.
    pub(crate) fn judgement(&self) -> &'a Judgement {
        self.judgement
    }

    /// The same for the layer whose step this is.
    pub(crate) fn at(self, step: &'a Trace) -> Self {
        Self { trace: Some(step), ..self }
    }

    /// The step of the layer that holds this, if the call is sampled.
    pub(crate) fn step(&self) -> Option<&'a Trace> {
        self.trace
    }

    /// Notes something about the layer that holds this, if the call is sampled: from the code or the catalog, never what a caller wrote.
    pub(crate) fn note(&self, key: &'static str, value: impl Into<Note>) {
        if let Some(trace) = self.trace {
            trace.note(key, value);
        }
    }

    /// Lets the call go on. Checks that come next are made here, before there is a future.
    pub(crate) fn run(mut self, call: &'a Call) -> Outcome<'a> {
        while self.ahead != 0 {
            let place = self.ahead.trailing_zeros() as usize;
            self.ahead &= self.ahead - 1;
            let refused = match (&self.column.steps[place], self.trace) {
                (Step::Layer(layer), None) => return layer.call(call, self),
                (Step::Layer(layer), Some(above)) => return Box::pin(trace::through(above, place, layer.as_ref(), call, self)),
                (Step::Check(check), None) => check.check(call, &self),
                (Step::Check(check), Some(above)) => trace::check(above, place, check.as_ref(), call, self),
            };
            if let Err(fault) = refused {
                return Box::pin(ready(Err(fault)));
            }
        }
        match self.trace {
            None => Box::pin(dispatch(call)),
            Some(above) => Box::pin(trace::dispatch(above, call)),
        }
    }

    /// The rest of the column, to keep.
    pub(crate) fn keep(self) -> Rest {
        Rest {
            column: self.column.clone(),
            ahead: self.ahead,
            ticket: *self.ticket,
            judgement: Arc::new(self.judgement.renewed()),
            trace: self.trace.cloned(),
        }
    }
}

impl Rest {
    /// Notes something about the layer that kept this, if the call is sampled.
    pub(crate) fn note(&self, key: &'static str, value: &'static str) {
        self.trace.iter().for_each(|trace| trace.note(key, value));
    }

    /// By when the call is answered.
    pub(crate) fn answer_by(&self) -> Deadline {
        self.ticket.answer_by
    }

    /// The same with another time to be answered by.
    pub(crate) fn by(self, answer_by: Deadline) -> Self {
        Self { ticket: Ticket { answer_by, ..self.ticket }, ..self }
    }

    /// Lets the call go on.
    pub(crate) fn run<'a>(&'a self, call: &'a Call) -> Outcome<'a> {
        let Self { column, ahead, ticket, judgement, trace } = self;
        Next { column, ahead: *ahead, ticket, entry: None, judgement, trace: trace.as_ref() }.run(call)
    }
}

/// How many organisations call a gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tenants {
    /// One: the gate tells no callers apart.
    One,
    /// As many as its callers come from.
    Many,
}

/// What layers are opened from.
pub(crate) struct Opening<'a> {
    /// Everything on offer.
    pub(crate) catalog: &'a Catalog,
    /// The names of all backends.
    pub(crate) backends: &'a [BackendName],
    /// Whose calls share the gate.
    pub(crate) tenants: Tenants,
    /// What is known about how the backends are.
    pub(crate) circuits: &'a Arc<Circuits>,
    /// What the operator wrote.
    pub(crate) settings: &'a Settings,
    /// The gate's own state.
    pub(crate) store: &'a Arc<dyn Store>,
    /// What replicas share.
    pub(crate) shared: &'a Arc<dyn Shared>,
    /// Wall-clock time.
    pub(crate) clock: Clock,
    /// What must not be written down or repeated.
    pub(crate) redaction: &'a Arc<Redaction>,
    /// Who may do what.
    pub(crate) authority: &'a Arc<Authority>,
    /// The calls under way.
    pub(crate) running: &'a Arc<Running>,
    /// Where a layer registers its metrics.
    pub(crate) registry: &'a mut Registry,
    /// What the gate before this one leaves.
    pub(crate) before: &'a Carried,
    /// What this gate will leave.
    pub(crate) carried: &'a mut Carried,
}
