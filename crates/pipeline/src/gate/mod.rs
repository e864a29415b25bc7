//! The gate: the catalog and the column, put together.
//!
//! A call enters here, gets what only the gate knows (what its target is, by when it must be answered, the way back in), and
//! walks the column. Dropping the future of a call cancels it: that is how a leaving client reaches the backend.

mod dispatch;
mod drain;
mod open;
mod probes;
mod running;

use std::{
    fmt,
    sync::{Arc, Weak},
    time::Duration,
};

use async_trait::async_trait;
use callgate_model::{
    Authentication, Backend, BackendName, Call, Caller, Catalog, Clock, Credentials, Deadline, Fault, Found, Gateway, Identify, Identity,
    Invoke, Members, Notices, Origin, Probe, Reply, RequestId, Target, Traces, Unidentified,
};
use callgate_store::{Store, shared::Shared};
use prometheus_client::registry::Registry;

use crate::{
    Carried, Explanation, Settings,
    audit::Strangers,
    authorize::{self, Authority, Judgement},
    find,
    layer::{Column, Next},
    metrics::{self, Backends},
    redact::Redaction,
    trace,
};

pub(crate) use dispatch::dispatch;
pub(crate) use running::Running;

use self::{open::Targets, probes::Probes};

/// What a gate is made of.
pub struct Parts {
    /// Who the gate says it is.
    pub identity: Identity,
    /// The backends, opened; their order is the order of the lists.
    pub backends: Vec<(BackendName, Arc<dyn Backend>)>,
    /// Who recognises callers; `None` for a gate that serves the machine's own user.
    pub identify: Option<Arc<dyn Identify>>,
    /// Where the audit log is kept.
    pub store: Arc<dyn Store>,
    /// What replicas share.
    pub shared: Arc<dyn Shared>,
    /// What the operator wrote.
    pub settings: Settings,
    /// The board on which changes are announced; a gate that takes the place of another takes over its board.
    pub notices: Notices,
    /// Who samples calls and sends their traces; `None` if nobody looks at any.
    pub traces: Option<Arc<dyn Traces>>,
    /// What the gate leaves whose place this one takes; nothing for the first.
    pub before: Carried,
    /// Wall-clock time.
    pub clock: Clock,
}

/// A running gate.
pub struct Gate {
    identity: Arc<Identity>,
    catalog: Arc<Catalog>,
    authority: Arc<Authority>,
    redaction: Arc<Redaction>,
    backends: Backends,
    identify: Option<Arc<dyn Identify>>,
    strangers: Strangers,
    local: Arc<Caller>,
    store: Arc<dyn Store>,
    targets: Targets,
    column: Arc<Column>,
    registry: Registry,
    notices: Notices,
    running: Arc<Running>,
    traces: Option<Arc<dyn Traces>>,
    carried: Carried,
    probes: Probes,
    me: Weak<dyn Invoke>,
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate").field("identity", &self.identity).field("backends", &self.backends).finish_non_exhaustive()
    }
}

impl Gate {
    /// Everything on offer, whoever may use it.
    #[must_use]
    pub fn everything(&self) -> &Arc<Catalog> {
        &self.catalog
    }

    /// What the gate that takes the place of this one goes on with.
    #[must_use]
    pub fn carried(&self) -> Carried {
        self.carried.clone()
    }

    /// What the rules say of a call, rule by rule. Nothing is called and nothing is written down.
    #[must_use]
    pub fn explain(&self, caller: Arc<Caller>, target: Target, arguments: Members) -> Explanation {
        let deadline = Deadline::after(Duration::from_secs(1));
        let mut call = Call::new(target, arguments, caller, Arc::new(Origin::default()), deadline);
        call.found = self.catalog.find(&call.target);
        let tool = self.targets.place(&call.target);
        self.authority.explain(&call, tool)
    }

    async fn walk(&self, mut call: Call, refused: Option<Box<Fault>>) -> Result<Reply, Fault> {
        let _under_way = self.running.enter();
        let standing = self.authority.standing(&call.caller);
        let named = self.targets.place(&call.target);
        let tool = named.filter(|tool| !standing.hides(*tool));
        call.found = match tool {
            Some(tool) => Found::Tool(self.catalog.tools()[tool].clone()),
            None => standing.catalog.find(&call.target),
        };
        let ticket = self.targets.admit(&mut call, tool, named);
        let judgement = Judgement::new(standing).refused(refused);
        if matches!(call.found, Found::Nothing) && !matches!(self.catalog.find(&call.target), Found::Nothing) {
            judgement.note(authorize::HIDDEN.into());
        }
        call.notices = self.notices.clone();
        call.gate = Some(self.me.clone());
        let step = trace::begin(self.traces.as_deref(), &mut call);
        let result = Next::column(&self.column, &ticket, &judgement, call.trace.as_ref()).run(&call).await;
        let result = result.map_err(|fault| find::shown(fault, &call, &self.redaction));
        if let Some(step) = step {
            trace::end(step, &result, &judgement);
        }
        result
    }
}

#[async_trait]
impl Gateway for Gate {
    fn identity(&self) -> Arc<Identity> {
        self.identity.clone()
    }

    async fn identify(&self, request: &RequestId, credentials: &Credentials<'_>) -> Result<Arc<Caller>, Unidentified> {
        match &self.identify {
            Some(identify) => identify.identify(credentials).await.inspect_err(|why| self.strangers.refused(request, why)),
            None => Ok(self.local.clone()),
        }
    }

    fn turned_away(&self, request: &RequestId, why: &'static str) {
        if self.identify.is_some() {
            self.strangers.refused(request, &Unidentified::Refused(why.into()));
        }
    }

    fn authentication(&self) -> Option<Arc<Authentication>> {
        self.identify.as_deref().map(Identify::authentication)
    }

    fn catalog(&self, caller: &Caller) -> Arc<Catalog> {
        self.authority.standing(caller).catalog.clone()
    }

    fn may_read(&self, caller: &Arc<Caller>, uri: &str) -> bool {
        let (standing, target) = (self.authority.standing(caller), Target::Resource(uri.to_owned()));
        let found = standing.catalog.find(&target);
        let deadline = Deadline::after(Duration::from_secs(1));
        let mut call = Call::new(target, Members::new(), caller.clone(), Arc::new(Origin::default()), deadline);
        call.found = found;
        self.authority.decide(&call, None, &Judgement::new(standing)).is_ok()
    }

    async fn call(&self, call: Call) -> Result<Reply, Fault> {
        self.walk(call, None).await
    }

    async fn refuse(&self, call: Call, fault: Fault) -> Fault {
        let answered = self.walk(call, Some(Box::new(fault))).await;
        answered.err().unwrap_or_else(|| Fault::internal("a call that was refused already has been answered"))
    }

    fn notices(&self) -> &Notices {
        &self.notices
    }

    async fn ready(&self) -> Vec<Probe> {
        let mut probes = vec![
            Probe { part: "gate".into(), state: if self.running.is_closing() { Err("the gate is closing".into()) } else { Ok(()) } },
            Probe { part: "store".into(), state: self.store.audit().failure().map_or(Ok(()), Err) },
        ];
        probes.extend(self.probes.of(&self.backends).await);
        probes
    }

    fn metrics(&self) -> String {
        metrics::text(&self.registry, &self.backends)
    }
}

#[async_trait]
impl Invoke for Gate {
    async fn invoke(&self, call: Call) -> Result<Reply, Fault> {
        self.walk(call, None).await
    }
}
