//! One audit record: as the pipeline makes it, and as it is read back.

use std::{sync::Arc, time::Duration};

use callgate_model::{BackendName, Caller, Effect, Origin, RequestId};
use jiff::Timestamp;

/// One call, refused or served. Made from shared parts, so that making it costs little.
#[derive(Clone, Debug)]
pub struct Record {
    /// When the call came.
    pub at: Timestamp,
    /// The id under which reply and log are found. Calls made by a call bear the id of the call above them.
    pub request: RequestId,
    /// How many calls stand above this one.
    pub depth: u8,
    /// Who called.
    pub caller: Arc<Caller>,
    /// Where the call came from: transport, revision, session, trace.
    pub origin: Arc<Origin>,
    /// What was called.
    pub subject: Subject,
    /// The arguments as JSON, redacted.
    pub arguments: String,
    /// `ok`, `error` (the tool's own), `asked`, or the fault's code.
    pub outcome: &'static str,
    /// From the first layer to the outcome.
    pub duration: Duration,
}

/// What a call was aimed at.
#[derive(Clone, Debug)]
pub struct Subject {
    /// `tool`, `resource`, `prompt`, `completion`.
    pub sort: &'static str,
    /// Its name or URI as the caller wrote it, shortened.
    pub name: String,
    /// The backend, if there is such a thing.
    pub backend: Option<BackendName>,
    /// What the call does to the world, if there is such a thing.
    pub effect: Option<Effect>,
}

/// A record as it is read back.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the members are those of `Record` and `Subject`")]
pub struct Entry {
    /// Its place in the log; grows by one.
    pub seq: i64,
    pub at: Timestamp,
    pub request: String,
    pub depth: u8,
    pub caller: String,
    pub transport: String,
    pub revision: String,
    pub session: Option<String>,
    pub traceparent: Option<String>,
    pub sort: String,
    pub name: String,
    pub backend: Option<String>,
    pub effect: Option<String>,
    pub arguments: String,
    pub outcome: String,
    /// Microseconds.
    pub duration: u64,
}

impl Entry {
    /// `record` at place `seq`.
    pub(crate) fn of(seq: i64, record: Record) -> Self {
        let Record { at, request, depth, caller, origin, subject, arguments, outcome, duration } = record;
        Self {
            seq,
            at,
            request: request.to_string(),
            depth,
            caller: caller.id().as_ref().into(),
            transport: origin.transport.into(),
            revision: origin.revision.into(),
            session: origin.session.clone(),
            traceparent: origin.traceparent.clone(),
            sort: subject.sort.into(),
            name: subject.name,
            backend: subject.backend.map(|name| name.to_string()),
            effect: subject.effect.map(|effect| effect.as_str().into()),
            arguments,
            outcome: outcome.into(),
            duration: micros(duration),
        }
    }
}

/// Whole microseconds; what does not fit is more than half a million years.
pub(crate) fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
