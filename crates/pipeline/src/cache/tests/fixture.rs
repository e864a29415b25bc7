//! A gate whose backend counts what reaches it, and says in each reply for whom it was made.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use callgate_model::{
    Backend, BackendName, Caching, Call, Caller, Clock, Deadline, Effect, Fault, Gateway as _, Identity, InputRequest, InputRequired, Json,
    Offers, Origin, Proof, Reply, Sharing, Target, Terms, Tool, ToolName, ToolReply, async_trait,
};
use callgate_store::{
    Memory,
    shared::{self, Shared},
};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{Gate, Parts, RetryConfig, Settings, cache::Config, tests::told};

/// What counts.
#[derive(Default)]
pub(super) struct Desk {
    reached: AtomicUsize,
    made: AtomicUsize,
    dropped: AtomicUsize,
}

/// A gate under test.
pub(super) struct Fixture {
    pub(super) gate: Arc<Gate>,
    pub(super) store: Arc<Memory>,
    desk: Arc<Desk>,
}

/// A caller of a tenant, with roles.
pub(super) fn caller(tenant: &str, id: &str, roles: &[&str]) -> Arc<Caller> {
    let mut caller = Caller::new(tenant, id, Proof::Key);
    caller.roles = roles.iter().map(|role| Arc::from(*role)).collect();
    Arc::new(caller)
}

pub(super) fn ann() -> Arc<Caller> {
    caller("shop", "ann", &["clerk"])
}

impl Fixture {
    pub(super) fn new() -> Self {
        Self::with(&json!({}))
    }

    /// With this under `cache`.
    pub(super) fn with(config: &Value) -> Self {
        Self::sharing(config, Arc::new(shared::Memory::new(&shared::Config::default())))
    }

    /// The same beside others.
    pub(super) fn sharing(config: &Value, shared: Arc<dyn Shared>) -> Self {
        let (desk, store) = (Arc::new(Desk::default()), Arc::new(Memory::new(2000)));
        let cache = Config::deserialize(config).expect("a configuration");
        // What reaches the backend is counted here, so that nothing is tried twice.
        let retry = RetryConfig { attempts: Some(1), ..RetryConfig::default() };
        let calls = crate::Config { retry, ..crate::Config::default() };
        let gate = Gate::open(Parts {
            identity: Identity::default(),
            backends: vec![(BackendName::new("desk").expect("a name"), desk.clone() as Arc<dyn Backend>)],
            store: store.clone(),
            shared,
            settings: Settings { calls, cache, ..Settings::default() },
            identify: None,
            notices: callgate_model::Notices::new(),
            traces: None,
            before: crate::Carried::default(),
            clock: Clock::Fixed(Timestamp::from_second(1_700_000_000).expect("a time")),
        })
        .expect("a gate");
        Self { gate, store, desk }
    }

    /// A call that can be made.
    pub(super) fn call(&self, caller: &Arc<Caller>, tool: &str, arguments: &Value) -> Call {
        let arguments = arguments.as_object().cloned().expect("arguments are an object");
        let origin = Arc::new(Origin { transport: "http", revision: "2026-07-28", ..Origin::default() });
        let far = Deadline::after(Duration::from_secs(3600));
        let mut call = Call::new(Target::Tool(tool.into()), arguments, caller.clone(), origin, far);
        call.client = serde_json::from_value(serde_json::json!({ "roots": {} })).expect("capabilities");
        call
    }

    /// Makes it; the outcome's word and the sentence or the reply.
    pub(super) async fn ask(&self, caller: &Arc<Caller>, tool: &str, arguments: &Value) -> String {
        told(&self.gate.call(self.call(caller, tool, arguments)).await)
    }

    /// How many calls reached the backend since this was asked last.
    pub(super) fn reached(&self) -> usize {
        self.desk.reached.swap(0, Ordering::SeqCst)
    }

    /// How many calls were dropped inside the backend.
    pub(super) fn dropped(&self) -> usize {
        self.desk.dropped.load(Ordering::SeqCst)
    }

    /// The value of a metric.
    pub(super) fn figure(&self, name: &str) -> f64 {
        let text = self.gate.metrics();
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.unwrap_or_else(|| panic!("{name} in {text}")).parse().expect("a number")
    }

    pub(super) fn records(&self) -> usize {
        self.store.entries().len()
    }
}

fn kept(name: &str, stale: u64, tags: &[&str], shared: Sharing) -> Tool {
    let tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
    let cache = Some(Caching { ttl: Duration::from_secs(60), stale: Duration::from_secs(stale), tags, shared, version: String::new() });
    let schema = json!({ "type": "object", "properties": { "id": { "default": "main" } } });
    let tool = Tool::new(ToolName::new(name).expect("a name"), "", Json::of(&schema));
    Tool { terms: Terms { cache, ..Terms::default() }, ..tool }
}

#[async_trait]
impl Backend for Desk {
    fn offers(&self) -> Offers {
        let change = |name, effect| {
            let terms = Terms { invalidates: vec!["item:{id}".into()], ..Terms::default() };
            Tool { terms, effect, ..kept(name, 0, &[], Sharing::Caller) }
        };
        let tools = vec![
            kept("mine", 0, &["item:{id}"], Sharing::Caller),
            kept("role", 0, &["item:{id}"], Sharing::Role),
            kept("tenant", 0, &["item:{id}"], Sharing::Tenant),
            kept("stale", 30, &["item:{id}"], Sharing::Tenant),
            kept("other", 0, &["other"], Sharing::Tenant),
            kept("untaggable", 0, &["item:{nothing}"], Sharing::Tenant),
            change("write", Effect::Write),
            // A write that says `cache`, as only a declaration in code can.
            Tool { effect: Effect::Write, ..kept("odd", 0, &[], Sharing::Tenant) },
        ];
        Offers { tools, ..Offers::default() }
    }

    async fn call(&self, call: &Call) -> Result<Reply, Fault> {
        self.reached.fetch_add(1, Ordering::SeqCst);
        let count = self.made.fetch_add(1, Ordering::SeqCst);
        let ms = call.argument("ms").and_then(Value::as_u64).unwrap_or_default();
        if ms > 0 {
            let guard = Dropped(&self.dropped);
            tokio::time::sleep(Duration::from_millis(ms)).await;
            std::mem::forget(guard);
        }
        if let Some(tool) = call.argument("calls").and_then(Value::as_str) {
            return call.invoke(tool, call.arguments.clone()).await.map(Reply::from);
        }
        let reply = ToolReply::structured(Json::of(&json!({ "who": call.caller.key(), "count": count })));
        match call.argument("fail").and_then(Value::as_str).unwrap_or_default() {
            "" => Ok(reply.into()),
            "large" => Ok(ToolReply::text("x".repeat(300 * 1024)).into()),
            "partial" => Ok(ToolReply { partial: true, ..reply }.into()),
            "error" => Ok(ToolReply::error("no").into()),
            "ask" => Ok(InputRequired::one("q", InputRequest::Roots).into()),
            "refused" => Err(Fault::refused("not like this")),
            "unavailable" => Err(Fault::unavailable("desk")),
            "unclear" => Err(Fault::unclear("who knows")),
            "panic" => panic!("on purpose"),
            _ => Err(Fault::internal("as told")),
        }
    }
}

/// Counts work that was dropped before its end.
struct Dropped<'a>(&'a AtomicUsize);

impl Drop for Dropped<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}
