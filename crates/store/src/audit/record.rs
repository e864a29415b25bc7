//! One audit record: as the pipeline makes it, and as it is read back.

use std::{collections::HashMap, sync::Arc, time::Duration};

use callgate_model::{BackendName, Caller, Effect, Origin, RequestId};
use jiff::Timestamp;

use super::line::View;

/// One call, refused or served. Made from shared parts, so that making it costs little.
#[derive(Clone, Debug)]
pub struct Record {
    /// When the call came.
    pub at: Timestamp,
    /// The id under which reply and log are found. Calls made by a call bear the id of the call above them.
    pub request: RequestId,
    /// How many calls stand above this one.
    pub depth: u8,
    /// Who called, and how that was known.
    pub caller: Arc<Caller>,
    /// Where the call came from: transport, revision, session, trace.
    pub origin: Arc<Origin>,
    /// What was called.
    pub subject: Subject,
    /// The arguments as JSON, redacted.
    pub arguments: String,
    /// `ok`, `error` (the tool's own), `asked`, or the fault's code.
    pub outcome: &'static str,
    /// Why it was refused, in words for the operator, redacted.
    pub reason: Option<String>,
    /// From the first layer to the outcome.
    pub duration: Duration,
    /// The intent that this record settles.
    pub intent: Option<Intent>,
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

/// The number of an intent that was written down before an effect; its record removes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intent(pub(crate) u64);

/// A record as it is read back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the members are those of `Record` and `Subject`")]
pub struct Entry {
    /// The chain it belongs to.
    pub chain: u32,
    /// Its place in the chain; grows by one.
    pub seq: u64,
    pub at: Timestamp,
    pub request: String,
    pub depth: u8,
    pub tenant: String,
    pub caller: String,
    pub proof: String,
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
    pub reason: Option<String>,
    /// Microseconds.
    pub duration: u64,
    /// What the line says in place of the caller, where the name was found beside the records.
    pub pseudonym: Option<String>,
}

impl Record {
    /// The members as they are written down.
    pub(crate) fn view(&self) -> View<'_> {
        let Self { at, request, depth, caller, origin, subject, arguments, outcome, reason, duration, intent: _ } = self;
        View {
            at: at.as_microsecond(),
            request: request.as_str(),
            depth: *depth,
            tenant: caller.tenant(),
            caller: caller.id(),
            proof: caller.proof.as_str(),
            transport: origin.transport,
            revision: origin.revision,
            session: origin.session.as_deref(),
            traceparent: origin.traceparent.as_deref(),
            sort: subject.sort,
            name: &subject.name,
            backend: subject.backend.as_ref().map(BackendName::as_str),
            effect: subject.effect.map(Effect::as_str),
            arguments,
            outcome,
            reason: reason.as_deref(),
            duration: micros(*duration),
        }
    }
}

impl Entry {
    /// The members as they are written down.
    pub(crate) fn view(&self) -> View<'_> {
        View {
            at: self.at.as_microsecond(),
            request: &self.request,
            depth: self.depth,
            tenant: &self.tenant,
            caller: &self.caller,
            proof: &self.proof,
            transport: &self.transport,
            revision: &self.revision,
            session: self.session.as_deref(),
            traceparent: self.traceparent.as_deref(),
            sort: &self.sort,
            name: &self.name,
            backend: self.backend.as_deref(),
            effect: self.effect.as_deref(),
            arguments: &self.arguments,
            outcome: &self.outcome,
            reason: self.reason.as_deref(),
            duration: self.duration,
        }
    }

    /// The same with the name of its caller, if it is among these; the pseudonym stays beside it.
    #[must_use]
    pub fn named(mut self, names: &HashMap<String, String>) -> Self {
        if let Some(name) = names.get(&self.caller) {
            self.pseudonym = Some(std::mem::replace(&mut self.caller, name.clone()));
        }
        self
    }

    /// The record of a call whose gate ended, from its intent.
    pub(crate) fn unclear(self) -> Self {
        Self { outcome: "unclear".to_owned(), reason: Some(LEFT.to_owned()), ..self }
    }

    /// `record` at a place of a chain.
    pub(crate) fn of(chain: u32, seq: u64, record: &Record) -> Self {
        let view = record.view();
        let owned = |text: Option<&str>| text.map(str::to_owned);
        Self {
            chain,
            seq,
            at: record.at,
            request: view.request.into(),
            depth: view.depth,
            tenant: view.tenant.into(),
            caller: view.caller.into(),
            proof: view.proof.into(),
            transport: view.transport.into(),
            revision: view.revision.into(),
            session: owned(view.session),
            traceparent: owned(view.traceparent),
            sort: view.sort.into(),
            name: view.name.into(),
            backend: owned(view.backend),
            effect: owned(view.effect),
            arguments: view.arguments.into(),
            outcome: view.outcome.into(),
            reason: owned(view.reason),
            duration: view.duration,
            pseudonym: None,
        }
    }
}

/// Why an intent has become a record.
const LEFT: &str = "the gate ended before it was known what had come of this call";

/// Whole microseconds; what does not fit is more than half a million years.
fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
