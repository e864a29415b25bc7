//! The record of one call in the making.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use callgate_model::{Call, Clock, Effect, Fault, Kind, Reply};
use callgate_store::{Intent, Pending, Record, Slot, Store, Subject, Written};
use jiff::Timestamp;
use prometheus_client::metrics::counter::Counter;
use tokio::time::{Instant, timeout_at};
use tracing::error;

use crate::{authorize::Judgement, lanes::Lanes, layer::Next, outcome, redact::Redaction, subject::subject};

/// When it makes sense to come back after the queue was full.
const BACK_AFTER: Duration = Duration::from_secs(1);

/// The outcome of a call whose outcome is not known yet.
const INTENDED: &str = "intended";

/// What all records of a gate share.
pub(super) struct Desk {
    pub(super) store: Arc<dyn Store>,
    pub(super) clock: Clock,
    pub(super) redaction: Arc<Redaction>,
    pub(super) slots: Lanes,
    /// Records that found no slot and went to the log.
    pub(super) unwritten: Counter,
}

/// Sees to it that the call leaves one record. Dropped before its end, it writes the record of a cancelled call.
pub(crate) struct Entry<'a> {
    desk: &'a Desk,
    call: &'a Call,
    tool: Option<usize>,
    judgement: &'a Judgement,
    at: Timestamp,
    begun: Instant,
    slot: Option<Slot>,
    intent: OnceLock<Intent>,
    written: bool,
}

impl<'a> Entry<'a> {
    pub(super) fn begin(desk: &'a Desk, call: &'a Call, next: Next<'a>) -> Self {
        let slot = desk.slots.at(call.depth).clone().try_acquire_owned().ok();
        let (tool, judgement) = (next.ticket().named, next.judgement());
        Self { desk, call, tool, judgement, at: desk.clock.now(), begun: Instant::now(), slot, intent: OnceLock::new(), written: false }
    }

    /// Waits inside the call's deadline for a slot, if there was none.
    pub(super) async fn wait_for_slot(&mut self) -> Result<(), Fault> {
        if self.slot.is_none() {
            let slot = self.desk.slots.at(self.call.depth).clone().acquire_owned();
            // The semaphore is never closed, so every error is the time that is up.
            let slot = timeout_at(self.call.deadline.at(), slot).await.ok().and_then(Result::ok);
            self.slot = Some(slot.ok_or_else(|| Fault::overloaded("the audit log", BACK_AFTER))?);
        }
        Ok(())
    }

    /// Writes down that the call is about to change something. Refused if that is not durable before its deadline.
    pub(super) async fn intend(&self) -> Result<(), Fault> {
        if self.intent.get().is_some() {
            return Ok(());
        }
        let (intent, written) = self.desk.store.audit().intend(self.record(INTENDED, None));
        self.intent.get_or_init(|| intent);
        match timeout_at(self.call.deadline.at(), written).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(unrecordable()),
        }
    }

    /// Hands the record over; nobody waits for it.
    pub(super) fn finish(mut self, result: &Result<Reply, Fault>) {
        self.write(outcome::word(result), self.reason(result));
    }

    /// Hands the record over and gives the promise of its durability; `None` if it went to the log for want of a slot.
    pub(super) fn finish_durably(mut self, result: &Result<Reply, Fault>) -> Option<Written> {
        let slot = self.take_slot(outcome::word(result))?;
        let (pending, written) = Pending::urgent(self.record(outcome::word(result), self.reason(result)), slot);
        self.desk.store.audit().append(pending);
        Some(written)
    }

    fn write(&mut self, outcome: &'static str, reason: Option<String>) {
        if let Some(slot) = self.take_slot(outcome) {
            self.desk.store.audit().append(Pending::new(self.record(outcome, reason), slot));
        }
    }

    /// The slot for the record, which counts as written from here on; without one it is logged.
    fn take_slot(&mut self, outcome: &'static str) -> Option<Slot> {
        self.written = true;
        let slot = self.slot.take().or_else(|| self.desk.slots.at(self.call.depth).clone().try_acquire_owned().ok());
        if slot.is_none() {
            self.desk.unwritten.inc();
            let Call { request, caller, .. } = self.call;
            error!(%request, tool = subject(self.call), caller = %caller.id(), outcome, "the audit queue is full: this line is the call's only record");
        }
        slot
    }

    /// Why the gate refused, in its own words, or else which rule decided who may. What a backend said is not written down: it may
    /// repeat what it was given.
    fn reason(&self, result: &Result<Reply, Fault>) -> Option<String> {
        let refusal = result.as_ref().err().filter(|fault| outcome::is_decided(fault)).map(Fault::chain);
        let refusal = refusal.filter(|reason| !reason.is_empty()).map(|reason| self.desk.redaction.reason(&reason));
        // A rule is the operator's own text, and holds nothing of the caller's.
        refusal.or_else(|| self.judgement.reason().map(|rule| rule.as_ref().to_owned()))
    }

    fn record(&self, outcome: &'static str, reason: Option<String>) -> Record {
        let Call { request, caller, origin, target, arguments, found, depth, .. } = self.call;
        Record {
            at: self.at,
            request: request.clone(),
            depth: *depth,
            caller: caller.clone(),
            origin: origin.clone(),
            subject: Subject {
                sort: target.sort(),
                name: self.desk.redaction.name(target.name()),
                backend: found.backend().map(|(name, _)| name.clone()),
                effect: effect(self.call),
            },
            arguments: self.desk.redaction.arguments(self.tool, arguments),
            outcome,
            reason,
            duration: self.begun.elapsed(),
            intent: self.intent.get().copied(),
        }
    }
}

impl Drop for Entry<'_> {
    fn drop(&mut self) {
        if !self.written {
            // While a panic unwinds this is not the caller's doing. None should come this far: `catch` stands below.
            self.write(if std::thread::panicking() { "internal" } else { outcome::CANCELLED }, None);
        }
    }
}

/// The refusal of a write that would leave no record.
pub(super) fn unrecordable() -> Fault {
    Fault::new(
        Kind::Unavailable { retry_after: None },
        "changes cannot be put on record just now, so none are made: nothing was done, try again later",
    )
    .because("the audit log cannot be written")
}

/// What the call does to the world; everything but a tool only reads.
pub(super) fn effect(call: &Call) -> Option<Effect> {
    call.found.backend()?;
    Some(call.found.tool().map_or(Effect::Read, |tool| tool.effect))
}
