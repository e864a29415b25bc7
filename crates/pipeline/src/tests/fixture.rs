//! A gate over the scripted backend and a store that can be told to fail or to hold back.

use std::{
    fmt::Write as _,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use callgate_model::{
    Backend, BackendName, Call, Caller, Clock, Deadline, Fault, Gateway as _, Identity, Members, Origin, Reference, Reply, Target, Traces,
    async_trait,
};
use callgate_store::{
    Audit, Backlog, Entry, Intent, Keys, Memory, Pending, Record, Store, Written as Durable,
    shared::{self, Shared},
};
use futures_util::FutureExt as _;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::script::Script;
use crate::{Carried, Config, Error, Gate, Parts, Settings, audit, cache, outcome, rate_limit};

/// What an operator would write.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Written {
    calls: Config,
    audit: audit::Config,
    cache: cache::Config,
    quotas: rate_limit::Config,
    shared: shared::Config,
    /// What stands for the declaration of the scripted backend.
    declared: u8,
}

/// A gate under test.
pub(crate) struct Fixture {
    pub(crate) gate: Arc<Gate>,
    pub(crate) script: Arc<Script>,
    pub(crate) ledger: Arc<Ledger>,
    replicas: Arc<dyn Shared>,
}

impl Fixture {
    /// A gate with this configuration.
    pub(crate) fn new(config: &Value) -> Self {
        Self::open(config).expect("a gate")
    }

    /// The same, if it opens.
    pub(crate) fn open(config: &Value) -> Result<Self, Error> {
        Self::over(Script::default(), config, Arc::new(shared::Memory::new(&shared::Config::default())))
    }

    /// A gate that shares this with other replicas.
    pub(crate) fn sharing(config: &Value, shared: Arc<dyn Shared>) -> Self {
        Self::over(Script::default(), config, shared).expect("a gate")
    }

    /// A gate with one more tool, which has this input schema.
    pub(crate) fn with_schema(schema: &Value) -> Result<Self, Error> {
        let shared = Arc::new(shared::Memory::new(&shared::Config::default()));
        Self::over(Script::with_schema(schema), &serde_json::json!({}), shared)
    }

    /// A gate with one more backend.
    pub(crate) fn beside(name: &str, backend: Arc<dyn Backend>, config: &Value) -> Self {
        let shared = Arc::new(shared::Memory::new(&shared::Config::default()));
        let others = vec![(BackendName::new(name).expect("a name"), backend)];
        Self::of(Script::default(), others, config, shared, None, Carried::default()).expect("a gate")
    }

    /// The same, and its calls are traced.
    pub(crate) fn traced(name: &str, backend: Arc<dyn Backend>, config: &Value, traces: Arc<dyn Traces>) -> Self {
        let shared = Arc::new(shared::Memory::new(&shared::Config::default()));
        let others = vec![(BackendName::new(name).expect("a name"), backend)];
        Self::of(Script::default(), others, config, shared, Some(traces), Carried::default()).expect("a gate")
    }

    /// The gate that takes the place of this one, with this configuration.
    pub(crate) fn followed_by(&self, config: &Value) -> Self {
        Self::of(Script::default(), Vec::new(), config, self.replicas.clone(), None, self.gate.carried()).expect("a gate")
    }

    fn over(script: Script, config: &Value, replicas: Arc<dyn Shared>) -> Result<Self, Error> {
        Self::of(script, Vec::new(), config, replicas, None, Carried::default())
    }

    fn of(
        script: Script,
        others: Vec<(BackendName, Arc<dyn Backend>)>,
        config: &Value,
        replicas: Arc<dyn Shared>,
        traces: Option<Arc<dyn Traces>>,
        before: Carried,
    ) -> Result<Self, Error> {
        let Written { calls, audit, cache, quotas, shared, declared } = Written::deserialize(config).expect("a configuration");
        let (script, ledger) = (Arc::new(script), Arc::new(Ledger::default()));
        let name = BackendName::new("script").expect("a name");
        let declared = [(name.clone(), [declared; 32])].into();
        let mut backends = vec![(name, script.clone() as Arc<dyn Backend>)];
        backends.extend(others);
        let gate = Gate::open(Parts {
            identity: Identity::default(),
            backends,
            store: ledger.clone(),
            shared: replicas.clone(),
            settings: Settings { calls, audit, cache, quotas, shared, declared },
            identify: None,
            notices: callgate_model::Notices::new(),
            traces,
            before,
            clock: Clock::Fixed(Timestamp::from_second(1_700_000_000).expect("a time")),
        })?;
        Ok(Self { gate, script, ledger, replicas })
    }

    /// A call that can be made.
    pub(crate) fn prepared(&self, target: Target, arguments: Value) -> Call {
        let origin = Origin {
            transport: "http",
            revision: "2026-07-28",
            session: Some("s1".into()),
            traceparent: Some("00-a-b-01".into()),
            tracestate: None,
        };
        let far = Deadline::after(std::time::Duration::from_secs(3600));
        let mut call = Call::new(target, members(arguments), Caller::local(), Arc::new(origin), far);
        call.client = serde_json::from_value(serde_json::json!({ "roots": {} })).expect("capabilities");
        call
    }

    pub(crate) fn completion(&self, prompt: &str, argument: &str) -> Target {
        Target::Completion { of: Reference::Prompt(prompt.into()), argument: argument.into(), value: String::new() }
    }

    /// Calls a tool; the outcome's word and the sentence or the reply.
    pub(crate) async fn call(&self, tool: &str, arguments: Value) -> String {
        self.say(Target::Tool(tool.into()), arguments).await
    }

