//! A backend whose tools do what their names and arguments say.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use callgate_model::{
    Backend, Call, Completion, Effect, Fault, InputRequest, InputRequired, Json, Kind, Message, Offers, Prompt, PromptArgument, PromptName,
    PromptReply, Reply, Resource, ResourceContents, ResourceTemplate, ResourceText, Role, Tool, ToolName, ToolReply, UriTemplate,
    async_trait,
};
use serde_json::{Value, json};

/// The scripted backend; counts the calls that reach it.
#[derive(Default)]
pub(crate) struct Script {
    reached: AtomicUsize,
    dropped: AtomicUsize,
    probe: Mutex<String>,
    probed: AtomicUsize,
    odd: Option<Json>,
}

impl Script {
    pub(super) fn with_schema(schema: &Value) -> Self {
        Self { odd: Some(Json::of(schema)), ..Self::default() }
    }
    pub(super) fn reached(&self) -> usize {
        self.reached.load(Ordering::SeqCst)
    }
    pub(super) fn dropped(&self) -> usize {
        self.dropped.load(Ordering::SeqCst)
    }
    /// How often it was asked whether it is ready.
    pub(super) fn probed(&self) -> usize {
        self.probed.load(Ordering::SeqCst)
    }

    pub(super) fn probe(&self, answer: &str) {
        *self.probe.lock().expect("a lock") = answer.into();
    }
}

/// Name, effect, schema.
fn tools() -> [(&'static str, Effect, Value); 8] {
    let open = json!({ "type": "object" });
    let strict = json!({
        "type": "object",
        "properties": {
            "customer_id": { "type": "string", "pattern": "^cust_[a-z0-9]{4}$" },
            "limit": { "type": "integer", "minimum": 1, "maximum": 100 },
            "tier": { "enum": ["free", "pro", "enterprise"] },
            "email": { "type": "string", "format": "email" },
            "pin": { "type": "string", "maxLength": 4 },
            "since": { "type": "string", "format": "date" },
            "tags": { "type": "array", "items": { "type": "string", "maxLength": 5 }, "maxItems": 2, "uniqueItems": true },
            "items": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": { "sku": { "type": "string" }, "quantity": { "type": "integer", "minimum": 1 } },
                    "required": ["sku", "quantity"],
                    "additionalProperties": false,
                },
            },
            "either": { "anyOf": [{ "type": "string" }, { "type": "null" }] },
        },
        "required": ["customer_id"],
        "additionalProperties": false,
    });
    [
        ("echo", Effect::Read, open.clone()),
        ("slow", Effect::Read, open.clone()),
        ("panic", Effect::Read, open.clone()),
        ("nested", Effect::Read, open.clone()),
        ("ask", Effect::Read, open.clone()),
        ("strict", Effect::Read, strict),
        ("write", Effect::Write, open.clone()),
        ("slow_write", Effect::Destroy, open),
    ]
}

#[async_trait]
impl Backend for Script {
    fn offers(&self) -> Offers {
        let tool = |(name, effect, schema): (&str, Effect, Value)| {
            let updates = if name == "write" { vec![UriTemplate::parse("item://{id}").expect("a template")] } else { Vec::new() };
            let deadline = (name == "slow_write").then_some(Duration::from_secs(10));
            let redact = vec!["pin".to_owned()];
            let tool = Tool::new(ToolName::new(name).expect("a name"), "", Json::of(&schema));
            Tool { effect, updates, deadline, redact, ..tool }
        };
        let odd = self.odd.clone().map(|schema| Tool::new(ToolName::new("odd").expect("a name"), "", schema));
        let argument = |name: &str, required| PromptArgument { name: name.into(), required, ..PromptArgument::default() };
        Offers {
            tools: tools().into_iter().map(tool).chain(odd).collect(),
            resources: vec![Resource { uri: "note://one".into(), ..Resource::default() }],
            templates: vec![ResourceTemplate::new(UriTemplate::parse("item://{id}").expect("a template"), "item")],
            prompts: vec![Prompt {
                arguments: vec![argument("who", true), argument("tone", false)],
                ..Prompt::new(PromptName::new("greet").expect("a name"))
            }],
            completes: true,
        }
    }

    async fn call(&self, call: &Call) -> Result<Reply, Fault> {
        self.reached.fetch_add(1, Ordering::SeqCst);
        let number = |name| call.argument(name).and_then(Value::as_u64).unwrap_or_default();
        match call.target.name() {
            "slow" | "slow_write" => {
                let _guard = Dropped(&self.dropped);
                tokio::time::sleep(Duration::from_millis(number("ms"))).await;
                std::mem::forget(_guard);
            }
            "panic" => panic!("on purpose"),
            "nested" => {
                let deep = number("deep");
                if deep > 0 {
                    let inner = json!({ "deep": deep - 1 }).as_object().cloned().expect("an object");
                    return call.invoke("nested", inner).await.map(Reply::from);
                }
                return Ok(ToolReply::structured(Json::of(&json!({ "text": "deep 0" }))).into());
            }
            "ask" => return Ok(InputRequired::one("q", InputRequest::Roots).into()),
            _ => {}
        }
        match call.argument("fail").and_then(Value::as_str) {
            None => Ok(ToolReply::structured(Json::of(&json!({ "text": call.text("text").unwrap_or_default() }))).into()),
            Some("error") => Ok(ToolReply::error("no").into()),
            Some("refused") => Err(Fault::refused("not like this")),
            Some("timeout") => Err(Fault::timeout(Duration::from_secs(1))),
            Some("ended") => Err(Fault::ended(Duration::from_secs(1))),
            Some("unavailable") => Err(Fault::unavailable("script").because("connection refused")),
            Some(_) => Err(Fault::internal("as told")),
        }
    }

    async fn read(&self, call: &Call) -> Result<Reply, Fault> {
        let text = call.found.variable("id").map_or_else(String::new, |id| format!(" id={id}"));
        let uri = call.target.name().to_owned();
        Ok(Reply::Resource(vec![ResourceContents { uri, mime: None, text: ResourceText::Text(text), meta: None }]))
    }

    async fn prompt(&self, call: &Call) -> Result<Reply, Fault> {
        let content = callgate_model::Content::text(format!("hello {}", call.text("who")?));
        Ok(Reply::Prompt(PromptReply { description: None, messages: vec![Message { role: Role::User, content }] }))
    }

    async fn complete(&self, _call: &Call) -> Result<Reply, Fault> {
        Ok(Reply::Completion(Completion { values: vec!["you".into()], ..Completion::default() }))
    }

    async fn probe(&self) -> Result<(), Fault> {
        self.probed.fetch_add(1, Ordering::SeqCst);
        let answer = self.probe.lock().expect("a lock").clone();
        match answer.as_str() {
            "down" => Err(Fault::new(Kind::Unavailable { retry_after: None }, Fault::unavailable("script").message())),
            "hang" => std::future::pending().await,
            "panic" => panic!("on purpose"),
            _ => Ok(()),
        }
    }

    fn gauges(&self) -> Vec<(&'static str, f64)> {
        vec![
            ("mcp_db_connections_active", 3.0),
            ("mcp_db_query_duration_seconds_bucket{le=\"0.1\"}", 1.0),
            ("mcp_db_query_duration_seconds_bucket{le=\"+Inf\"}", 2.0),
            ("mcp_db_query_duration_seconds_count", 2.0),
            ("mcp_db_query_duration_seconds_sum", 0.5),
            ("mcp_db_connections_opened_total", 7.0),
        ]
    }
}

/// Counts work that was dropped before its end.
struct Dropped<'a>(&'a AtomicUsize);

impl Drop for Dropped<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}
