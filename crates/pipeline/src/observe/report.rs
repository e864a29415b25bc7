//! What is logged about failures of one target: so many of each sort in ten seconds, with all that helps to find the cause, and how many
//! more there were. What was refused because the backend is taken for down is one sort, which has one line: the lines of what took it
//! down are beside it.

use callgate_model::{Call, Fault, Kind, Trace};
use tracing::{debug, error, warn};

use crate::{
    sparing::{Sparing, Told},
    subject::subject,
};

/// The sorts, as they are called in the log.
const SORTS: [&str; 5] = ["timeout", "unavailable", "refused at once", "unclear", "internal"];

/// Says which failures of one target have a line of their own.
#[derive(Debug)]
pub(super) struct Report {
    target: String,
    sorts: [Sparing; SORTS.len()],
}

impl Report {
    /// `most` of each sort in ten seconds.
    pub(super) fn new(target: String, most: u32) -> Self {
        Self { target, sorts: SORTS.map(|sort| Sparing::new(if sort == "refused at once" { 1 } else { most })) }
    }

    /// Logs a failure where it is handled: at the top. What a call within a call meets is told by the call above it.
    pub(super) fn failed(&self, call: &Call, fault: &Fault) {
        let sort = match fault.kind() {
            _ if call.depth > 0 => return say(call, fault),
            Kind::Timeout => 0,
            Kind::Unavailable { retry_after: None } => 1,
            Kind::Unavailable { .. } => 2,
            Kind::Unclear => 3,
            Kind::Internal => 4,
            _ => return say(call, fault),
        };
        let Told { itself, untold } = self.sorts[sort].ask();
        self.count(sort, untold);
        if itself {
            say(call, fault);
        }
    }

    fn count(&self, sort: usize, untold: Option<u64>) {
        if let Some(untold) = untold {
            warn!(tool = self.target, kind = SORTS[sort], calls = untold, "more calls failed, which are not logged one by one");
        }
    }
}

impl Drop for Report {
    fn drop(&mut self) {
        for (sort, sparing) in self.sorts.iter().enumerate() {
            self.count(sort, sparing.rest());
        }
    }
}

fn say(call: &Call, fault: &Fault) {
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
