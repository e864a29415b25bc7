//! A gate that follows a script, for the tests of both transports.
//!
//! What a tool does is in its name; what became of its calls can be waited for.

pub(crate) mod client;
mod guests;

use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use callgate_model::{
    Authentication, Backend, BackendName, Call, Caller, Catalog, Change, Completion, Content, Credentials, Effect, Fault, Found, Gateway,
    Identity, InputRequest, InputRequired, Json, Kind, Level, Members, Notices, Offers, Probe, Prompt, PromptName, PromptReply, Reply,
    RequestId, Resource, ResourceContents, ResourceTemplate, ResourceText, Signal, Target, Tool, ToolName, ToolReply, Unidentified,
    UriTemplate, async_trait,
};
use serde_json::json;
use tokio::sync::{Semaphore, watch};

use self::guests::Guests;

/// The scripted gate.
pub(crate) struct Script {
    identity: Arc<Identity>,
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) notices: Notices,
    /// Lets one waiting call go on.
    pub(crate) go: Semaphore,
    /// How many calls have begun, finished, been dropped.
    pub(crate) begun: watch::Sender<usize>,
    pub(crate) finished: watch::Sender<usize>,
    pub(crate) dropped: watch::Sender<usize>,
    /// What was refused before it became a call, and why.
    refused: Mutex<Vec<String>>,
    /// What only operators may read.
    barred: Mutex<HashSet<String>>,
    /// Who is recognised; without it everyone is the machine's own user.
    pub(crate) guests: Option<Guests>,
}

impl Script {
    /// What was refused before it became a call, and why.
    pub(crate) fn refused(&self) -> String {
        self.refused.lock().expect("no panic").concat()
    }

    pub(crate) fn new() -> Arc<Self> {
        Self::open_to(None)
    }

    /// A gate that asks everyone who they are.
    pub(crate) fn guarded() -> Arc<Self> {
        Self::open_to(Some(Guests::new()))
    }

    fn open_to(guests: Option<Guests>) -> Arc<Self> {
        let name = BackendName::new("script").expect("a name");
        Arc::new(Self {
            identity: Arc::new(Identity { name: "script".into(), version: "1".into(), ..Identity::default() }),
            catalog: Arc::new(Catalog::of([(name, Arc::new(Fixtures) as Arc<dyn Backend>)]).expect("names differ")),
            notices: Notices::new(),
            go: Semaphore::new(0),
            begun: watch::Sender::new(0),
            finished: watch::Sender::new(0),
            dropped: watch::Sender::new(0),
            refused: Mutex::default(),
            barred: Mutex::default(),
            guests,
        })
    }

    async fn tool(&self, name: &str, call: &Call) -> Result<Reply, Fault> {
        match name {
            "echo" => Ok(ToolReply::text(json!(call.arguments).to_string()).into()),
            "marked" => Ok(ToolReply::text("marked").into()),
            "lines" => Ok(ToolReply::structured(Json::parse("{\n\"a\": 1\n}").expect("json")).into()),
            "talk" => {
                call.log(Level::Debug, "script", "hidden").await;
                call.progress(1.0, Some(2.0), Some("half")).await;
                call.log(Level::Warning, "script", "seen").await;
                call.progress(1.0, Some(2.0), Some("not further")).await;
                call.progress(2.0, Some(2.0), None).await;
                Ok(ToolReply::text("talked").into())
            }
            "wait" | "wait_write" => {
                self.pass().await;
                Ok(ToolReply::text("waited").into())
            }
            "talk_wait" => {
                call.progress(1.0, None, None).await;
                self.pass().await;
                Ok(ToolReply::text("said and waited").into())
            }
            "pause" => {
                call.outlet.send(Signal::Pause).await;
                self.pass().await;
                Ok(ToolReply::text("rested").into())
            }
            "ask" | "ask_write" => match call.answers.get("name") {
                Some(answer) => Ok(ToolReply::text(format!("{} knows {answer} {:?}", call.target.name(), call.state)).into()),
                None => Ok(InputRequired::one("name", form()).remember("s1").into()),
            },
            "ask_twice" => match (call.answers.contains_key("name"), call.answers.contains_key("age")) {
                (true, true) => Ok(ToolReply::text(format!("both, {:?}", call.state)).into()),
                (true, false) => Ok(InputRequired::one("age", form()).remember("s2").into()),
                _ => Ok(InputRequired::one("name", form()).remember("s1").into()),
            },
            "ask_forever" => Ok(InputRequired::one("name", form()).into()),
            "left" => Ok(ToolReply::text(call.deadline.left().as_millis().to_string()).into()),
            "whoami" => Ok(ToolReply::text(call.caller.key().to_string()).into()),
            "sample" => Ok(InputRequired::one("text", InputRequest::Sample(Members::new())).into()),
            "fail" => Err(fault(call.argument("kind").and_then(serde_json::Value::as_str).unwrap_or_default())),
            _ => Err(Fault::unknown("tool", name)),
        }
    }

