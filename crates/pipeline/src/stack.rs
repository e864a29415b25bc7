//! The column, outermost layer first. This table is the order; each row says why it stands there.
//!
//! Layers to come have their places: once between `rate_limit` and `fallback`.

use crate::{
    Error, attempt, audit, authorize, bulkhead, cache, catch, circuit_breaker, deadline, door, fallback, find,
    layer::{Check, Layer, Opening, Step},
    observe, rate_limit, repeats, require, retry, validate,
};

/// One step: its name, and how it is opened.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    open: Open,
}

/// How a layer or a check is opened. Opening precomputes what does not change from call to call.
enum Open {
    Layer(fn(&mut Opening<'_>) -> Result<Box<dyn Layer>, Error>),
    Check(fn(&mut Opening<'_>) -> Result<Box<dyn Check>, Error>),
}

impl Row {
    pub(crate) fn open(&self, opening: &mut Opening<'_>) -> Result<Step, Error> {
        match self.open {
            Open::Layer(open) => open(opening).map(Step::Layer),
            Open::Check(open) => open(opening).map(Step::Check),
        }
    }
}

/// There is a bit for each step.
const _: () = assert!(STACK.len() <= u32::BITS as usize);

/// All layers.
pub(crate) const STACK: &[Row] = &[
    // Outermost: what the caller waits for includes the record, so the record's time is measured too.
    Row { name: "observe", open: Open::Layer(observe::open) },
    // Above everything that can refuse: refused calls are written down like served ones.
    Row { name: "audit", open: Open::Layer(audit::open) },
    // Below audit: a panic anywhere underneath is a fault by the time it is written down, and its permits are free again.
    Row { name: "catch", open: Open::Layer(catch::open) },
    // Above all work: a gate that closes starts nothing new, and cancels from here what does not end in time.
    Row { name: "door", open: Open::Layer(door::open) },
    // Above everything that can refuse for good: what is repeated in vain is refused without being looked at again.
    Row { name: "repeats", open: Open::Layer(repeats::open) },
    // Below audit: who asks for what does not exist is on the record. Above the rest, which needs to know the tool.
    Row { name: "find", open: Open::Check(find::open) },
    // Above everything that answers: nobody learns more from a refused call than that it was refused.
    Row { name: "authorize", open: Open::Check(authorize::open) },
    // Above everything that counts or waits: bad arguments use up nobody's room.
    Row { name: "validate", open: Open::Check(validate::open) },
    // Below validate: conditions are about arguments that fit. Above all that keeps replies: who breaks one gets none of them.
    Row { name: "require", open: Open::Check(require::open) },
    // Below validate: bad arguments use up nobody's quota. Above the cache: a quota is about callers, so cache hits count.
    Row { name: "rate_limit", open: Open::Layer(rate_limit::open) },
    // Above everything that may fail for want of the backend. Above the cache too: what stands in for an answer is never kept as one.
    Row { name: "fallback", open: Open::Layer(fallback::open) },
    // Below validate: only calls that could be made are compared. Above everything that takes a place: a kept reply needs no backend.
    Row { name: "cache", open: Open::Layer(cache::open) },
    // Above bulkhead: nobody waits for a place at a backend that is known to be down. Below the cache: a kept reply needs no backend.
    Row { name: "circuit breaker", open: Open::Check(circuit_breaker::open) },
    // Above deadline: a call that waits for a place uses up its own time and has not begun.
    Row { name: "bulkhead", open: Open::Layer(bulkhead::open) },
    // Below everything that may refuse: only what is about to be changed is announced. Above retry: once is enough.
    Row { name: "intend", open: Open::Layer(audit::open_intend) },
    // Below bulkhead: a call keeps its place while it is tried again, so that retries never queue behind new calls.
    Row { name: "retry", open: Open::Layer(retry::open) },
    // Below bulkhead: waiting for a place is not the backend's fault. Above deadline: running out of time is.
    Row { name: "attempt", open: Open::Layer(attempt::open) },
    // Innermost: when time is up it drops the backend's work and nothing else.
    Row { name: "deadline", open: Open::Layer(deadline::open) },
];
