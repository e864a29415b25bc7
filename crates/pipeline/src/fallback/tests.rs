//! Who gets which answer when the backend is away, and who never does.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use callgate_model::{
    Backend, Call, Caller, Effect, Fallback, Fault, Gateway as _, Json, Offers, Proof, Reply, Target, Terms, Tool, ToolName, ToolReply,
    async_trait,
};
use serde_json::{Value, json};
use tokio::time::advance;

use crate::tests::Fixture;

/// Says who asks what, as long as it is there.
#[derive(Default)]
struct Mirror {
    is_away: AtomicBool,
}

#[async_trait]
impl Backend for Mirror {
    fn offers(&self) -> Offers {
        let stale = Fallback::Stale(Duration::from_secs(600));
        let fixed = Fallback::Reply(Json::of(&json!({ "open": "unknown" })));
        let tool = |(name, effect, fallback): (&str, Effect, Option<Fallback>)| {
            let terms = Terms { fallback, ..Terms::default() };
            Tool { effect, terms, ..Tool::new(ToolName::new(name).expect("a name"), "", Json::of(&json!({ "type": "object" }))) }
        };
        let tools = [
            ("stale", Effect::Read, Some(stale.clone())),
            ("fixed", Effect::Read, Some(fixed)),
            ("plain", Effect::Read, None),
            ("push", Effect::Write, Some(stale)),
        ];
        Offers { tools: tools.into_iter().map(tool).collect(), ..Offers::default() }
    }

    async fn call(&self, call: &Call) -> Result<Reply, Fault> {
        if self.is_away.load(Ordering::SeqCst) {
            return Err(Fault::unavailable("mirror"));
        }
        if call.argument("wrong").is_some() {
            return Ok(ToolReply::error("wrong").into());
        }
        Ok(ToolReply::structured(Json::of(&json!({ "for": call.caller.key(), "n": call.argument("n") }))).into())
    }
}

struct World {
    mirror: Arc<Mirror>,
    fixture: Fixture,
}

impl World {
    fn new() -> Self {
        let mirror = Arc::new(Mirror::default());
        let config = json!({ "calls": { "retry": { "attempts": 1 }, "breaker": { "least": 1000 } } });
        Self { fixture: Fixture::beside("mirror", mirror.clone(), &config), mirror }
    }

    fn is_away(&self, away: bool) {
        self.mirror.is_away.store(away, Ordering::SeqCst);
    }

    /// The texts of the answer, or the kind of the fault.
    async fn ask(&self, caller: &Arc<Caller>, tool: &str, arguments: Value) -> String {
        let mut call = self.fixture.prepared(Target::Tool(tool.into()), arguments);
        call.caller = caller.clone();
        match self.fixture.gate.call(call).await {
            Ok(Reply::Tool(reply)) => {
                let texts = reply.content.iter().map(|content| match &content.body {
                    callgate_model::Body::Text(text) => text.clone(),
                    other => format!("{other:?}"),
                });
                let structured = reply.structured.iter().map(|json| json.as_str().to_owned());
                let meta = reply.meta.iter().map(|json| json.as_str().to_owned());
                structured.chain(texts).chain(meta).collect::<Vec<_>>().join(" | ")
            }
            Ok(other) => format!("{other:?}"),
            Err(fault) => fault.kind().code().to_owned(),
        }
    }
}

fn caller(id: &str, role: &str) -> Arc<Caller> {
    let mut caller = Caller::new("acme", id, Proof::Key);
    caller.roles.push(role.into());
    Arc::new(caller)
}

#[tokio::test(start_paused = true)]
async fn the_last_good_answer_is_given_marked_to_the_same_caller_and_question_only() {
    let world = World::new();
    let (ann, bob) = (caller("ann", "sales"), caller("bob", "sales"));
    let fresh = r#"{"for":"4:acme:ann","n":1}"#;
    assert_eq!(world.ask(&ann, "stale", json!({ "n": 1, "m": [2] })).await, fresh);
    world.is_away(true);
    advance(Duration::from_secs(90)).await;
    let note = "This answer is 90 s old: the system behind does not answer just now.";
    let marked = format!(r#"{fresh} | {fresh} | {note} | {{"callgate/fallback":"stale","callgate/age":90}}"#);
    assert_eq!(world.ask(&ann, "stale", json!({ "m": [2], "n": 1 })).await, marked);
    for (who, tool, arguments) in [
        (&bob, "stale", json!({ "n": 1, "m": [2] })),
        (&caller("ann", "intern"), "stale", json!({ "n": 1, "m": [2] })),
        (&ann, "stale", json!({ "n": 2, "m": [2] })),
        (&ann, "stale", json!({ "n": "1", "m": [2] })),
        (&ann, "plain", json!({ "n": 1, "m": [2] })),
    ] {
        assert_eq!(world.ask(who, tool, arguments.clone()).await, "unavailable", "{who} {tool} {arguments}");
    }
    advance(Duration::from_secs(511)).await;
    assert_eq!(world.ask(&ann, "stale", json!({ "n": 1, "m": [2] })).await, "unavailable", "too old");
    let metrics = world.fixture.gate.metrics();
    assert!(metrics.contains("mcp_fallbacks_total{tool_name=\"stale\",fallback=\"stale\"} 1\n"), "{metrics}");
}

#[tokio::test(start_paused = true)]
async fn the_tools_own_errors_are_neither_kept_nor_replaced() {
    let world = World::new();
    let ann = caller("ann", "sales");
    assert_eq!(world.ask(&ann, "stale", json!({ "wrong": 1 })).await, "wrong");
    assert_eq!(world.ask(&ann, "fixed", json!({ "wrong": 1 })).await, "wrong");
    world.is_away(true);
    assert_eq!(world.ask(&ann, "stale", json!({ "wrong": 1 })).await, "unavailable");
    let fixed = r#"{"open":"unknown"} | {"open":"unknown"} | This is a stand-in: the system behind does not answer just now. | {"callgate/fallback":"reply"}"#;
    assert_eq!(world.ask(&ann, "fixed", json!({})).await, fixed);
}

#[tokio::test(start_paused = true)]
async fn a_write_is_never_answered_for() {
    let world = World::new();
    let ann = caller("ann", "sales");
    assert!(world.ask(&ann, "push", json!({})).await.starts_with('{'));
    world.is_away(true);
    assert_eq!(world.ask(&ann, "push", json!({})).await, "unavailable");
}
