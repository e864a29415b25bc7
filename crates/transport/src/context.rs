//! The trace that a request says it belongs to. It is believed as far as it has the form; everything else is as if it were not there.

use callgate_model::{Origin, TraceParent, is_tracestate};
use callgate_protocol::Given;

/// W3C trace context of the right form.
#[derive(Clone)]
pub(crate) struct Context {
    parent: String,
    state: Option<String>,
}

impl Context {
    /// What `traceparent` and, beside it, `tracestate` say.
    pub(crate) fn of(parent: Option<&str>, state: impl FnOnce() -> Option<String>) -> Option<Self> {
        let parent = parent.filter(|parent| TraceParent::parse(parent).is_some())?.to_owned();
        Some(Self { parent, state: state().filter(|state| is_tracestate(state)) })
    }

    /// What the message itself says.
    pub(crate) fn given(given: &Given) -> Option<Self> {
        let (parent, state) = given.context();
        Self::of(parent, || state.map(Into::into))
    }

    /// `usual` with this context.
    pub(crate) fn added(context: Option<Self>, usual: &Origin) -> Origin {
        match context {
            Some(Self { parent, state }) => Origin { traceparent: Some(parent), tracestate: state, ..usual.clone() },
            None => usual.clone(),
        }
    }
}