    /// Makes a call; the outcome's word and the sentence or the reply.
    pub(crate) async fn say(&self, target: Target, arguments: Value) -> String {
        told(&self.gate.call(self.prepared(target, arguments)).await)
    }

    /// How many tool calls reached the backend.
    pub(crate) fn reached(&self) -> usize {
        self.script.reached()
    }

    /// How many tool calls were dropped inside the backend.
    pub(crate) fn dropped(&self) -> usize {
        self.script.dropped()
    }

    pub(crate) fn entries(&self) -> Vec<Entry> {
        self.ledger.memory.entries()
    }

    /// The durable records, one a line: place, sort, name, outcome.
    pub(crate) fn audit(&self) -> String {
        let mut text = String::new();
        for Entry { seq, sort, name, outcome, depth, .. } in self.entries() {
            let depth = if depth > 0 { format!(" depth={depth}") } else { String::new() };
            writeln!(text, "{seq} {sort} {name} {outcome}{depth}").expect("a text");
        }
        text
    }

    /// All probes, one a line.
    pub(crate) async fn ready(&self) -> String {
        let state = |state: Result<(), String>| state.err().unwrap_or_else(|| "ready".into());
        self.gate.ready().await.into_iter().map(|probe| format!("{}: {}\n", probe.part, state(probe.state))).collect()
    }
}

/// Polls once: the call has begun and waits for something.
pub(crate) fn is_pending<F: Future + Unpin>(call: &mut F) -> bool {
    call.now_or_never().is_none()
}

/// The outcome's word and the sentence or the reply.
pub(crate) fn told(result: &Result<Reply, Fault>) -> String {
    let word = outcome::word(result);
    match result {
        Ok(Reply::Tool(reply)) => format!("{word} {}", reply.structured.as_ref().map_or("", |json| json.as_str())),
        Ok(Reply::Resource(contents)) => {
            let callgate_model::ResourceText::Text(text) = &contents[0].text else { return word.into() };
            format!("{word} {}{text}", contents[0].uri)
        }
        Ok(Reply::Prompt(prompt)) => {
            let callgate_model::Body::Text(text) = &prompt.messages[0].content.body else { return word.into() };
            format!("{word} {text}")
        }
        Ok(Reply::Completion(completion)) => format!("{word} {:?}", completion.values),
        Ok(Reply::InputRequired(_)) => word.into(),
        Err(fault) => format!("{word} {fault}"),
    }
}

fn members(value: Value) -> Members {
    let Value::Object(members) = value else { panic!("arguments are an object") };
    members
}

/// A log in memory that can fail, or hold records back before they are durable.
#[derive(Debug)]
pub(crate) struct Ledger {
    memory: Memory,
    failing: Mutex<Option<String>>,
    holding: AtomicBool,
    held: Mutex<Vec<Pending>>,
    refusing: AtomicBool,
    intents: AtomicUsize,
}

impl Default for Ledger {
    fn default() -> Self {
        let (failing, holding, held, refusing, intents) = Default::default();
        Self { memory: Memory::new(1000), failing, holding, held, refusing, intents }
    }
}

impl Ledger {
    /// Says that writing fails; records are held back meanwhile.
    pub(crate) fn fail(&self, why: Option<&str>) {
        *self.failing.lock().expect("a lock") = why.map(Into::into);
        if why.is_some() { self.hold() } else { self.release() }
    }

    /// From now on no intent becomes durable.
    pub(crate) fn refuse_intents(&self) {
        self.refusing.store(true, Ordering::SeqCst);
    }

    /// How many calls have announced a change.
    pub(crate) fn intents(&self) -> usize {
        self.intents.load(Ordering::SeqCst)
    }

    /// From now on records do not become durable.
    pub(crate) fn hold(&self) {
        self.holding.store(true, Ordering::SeqCst);
    }

    /// What was held back becomes durable.
    pub(crate) fn release(&self) {
        self.holding.store(false, Ordering::SeqCst);
        for pending in std::mem::take(&mut *self.held.lock().expect("a lock")) {
            self.memory.append(pending);
        }
    }
}

impl Store for Ledger {
    fn audit(&self) -> &dyn Audit {
        self
    }
    fn callers(&self) -> &dyn callgate_store::Callers {
        self.memory.callers()
    }
    fn keys(&self) -> &dyn Keys {
        self.memory.keys()
    }
}

#[async_trait]
impl Audit for Ledger {
    fn append(&self, pending: Pending) {
        if self.holding.load(Ordering::SeqCst) {
            self.held.lock().expect("a lock").push(pending);
        } else {
            self.memory.append(pending);
        }
    }
    fn intend(&self, record: Record) -> (Intent, Durable) {
        self.intents.fetch_add(1, Ordering::SeqCst);
        let (intent, durable) = self.memory.intend(record);
        // A log that fails breaks its promise at once.
        if self.is_failing() || self.refusing.load(Ordering::SeqCst) {
            (intent, tokio::sync::oneshot::channel().1)
        } else {
            (intent, durable)
        }
    }
    fn is_failing(&self) -> bool {
        self.failing.lock().expect("a lock").is_some()
    }
    fn failure(&self) -> Option<String> {
        self.failing.lock().expect("a lock").clone()
    }
    fn backlog(&self) -> Backlog {
        let held = self.held.lock().expect("a lock");
        Backlog { records: held.len(), oldest: held.first().map(|first| first.record.at) }
    }
    async fn flush(&self) {}
}
