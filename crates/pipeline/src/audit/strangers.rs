//! Requests by nobody: what stands on the record when a caller was not recognised.
//!
//! So many of them a second have a record each, under the id that the request is answered with; what comes beyond is counted, and the count gets a record with the first request of a
//! later second, or when the gate closes. A flood of bad tokens neither fills the disk nor takes a place from anybody's calls.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use callgate_model::{Caller, Clock, Origin, Proof, RequestId, Unidentified};
use callgate_store::{Pending, Record, Store, Subject};
use prometheus_client::{metrics::counter::Counter, registry::Registry};
use tokio::{sync::Semaphore, time::Instant};

/// How long a window is.
const WINDOW: Duration = Duration::from_secs(1);

/// The longest reason that is written down.
const LONGEST: usize = 200;

/// Writes down who was not recognised.
pub(crate) struct Strangers {
    store: Arc<dyn Store>,
    clock: Clock,
    nobody: Arc<Caller>,
    origin: Arc<Origin>,
    most: u32,
    /// Records on their way; no more than two windows of them.
    slots: Arc<Semaphore>,
    window: Mutex<Window>,
    refused: Counter,
}

/// What happened in the present second.
struct Window {
    begun: Instant,
    written: u32,
    left_out: u64,
}

impl Strangers {
    pub(crate) fn new(store: &Arc<dyn Store>, clock: Clock, most: u32, registry: &mut Registry) -> Self {
        let refused = Counter::default();
        registry.register("mcp_unidentified", "Requests whose caller was not recognised", refused.clone());
        Self {
            store: store.clone(),
            clock,
            nobody: Arc::new(Caller::new("", "", Proof::Local)),
            origin: Arc::new(Origin { transport: "http", ..Origin::default() }),
            most,
            slots: Arc::new(Semaphore::new(most.saturating_add(1).saturating_mul(2) as usize)),
            window: Mutex::new(Window { begun: Instant::now(), written: 0, left_out: 0 }),
            refused,
        }
    }

    /// Nobody was recognised as the sender of this request. What cannot be decided just now is not a refusal, and stands in the log.
    pub(crate) fn refused(&self, request: &RequestId, why: &Unidentified) {
        let reason = match why {
            Unidentified::Missing => "no credentials",
            Unidentified::Refused(reason) => reason.as_str(),
            Unidentified::Unavailable { .. } => return,
        };
        self.refused.inc();
        let (summary, writes) = {
            // A panic in here leaves counts that are off by one at most.
            let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
            let summary = window.turn();
            let writes = window.written < self.most;
            window.written += u32::from(writes);
            window.left_out += u64::from(!writes);
            (summary, writes)
        };
        self.summarise(summary);
        if writes {
            self.write(request.clone(), reason.chars().take(LONGEST).collect());
        }
    }

    /// Writes down how many were left out, if any were.
    pub(crate) fn flush(&self) {
        let left_out = std::mem::take(&mut self.window.lock().unwrap_or_else(PoisonError::into_inner).left_out);
        self.summarise(left_out);
    }

    fn summarise(&self, left_out: u64) {
        if left_out > 0 {
            self.write(RequestId::fresh(), format!("{left_out} more"));
        }
    }

    fn write(&self, request: RequestId, reason: String) {
        let Ok(slot) = self.slots.clone().try_acquire_owned() else {
            // The store is behind: one more that is only counted.
            self.window.lock().unwrap_or_else(PoisonError::into_inner).left_out += 1;
            return;
        };
        let record = Record {
            at: self.clock.now(),
            request,
            depth: 0,
            caller: self.nobody.clone(),
            origin: self.origin.clone(),
            subject: Subject { sort: "request", name: String::new(), backend: None, effect: None },
            arguments: "{}".into(),
            outcome: "unauthenticated",
            reason: Some(reason),
            duration: Duration::ZERO,
            intent: None,
        };
        self.store.audit().append(Pending::new(record, slot));
    }
}

impl Window {
    /// Begins a new window if the last is over; how many were left out in it.
    fn turn(&mut self) -> u64 {
        if self.begun.elapsed() < WINDOW {
            return 0;
        }
        let left_out = std::mem::take(&mut self.left_out);
        *self = Self { begun: Instant::now(), written: 0, left_out: 0 };
        left_out
    }
}
