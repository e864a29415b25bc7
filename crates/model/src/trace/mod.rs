//! A sampled call seen from the inside: which steps it took, how long each of them, and how they ended.
//!
//! It promises that a call which is not sampled carries nothing of this; that a step ends when its guard does, on whatever way a call
//! is left; that there is a bound on the steps; and that what is collected names nothing the caller wrote, apart from the request's id and the
//! trace context. It leaves to whoever implements [`Traces`] which calls are sampled and where the spans go.
//!
//! Most steps only let a call pass. When the last part of a call is gone, the steps worth seeing become spans: those that somebody
//! noted something about, that answered or failed by themselves, that called more than once, or that took their own time.

mod context;
mod recording;
mod settle;
mod span;

use async_trait::async_trait;

pub use context::{TraceParent, is_tracestate};
pub use recording::{Beginning, Step, Trace};
pub use span::{Collect, Ended, Note, Span, SpanKind, Spans};

use crate::Origin;

/// Decides which calls are sampled, and takes their spans.
#[async_trait]
pub trait Traces: Send + Sync {
    /// The first step of a call that came from `origin`; `None` if it is not sampled.
    fn begin(&self, origin: &Origin) -> Option<Step>;

    /// Whether spans say who called.
    fn names_callers(&self) -> bool;

    /// Sends what there is to send, now.
    async fn flush(&self);

    /// How many traces were sent so far, and how many were dropped, by reason.
    fn tally(&self) -> Tally;
}

/// What became of traces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Taken by the collector.
    pub exported: u64,
    /// Not taken, by reason.
    pub dropped: Vec<(&'static str, u64)>,
    /// Waiting to be sent.
    pub waiting: u64,
}

#[cfg(test)]
mod tests;