    /// Waits for leave to go on.
    async fn pass(&self) {
        if let Ok(permit) = self.go.acquire().await {
            permit.forget();
        }
    }
}

fn form() -> InputRequest {
    InputRequest::Form {
        message: "who?".into(),
        schema: Json::of(&json!({ "type": "object", "properties": { "n": { "type": "string" } } })),
    }
}

fn fault(kind: &str) -> Fault {
    match kind {
        "arguments" => Fault::arguments("`a` must be a number"),
        "refused" => Fault::refused("out of stock"),
        "not_found" => Fault::not_found("no such customer"),
        "timeout" => Fault::timeout(Duration::from_secs(5)),
        "unavailable" => Fault::unavailable("shop"),
        "unclear" => Fault::unclear("nobody knows"),
        "down" => Fault::new(Kind::Unavailable { retry_after: Some(Duration::from_millis(2500)) }, "`shop` is down"),
        "overloaded" => Fault::overloaded("the gate", Duration::from_secs(1)),
        "capability" => Fault::capability(json!({ "sampling": {} })),
        "request" => Fault::request("makes no sense"),
        "denied" => Fault::denied("not more than 1000"),
        "limited" => Fault::limited("your quota", Duration::from_millis(6500)),
        "scopes" => Fault::scopes(vec!["read:customers".into(), "read:orders".into()]),
        _ => Fault::internal("a secret cause"),
    }
}

/// Counts the end of a call that was dropped.
struct Running<'s>(&'s Script, bool);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let ended = if self.1 { &self.0.finished } else { &self.0.dropped };
        ended.send_modify(|count| *count += 1);
    }
}

#[async_trait]
impl Gateway for Script {
    fn identity(&self) -> Arc<Identity> {
        self.identity.clone()
    }

    async fn identify(&self, _: &RequestId, credentials: &Credentials<'_>) -> Result<Arc<Caller>, Unidentified> {
        self.guests.as_ref().map_or_else(|| Ok(Caller::local()), |guests| guests.identify(credentials))
    }

    fn turned_away(&self, request: &RequestId, why: &'static str) {
        if let Some(guests) = &self.guests {
            guests.turned_away(request, why);
        }
    }

    fn authentication(&self) -> Option<Arc<Authentication>> {
        self.guests.as_ref().map(|guests| guests.authentication.clone())
    }

    fn catalog(&self, _: &Caller) -> Arc<Catalog> {
        self.catalog.clone()
    }

    fn may_read(&self, caller: &Arc<Caller>, uri: &str) -> bool {
        let is_barred = self.barred.lock().expect("no panic").contains(uri) && !caller.is("operator");
        !is_barred && !matches!(self.catalog.find(&Target::Resource(uri.to_owned())), Found::Nothing)
    }

