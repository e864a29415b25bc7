//! What all requests share, whichever way they came: the gate, the limits, the keys, and the tasks that outlive a request.

use std::{sync::Arc, time::Duration};

use callgate_model::{Caller, Catalog, Clock, Deadline, Effect, Gateway, Origin};
use callgate_protocol::{
    Revision,
    encode::{Capabilities, Freshness, Scope},
};
use jiff::Timestamp;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{config, config::Config, exchange::Leave, listen::Seats, marks::Marks, questions::Spent, seal::Seal, watched::Allowance};

/// One desk serves one listener or one process.
pub(crate) struct Desk {
    pub(crate) gateway: Arc<dyn Gateway>,
    pub(crate) config: Config,
    pub(crate) clock: Clock,
    pub(crate) seal: Seal,
    pub(crate) marks: Marks,
    pub(crate) seats: Arc<Seats>,
    /// URIs that are watched.
    pub(crate) watched: Arc<Allowance>,
    /// Calls that wait for the answer of a legacy client.
    pub(crate) waits: Arc<Seats>,
    pub(crate) spent: Spent,
    /// Everything that runs on its own.
    pub(crate) tasks: TaskTracker,
    /// The gate stops: streams end, running calls may finish.
    pub(crate) stop: CancellationToken,
    /// The time to finish is over.
    pub(crate) kill: CancellationToken,
    /// Where most modern requests come from; saves making it for each.
    pub(crate) plain: Arc<Origin>,
}

impl Desk {
    /// A desk for `transport`, which is `http` or `stdio`.
    pub(crate) fn new(gateway: Arc<dyn Gateway>, config: &Config, transport: &'static str) -> Arc<Self> {
        Arc::new(Self {
            gateway,
            clock: Clock::System,
            seal: Seal::new(&config.questions.secrets),
            marks: Marks::default(),
            seats: Seats::new(config.listen.per_caller, config.listen.total),
            watched: Allowance::new(&config.listen),
            waits: Seats::new(config.questions.per_caller, config.questions.total),
            spent: Spent::new(config.questions.spent, config.questions.spent_per_caller),
            config: config.clone(),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
            kill: CancellationToken::new(),
            plain: Arc::new(Origin { transport, revision: Revision::V2026_07_28.as_str(), ..Origin::default() }),
        })
    }

    /// What the gate can do. Lists may fill up when the config is reloaded, so that they are always there; empty ones are no harm.
    pub(crate) fn capabilities(&self, catalog: &Catalog) -> Capabilities {
        Capabilities { tools: true, prompts: true, resources: true, completions: catalog.completes() }
    }

    /// Whether `caller` may be told now that `uri` changed for callers of `tenant`. Asked for each notice anew: to watch is no lasting right,
    /// and whoever reads a stream need not have the rights of whoever subscribed.
    pub(crate) fn may_hear(&self, caller: &Arc<Caller>, tenant: &str, uri: &str) -> bool {
        caller.tenant().as_ref() == tenant && self.gateway.may_read(caller, uri)
    }

    /// By when a call of `caller` is answered in any case. A call that waits does not outlive the proof of who made it.
    pub(crate) fn deadline(&self, caller: &Caller) -> Deadline {
        let longest = self.config.longest.get();
        let proven = caller.expires.map(|end| self.until(end) + self.config.proof.grace.get());
        Deadline::after(proven.map_or(longest, |proven| proven.min(longest)))
    }

    /// The time until `moment`; nothing if it is over.
    pub(crate) fn until(&self, moment: Timestamp) -> Duration {
        Duration::try_from(moment.duration_since(self.clock.now())).unwrap_or_default()
    }

    /// How long lists may be kept.
    pub(crate) fn fresh_lists(&self) -> Freshness {
        self.fresh(self.config.fresh.lists)
    }

    /// How long what was read may be kept.
    pub(crate) fn fresh_resources(&self) -> Freshness {
        self.fresh(self.config.fresh.resources)
    }

    fn fresh(&self, ttl: callgate_config::Span) -> Freshness {
        let scope = match self.config.fresh.scope {
            config::Scope::Private => Scope::Private,
            config::Scope::Public => Scope::Public,
        };
        Freshness { ttl_ms: ttl.get().as_millis().try_into().unwrap_or(u64::MAX), scope }
    }

    /// What happens to a call of this tool when its client goes away.
    pub(crate) fn on_leave(catalog: &Catalog, tool: &str) -> Leave {
        match catalog.tool(tool).map(|tool| tool.offer.effect) {
            // A write that was begun is brought to a known end, and its record says which.
            Some(Effect::Write | Effect::Destroy) => Leave::Finish,
            Some(Effect::Read) | None => Leave::Cancel,
        }
    }

    /// The gate stops. Waits until everything that runs on its own has ended, for at most `limit`; then ends it.
    pub(crate) async fn drain(&self, limit: Duration) -> Drained {
        self.stop.cancel();
        self.tasks.close();
        if tokio::time::timeout(limit, self.tasks.wait()).await.is_ok() {
            return Drained::Clean;
        }
        let left = self.tasks.len();
        self.kill.cancel();
        self.tasks.wait().await;
        Drained::Cut(left)
    }
}

/// How serving ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drained {
    /// Everything that was open came to its end.
    Clean,
    /// So many connections or calls did not end in time and were cut off.
    Cut(usize),
}
