//! The gate that is served, while the one behind it may be exchanged.
//!
//! Every request takes the gate of its moment and keeps it to its end, so an exchange ends no call and no call sees two
//! configurations. What clients listen to stays: the board of notices belongs to all gates that follow each other.

use std::{
    fmt::{self, Write as _},
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
};

use arc_swap::ArcSwap;
use callgate_model::{
    Authentication, Call, Caller, Catalog, Change, Clock, Credentials, Fault, Gateway, Identity, Notices, Probe, Reply, RequestId,
    Unidentified, async_trait,
};

/// The present gate, and how often it was exchanged.
pub(crate) struct Live {
    present: ArcSwap<callgate_pipeline::Gate>,
    notices: Notices,
    clock: Clock,
    exchanged: AtomicU64,
    refused: AtomicU64,
    /// Seconds since 1970 at which the present gate took its place.
    since: AtomicI64,
}

impl Live {
    /// `gate` is the first; `notices` is the board that it and all that follow it write to.
    pub(crate) fn new(gate: Arc<callgate_pipeline::Gate>, notices: Notices, clock: Clock) -> Arc<Self> {
        let since = AtomicI64::new(clock.now().as_second());
        let (exchanged, refused) = Default::default();
        Arc::new(Self { present: ArcSwap::new(gate), notices, clock, exchanged, refused, since })
    }

    /// The gate of this moment.
    pub(crate) fn present(&self) -> Arc<callgate_pipeline::Gate> {
        self.present.load_full()
    }

    /// Puts `next` in the place of the present gate and tells clients to look again. Calls under way end on the gate they began with,
    /// which is gone when the last of them is.
    pub(crate) fn exchange(&self, next: Arc<callgate_pipeline::Gate>) {
        self.present.store(next);
        self.exchanged.fetch_add(1, Ordering::Relaxed);
        self.since.store(self.clock.now().as_second(), Ordering::Relaxed);
        for change in [Change::Tools, Change::Resources, Change::Prompts] {
            self.notices.announce(change);
        }
    }

    /// A configuration was not good enough to take the place of the present one.
    pub(crate) fn refuse(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    fn figures(&self, text: &mut String) {
        let (exchanged, refused) = (self.exchanged.load(Ordering::Relaxed), self.refused.load(Ordering::Relaxed));
        let since = self.since.load(Ordering::Relaxed);
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "# HELP callgate_reloads_total Changed configurations, by what became of them\n\
             # TYPE callgate_reloads_total counter\n\
             callgate_reloads_total{{status=\"ok\"}} {exchanged}\n\
             callgate_reloads_total{{status=\"refused\"}} {refused}\n\
             # HELP callgate_configuration_time_seconds When the present configuration took its place, in seconds since 1970\n\
             # TYPE callgate_configuration_time_seconds gauge\n\
             callgate_configuration_time_seconds {since}\n"
        );
    }
}

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live").field("present", &self.present()).finish_non_exhaustive()
    }
}

#[async_trait]
impl Gateway for Live {
    fn identity(&self) -> Arc<Identity> {
        self.present.load().identity()
    }

    async fn identify(&self, request: &RequestId, credentials: &Credentials<'_>) -> Result<Arc<Caller>, Unidentified> {
        self.present().identify(request, credentials).await
    }

    fn authentication(&self) -> Option<Arc<Authentication>> {
        self.present.load().authentication()
    }

    fn turned_away(&self, request: &RequestId, why: &'static str) {
        self.present.load().turned_away(request, why);
    }

    fn catalog(&self, caller: &Caller) -> Arc<Catalog> {
        self.present.load().catalog(caller)
    }

    fn may_read(&self, caller: &Arc<Caller>, uri: &str) -> bool {
        self.present.load().may_read(caller, uri)
    }

    async fn call(&self, call: Call) -> Result<Reply, Fault> {
        self.present().call(call).await
    }

    async fn refuse(&self, call: Call, fault: Fault) -> Fault {
        self.present().refuse(call, fault).await
    }

    fn notices(&self) -> &Notices {
        &self.notices
    }

    async fn ready(&self) -> Vec<Probe> {
        self.present().ready().await
    }

    fn metrics(&self) -> String {
        let mut text = self.present.load().metrics();
        self.figures(&mut text);
        text
    }
}