    async fn call(&self, call: Call) -> Result<Reply, Fault> {
        self.begun.send_modify(|count| *count += 1);
        let mut running = Running(self, false);
        let reply = match &call.target {
            Target::Tool(name) => self.tool(name, &call).await,
            Target::Resource(uri) if uri == "test://one" => Ok(Reply::Resource(vec![ResourceContents {
                uri: uri.clone(),
                mime: None,
                text: ResourceText::Text("one".into()),
                meta: None,
            }])),
            Target::Resource(uri) => Err(Fault::unknown_resource(uri)),
            Target::Prompt(name) if name == "hello" => Ok(Reply::Prompt(PromptReply {
                description: None,
                messages: vec![callgate_model::Message { role: callgate_model::Role::User, content: Content::text("hello") }],
            })),
            Target::Prompt(name) => Err(Fault::unknown("prompt", name)),
            Target::Completion { value, .. } => {
                Ok(Reply::Completion(Completion { values: vec![format!("{value}!")], total: None, more: false }))
            }
        };
        running.1 = true;
        reply
    }

    async fn refuse(&self, call: Call, fault: Fault) -> Fault {
        self.refused.lock().expect("no panic").push(format!("{}: {}\n", call.target.name(), fault.chain()));
        fault
    }

    fn notices(&self) -> &Notices {
        &self.notices
    }

    async fn ready(&self) -> Vec<Probe> {
        let state = if self.go.is_closed() { Err("it is closed".into()) } else { Ok(()) };
        vec![Probe { part: "script".into(), state }]
    }

    fn metrics(&self) -> String {
        "script_up 1\n".into()
    }
}

/// Waits until a count has come so far.
pub(crate) async fn reaches(count: &watch::Sender<usize>, at_least: usize) {
    let mut count = count.subscribe();
    let reached = count.wait_for(|count| *count >= at_least);
    tokio::time::timeout(client::PATIENCE, reached).await.expect("it gets there in time").expect("the script lives");
}

impl Script {
    pub(crate) fn announce(&self, change: Change) {
        self.notices.announce(change);
    }

    /// From now on only operators may read this.
    pub(crate) fn bar(&self, uri: &str) {
        self.barred.lock().expect("no panic").insert(uri.into());
    }

    /// Somebody of `tenant` changed this resource.
    pub(crate) fn changed(&self, tenant: &str, uri: &str) {
        self.announce(Change::Resource { tenant: tenant.into(), uri: uri.into() });
    }
}

struct Fixtures;

#[async_trait]
impl Backend for Fixtures {
    fn offers(&self) -> Offers {
        let open = Json::of(&json!({ "type": "object" }));
        let marked = json!({ "type": "object", "properties": { "region": { "type": "string", "x-mcp-header": "Region" } } });
        let tool = |name: &str| {
            let input = if name == "marked" { Json::of(&marked) } else { open.clone() };
            let effect = if name.ends_with("_write") { Effect::Write } else { Effect::Read };
            Tool { effect, ..Tool::new(ToolName::new(name).expect("a name"), name, input) }
        };
        let names = [
            "echo",
            "marked",
            "lines",
            "talk",
            "talk_wait",
            "wait",
            "wait_write",
            "pause",
            "ask",
            "ask_write",
            "ask_twice",
            "ask_forever",
            "sample",
            "whoami",
            "left",
            "fail",
        ];
        let prompt = Prompt::new(PromptName::new("hello").expect("a name"));
        let template = ResourceTemplate::new(UriTemplate::parse("test://many/{id}").expect("a template"), "many");
        Offers {
            tools: names.map(tool).into(),
            resources: vec![Resource { uri: "test://one".into(), name: "one".into(), ..Resource::default() }],
            templates: vec![template],
            prompts: vec![prompt],
            completes: true,
        }
    }

    async fn call(&self, _: &Call) -> Result<Reply, Fault> {
        Err(Fault::internal("the script answers"))
    }
}
