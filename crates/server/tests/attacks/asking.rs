//! Tools that ask back, and tools whose arguments are repeated in headers. Only tools made of code do either, so the gate is made of code
//! too, and stands in the test's own process.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use callgate::{
    Authentication, Backend, Call, Caller, Credentials, Effect, Error, Fault, Gate, Identify, InputRequest, InputRequired, Json, Offers,
    Proof, Reply, Span, Tool, ToolName, ToolReply, Unidentified, async_trait,
    settings::{Store, Wire},
};
use callgate_testkit::{Folder, http::Request};
use expect_test::{Expect, expect};
use serde_json::{Value, json};
use tokio::{sync::oneshot, task::JoinHandle, time::sleep};

use crate::{
    canary::{self, Cage},
    gate::{now, open},
    row::{Edit as _, call},
};

const ANN: &str = "token-of-ann-at-acme-c4n4ry";
const BOB: &str = "token-of-bob-at-acme-c4n4ry";
const OTHER_ANN: &str = "token-of-ann-at-globex-c4n4ry";

/// Knows three callers.
#[derive(Debug)]
struct Doorman;

#[async_trait]
impl Identify for Doorman {
    async fn identify(&self, credentials: &Credentials<'_>) -> Result<Arc<Caller>, Unidentified> {
        let (tenant, id) = match credentials.bearer.ok_or(Unidentified::Missing)? {
            ANN => ("acme", "ann"),
            BOB => ("acme", "bob"),
            OTHER_ANN => ("globex", "ann"),
            _ => return Err(Unidentified::Refused("nobody knows it".into())),
        };
        Ok(Arc::new(Caller::new(tenant, id, Proof::Token)))
    }

    fn authentication(&self) -> Arc<Authentication> {
        Arc::default()
    }
}

/// Counts how often it was reached, and how often something came of it.
#[derive(Clone, Default)]
struct Clerk {
    reached: Arc<AtomicU64>,
    written: Arc<AtomicU64>,
}

#[async_trait]
impl Backend for Clerk {
    fn offers(&self) -> Offers {
        let marked = json!({ "type": "object", "properties": {
            "region": { "type": "string", "x-mcp-header": "Region" },
            "count": { "type": "integer", "x-mcp-header": "Count" },
            "dry": { "type": "boolean", "x-mcp-header": "Dry" },
            "deep": { "type": "object", "properties": { "zone": { "type": "string", "x-mcp-header": "Zone" } } },
        } });
        let order = json!({ "type": "object", "properties": { "order": { "type": "string" }, "amount": { "type": "number" } } });
        let tools = [("route", &marked), ("approve", &order), ("think", &order), ("look", &order), ("visit", &order)];
        let tool = |(name, input): (&str, &Value)| {
            let mut tool = Tool::new(ToolName::new(name).unwrap(), "", Json::of(input));
            tool.terms.allow = Some(vec!["anyone".into()]);
            tool.effect = if name == "approve" { Effect::Write } else { Effect::Read };
            tool
        };
        Offers { tools: tools.into_iter().map(tool).collect(), ..Offers::default() }
    }

    async fn call(&self, call: &Call) -> Result<Reply, Fault> {
        self.reached.fetch_add(1, Ordering::SeqCst);
        let form = || InputRequest::Form { message: "Really?".into(), schema: Json::of(&json!({ "type": "object", "properties": {} })) };
        let asked = match call.target.name() {
            "route" => return Ok(ToolReply::text("routed").into()),
            "approve" => InputRequired::one("sure", form()).remember(format!("asked {}", call.caller.key())),
            "think" => InputRequired::one("sure", InputRequest::Sample(serde_json::Map::new())),
            "look" => InputRequired::one("sure", InputRequest::Roots),
            _ => InputRequired::one("sure", InputRequest::Url { message: "Go there".into(), url: "https://example.com/".into() }),
        };
        let is_mine = call.state.as_ref() == asked.state.as_ref();
        if is_mine && call.answers.get("sure").is_some_and(|answer| answer["action"] == "accept") {
            self.written.fetch_add(1, Ordering::SeqCst);
            return Ok(ToolReply::text("done").into());
        }
        Ok(asked.into())
    }
}

/// A gate with such tools.
struct Made {
    address: SocketAddr,
    clerk: Clerk,
    folder: Folder,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<Result<callgate::Drained, Error>>,
    owed: Vec<(String, String)>,
}

impl Made {
    async fn start(secrets: &[&str], expiry: Span) -> Self {
        let nothing: [(&str, &str); 0] = [];
        let folder = Folder::with(nothing).unwrap();
        let store = Store { path: folder.path().join("data/callgate.db"), ..Store::default() };
        let mut wire = Wire::default();
        wire.questions.expiry = expiry;
        wire.questions.secrets = serde_json::from_value(json!(secrets)).unwrap();
        let clerk = Clerk::default();
        let gate = Gate::builder().backend("clerk", clerk.clone()).identify(Doorman).store(store).wire(wire);
        let listening = gate.open().await.unwrap().listen(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let address = listening.address();
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(listening.until(async {
            let _ = stopped.await;
        }));
        Self { address, clerk, folder, stop, serving, owed: Vec::new() }
    }

    /// What comes back to the letter, and how often the tool was reached and did what it does; a call leaves a record with this outcome.
    async fn check(&mut self, name: &str, request: Request, outcome: &str, answer: Expect) {
        let figures = || [&self.clerk.reached, &self.clerk.written].map(|figure| figure.load(Ordering::SeqCst));
        let before = figures();
        let request = request.with("X-Request-ID", name).with("Cookie", &format!("session={}", canary::COOKIE));
        let heard = request.send(self.address).await.unwrap_or_else(|error| panic!("{name}: {error:#}"));
        let (status, body) = (heard.status, heard.text().await.unwrap());
        let after = figures();
        let mut cage = Cage::new();
        [ANN, BOB, OTHER_ANN].iter().for_each(|token| cage.add("a token", token));
        assert_eq!(cage.found(body.as_bytes()), Vec::<&str>::new(), "{name}: in the answer");
        let mut shown: Value = serde_json::from_str(&body).unwrap_or_default();
        if let Some(state) = shown.pointer_mut("/result/requestState") {
            *state = "STATE".into();
        }
        answer.assert_eq(&format!("{status} reached {} did {}\n{shown}\n", after[0] - before[0], after[1] - before[1]));
        if !outcome.is_empty() {
            self.owed.push((name.to_owned(), outcome.to_owned()));
        }
    }

    /// The state that the gate gives for such a call.
    async fn state(&mut self, request: &Request) -> String {
        let reply = request.clone().with("X-Request-ID", "asked").send(self.address).await.unwrap().json().await.unwrap();
        self.owed.push(("asked".to_owned(), "asked".to_owned()));
        reply["result"]["requestState"].as_str().unwrap_or_else(|| panic!("no state in {reply}")).to_owned()
    }

    /// Ends it; each call has its record, and there are no others.
    async fn end(mut self) {
        drop(self.stop);
        self.serving.await.unwrap().unwrap();
        let store = open(&self.folder, "callgate.db");
        let mut query = store.prepare("SELECT line FROM audit").unwrap();
        let mut found: Vec<(String, String)> = query
            .query_map([], |row| row.get::<_, String>(0))
            .unwrap()
            .map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap())
            .map(|line| (line["request"].as_str().unwrap().to_owned(), line["outcome"].as_str().unwrap().to_owned()))
            .collect();
        found.sort();
        self.owed.sort();
        assert_eq!(found, self.owed);
    }
}

/// A call of this caller, whose client says that it can do this.
fn by(token: &str, tool: &str, arguments: &Value, client: &Value) -> Request {
    let client = client.clone();
    let request = call(tool, arguments).bearer(token);
    request.edit(|params| params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = client)
}

/// The same with a state and the answer that it asks for.
fn answered(request: Request, state: &str) -> Request {
    request.edit(|params| {
        params.insert("requestState".into(), state.into());
        params.insert("inputResponses".into(), json!({ "sure": { "action": "accept", "content": {} } }));
    })
}

const SEAL: &str = canary::SEAL;
const USUAL: Span = Span::seconds(600);
const OTHER_SEAL: &str = "another-seal-0123456789abcdef-0123456789";

/// What a client can do that can do everything.
fn able() -> Value {
    json!({ "elicitation": { "form": {}, "url": {} }, "sampling": {}, "roots": {} })
}

/// What comes back for each; the outcome is empty where no call came about.
type Case = (&'static str, Request, &'static str, Expect);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn arguments_that_headers_repeat() {
    let mut gate = Made::start(&[SEAL], USUAL).await;
    let route = |arguments: Value, headers: &[(&str, &str)]| {
        let request = by(ANN, "route", &arguments, &json!({}));
        headers.iter().fold(request, |request, (name, value)| request.header(name, value))
    };
    let (eu, us) = (json!({ "region": "eu" }), json!({ "region": "us" }));
    let cases: Vec<Case> = vec![
        (
            "the-same",
            route(eu.clone(), &[("Mcp-Param-Region", "eu")]),
            "ok",
            expect![[r#"
            200 reached 1 did 0
            {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"routed"}],"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"callgate","version":"0.1.0"}}}}
        "#]],
        ),
        (
            "neither",
            route(json!({}), &[]),
            "ok",
            expect![[r#"
            200 reached 1 did 0
            {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"routed"}],"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"callgate","version":"0.1.0"}}}}
        "#]],
        ),
        (
            "in-base64",
            route(json!({ "region": " ü\n" }), &[("Mcp-Param-Region", "=?base64?IMO8Cg==?=")]),
            "ok",
            expect![[r#"
            200 reached 1 did 0
            {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"routed"}],"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"callgate","version":"0.1.0"}}}}
        "#]],
        ),
        (
            "all-of-them",
            route(
                json!({ "region": "eu", "count": 3, "dry": true, "deep": { "zone": "a" } }),
                &[("mcp-param-region", "eu"), ("MCP-PARAM-COUNT", "3"), ("Mcp-Param-Dry", "true"), ("Mcp-Param-Zone", "a")],
            ),
            "ok",
            expect![[r#"
                200 reached 1 did 0
                {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"routed"}],"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"callgate","version":"0.1.0"}}}}
            "#]],
        ),
        (
            "another",
            route(us.clone(), &[("Mcp-Param-Region", "eu")]),
            "bad_request",
            expect![[r#"
            400 reached 0 did 0
            {"jsonrpc":"2.0","id":1,"error":{"code":-32020,"message":"header `mcp-param-region` differs from argument `region`"}}
        "#]],
        ),
        (
            "no-header",
            route(us, &[]),
            "bad_request",
            expect![[r#"
            400 reached 0 did 0
            {"jsonrpc":"2.0","id":1,"error":{"code":-32020,"message":"header `mcp-param-region` is missing; it repeats argument `region`"}}
        "#]],
        ),
        (
            "no-argument",
            route(json!({}), &[("Mcp-Param-Region", "eu")]),
            "bad_request",
            expect![[r#"
            400 reached 0 did 0
            {"jsonrpc":"2.0","id":1,"error":{"code":-32020,"message":"header `mcp-param-region` is given, but argument `region` is not"}}
        "#]],
        ),
        (
            "null-argument",
            route(json!({ "region": null }), &[("Mcp-Param-Region", "eu")]),
            "bad_request",
            expect![[r#"
            400 reached 0 did 0
            {"jsonrpc":"2.0","id":1,"error":{"code":-32020,"message":"header `mcp-param-region` is given, but argument `region` is not"}}
        "#]],
        ),
        (
            "null-as-text",
            route(json!({ "region": null }), &[("Mcp-Param-Region", "null")]),
            "bad_request",
            expect![[r#"
            400 reached 0 did 0
            {"jsonrpc":"2.0","id":1,"error":{"code":-32020,"message":"header `mcp-param-region` is given, but argument `region` is not"}}
        "#]],
        ),
        (
            "twice-the-same",
            route(eu.clone(), &[("Mcp-Param-Region", "eu"), ("Mcp-Param-Region", "eu")]),
            "bad_request",
            expect![[r#"
            400 reached 0 did 0
            {"jsonrpc":"2.0","id":1,"error":{"code":-32020,"message":"header `mcp-param-region` is given 2 times"}}
        "#]],
        ),
        (
            "twice",
            route(eu.clone(), &[("Mcp-Param-Region", "eu"), ("mcp-param-region", "us")]),
            "bad_request",
            expect![[r#"
            400 reached 0 did 0
            {"jsonrpc":"2.0","id":1,"error":{"code":-32020,"message":"header `mcp-param-region` is given 2 times"}}
        "#]],
        ),
        (
            "a-list",
            route(eu.clone(), &[("Mcp-Param-Region", "eu, us")]),
            "bad_request",
            expect![[r#"
            400 reached 0 did 0
            {"jsonrpc":"2.0","id":1,"error":{"code":-32020,"message":"header `mcp-param-region` differs from argument `region`"}}
        "#]],
        ),
        (
            "another-case",
            route(eu.clone(), &[("Mcp-Param-Region", "EU")]),
            "bad_request",
            expect![[r#"
            400 reached 0 did 0
            {"jsonrpc":"2.0","id":1,"error":{"code":-32020,"message":"header `mcp-param-region` differs from argument `region`"}}
        "#]],
        ),
        (
            "in-quotes",
            route(eu.clone(), &[("Mcp-Param-Region", "\"eu\"")]),
            "bad_request",
            expect![[r#"
            400 reached 0 did 0
            {"jsonrpc":"2.0","id":1,"error":{"code":-32020,"message":"header `mcp-param-region` differs from argument `region`"}}
        "#]],
        ),
        (
            "raw-letters",
            route(json!({ "region": "ü" }), &[("Mcp-Param-Region", "ü")]),
            "bad_request",
            expect![[r#"
            400 reached 0 did 0
            {"jsonrpc":"2.0","id":1,"error":{"code":-32020,"message":"header `mcp-param-region` holds a character that must be sent as =?base64?…?="}}
        "#]],
        ),
        (
            "bad-base64",
            route(eu.clone(), &[("Mcp-Param-Region", "=?base64?***?=")]),
            "bad_request",
            expect![[r#"
            400 reached 0 did 0
            {"jsonrpc":"2.0","id":1,"error":{"code":-32020,"message":"header `mcp-param-region` is not valid base64 of UTF-8"}}
        "#]],
        ),
        (
            "base64-of-no-text",
            route(eu.clone(), &[("Mcp-Param-Region", "=?base64?/////w==?=")]),
            "bad_request",
            expect![[r#"
            400 reached 0 did 0
            {"jsonrpc":"2.0","id":1,"error":{"code":-32020,"message":"header `mcp-param-region` is not valid base64 of UTF-8"}}
        "#]],
        ),
        (
            "base64-of-another",
            route(eu.clone(), &[("Mcp-Param-Region", "=?base64?dXM=?=")]),
            "bad_request",
            expect![[r#"
            400 reached 0 did 0
            {"jsonrpc":"2.0","id":1,"error":{"code":-32020,"message":"header `mcp-param-region` differs from argument `region`"}}
        "#]],
        ),
        (
            "an-empty-header",
            route(eu.clone(), &[("Mcp-Param-Region", "")]),
            "bad_request",
            expect![[r#"
            400 reached 0 did 0
            {"jsonrpc":"2.0","id":1,"error":{"code":-32020,"message":"header `mcp-param-region` differs from argument `region`"}}
        "#]],
        ),
        (
            "number-as-another",
            route(json!({ "count": 3 }), &[("Mcp-Param-Count", "3.5")]),
            "bad_request",
            expect![[r#"
            400 reached 0 did 0
            {"jsonrpc":"2.0","id":1,"error":{"code":-32020,"message":"header `mcp-param-count` differs from argument `count`"}}
        "#]],
        ),
        (
            "number-in-hexadecimal",
            route(json!({ "count": 16 }), &[("Mcp-Param-Count", "0x10")]),
            "bad_request",
            expect![[r#"
            400 reached 0 did 0
            {"jsonrpc":"2.0","id":1,"error":{"code":-32020,"message":"header `mcp-param-count` differs from argument `count`"}}
        "#]],
        ),
        (
            "number-beyond-all",
            route(json!({ "count": 9_007_199_254_740_993_i64 }), &[("Mcp-Param-Count", "9007199254740992")]),
            "bad_request",
            expect![[r#"
                400 reached 0 did 0
                {"jsonrpc":"2.0","id":1,"error":{"code":-32020,"message":"header `mcp-param-count` differs from argument `count`"}}
            "#]],
        ),
        (
            "not-a-number",
            route(json!({ "count": 0 }), &[("Mcp-Param-Count", "NaN")]),
            "bad_request",
            expect![[r#"
            400 reached 0 did 0
            {"jsonrpc":"2.0","id":1,"error":{"code":-32020,"message":"header `mcp-param-count` differs from argument `count`"}}
        "#]],
        ),
        (
            "truth-as-number",
            route(json!({ "dry": true }), &[("Mcp-Param-Dry", "1")]),
            "bad_request",
            expect![[r#"
            400 reached 0 did 0
            {"jsonrpc":"2.0","id":1,"error":{"code":-32020,"message":"header `mcp-param-dry` differs from argument `dry`"}}
        "#]],
        ),
        (
            "truth-in-capitals",
            route(json!({ "dry": true }), &[("Mcp-Param-Dry", "True")]),
            "bad_request",
            expect![[r#"
            400 reached 0 did 0
            {"jsonrpc":"2.0","id":1,"error":{"code":-32020,"message":"header `mcp-param-dry` differs from argument `dry`"}}
        "#]],
        ),
        (
            "deep-another",
            route(json!({ "deep": { "zone": "a" } }), &[("Mcp-Param-Zone", "b")]),
            "bad_request",
            expect![[r#"
            400 reached 0 did 0
            {"jsonrpc":"2.0","id":1,"error":{"code":-32020,"message":"header `mcp-param-zone` differs from argument `deep.zone`"}}
        "#]],
        ),
        (
            "deep-at-the-top",
            route(json!({ "zone": "a" }), &[("Mcp-Param-Zone", "a")]),
            "bad_request",
            expect![[r#"
            400 reached 0 did 0
            {"jsonrpc":"2.0","id":1,"error":{"code":-32020,"message":"header `mcp-param-zone` is given, but argument `deep.zone` is not"}}
        "#]],
        ),
        (
            "object-as-text",
            route(json!({ "region": { "eu": 1 } }), &[("Mcp-Param-Region", "{\"eu\":1}")]),
            "bad_request",
            expect![[r#"
            400 reached 0 did 0
            {"jsonrpc":"2.0","id":1,"error":{"code":-32020,"message":"header `mcp-param-region` differs from argument `region`"}}
        "#]],
        ),
        (
            "of-a-tool-that-has-none",
            by(ANN, "look", &json!({ "order": "1" }), &json!({})).header("Mcp-Param-Order", "2"),
            "missing_capability",
            expect![[r#"
                400 reached 1 did 0
                {"jsonrpc":"2.0","id":1,"error":{"code":-32021,"message":"this needs a client with roots","data":{"requiredCapabilities":{"roots":{}}}}}
            "#]],
        ),
    ];
    for (name, request, outcome, answer) in cases {
        gate.check(name, request, outcome, answer).await;
    }
    gate.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_cannot_be_asked() {
    let mut gate = Made::start(&[SEAL], USUAL).await;
    let ask = |tool: &str, client: Value| by(ANN, tool, &json!({ "order": "1" }), &client);
    let old = json!({ "elicitation": {} });
    let cases: Vec<Case> = vec![
        (
            "form-for-nobody",
            ask("approve", json!({})),
            "missing_capability",
            expect![[r#"
            400 reached 1 did 0
            {"jsonrpc":"2.0","id":1,"error":{"code":-32021,"message":"this needs a client with elicitation","data":{"requiredCapabilities":{"elicitation":{}}}}}
        "#]],
        ),
        (
            "form-where-there-are-only-urls",
            ask("approve", json!({ "elicitation": { "url": {} } })),
            "missing_capability",
            expect![[r#"
            400 reached 1 did 0
            {"jsonrpc":"2.0","id":1,"error":{"code":-32021,"message":"this needs a client with elicitation","data":{"requiredCapabilities":{"elicitation":{}}}}}
        "#]],
        ),
        (
            "form-where-there-is-sampling",
            ask("approve", json!({ "sampling": {}, "roots": {} })),
            "missing_capability",
            expect![[r#"
            400 reached 1 did 0
            {"jsonrpc":"2.0","id":1,"error":{"code":-32021,"message":"this needs a client with elicitation","data":{"requiredCapabilities":{"elicitation":{}}}}}
        "#]],
        ),
        (
            "form-with-an-unknown-capability",
            ask("approve", json!({ "Elicitation": {}, "experimental": { "elicitation": {} } })),
            "missing_capability",
            expect![[r#"
                400 reached 1 did 0
                {"jsonrpc":"2.0","id":1,"error":{"code":-32021,"message":"this needs a client with elicitation","data":{"requiredCapabilities":{"elicitation":{}}}}}
            "#]],
        ),
        (
            "form-that-is-null",
            ask("approve", json!({ "elicitation": null })),
            "missing_capability",
            expect![[r#"
            400 reached 1 did 0
            {"jsonrpc":"2.0","id":1,"error":{"code":-32021,"message":"this needs a client with elicitation","data":{"requiredCapabilities":{"elicitation":{}}}}}
        "#]],
        ),
        (
            "url-where-there-are-only-forms",
            ask("visit", old.clone()),
            "missing_capability",
            expect![[r#"
            400 reached 1 did 0
            {"jsonrpc":"2.0","id":1,"error":{"code":-32021,"message":"this needs a client with elicitation","data":{"requiredCapabilities":{"elicitation":{"url":{}}}}}}
        "#]],
        ),
        (
            "sampling-where-there-are-forms",
            ask("think", old.clone()),
            "missing_capability",
            expect![[r#"
            400 reached 1 did 0
            {"jsonrpc":"2.0","id":1,"error":{"code":-32021,"message":"this needs a client with sampling","data":{"requiredCapabilities":{"sampling":{}}}}}
        "#]],
        ),
        (
            "roots-where-there-are-forms",
            ask("look", old.clone()),
            "missing_capability",
            expect![[r#"
            400 reached 1 did 0
            {"jsonrpc":"2.0","id":1,"error":{"code":-32021,"message":"this needs a client with roots","data":{"requiredCapabilities":{"roots":{}}}}}
        "#]],
        ),
        (
            "answers-without-the-capability",
            ask("approve", json!({})).edit(|params| {
                params.insert("inputResponses".into(), json!({ "sure": { "action": "accept", "content": {} } }));
            }),
            "missing_capability",
            expect![[r#"
                400 reached 1 did 0
                {"jsonrpc":"2.0","id":1,"error":{"code":-32021,"message":"this needs a client with elicitation","data":{"requiredCapabilities":{"elicitation":{}}}}}
            "#]],
        ),
        (
            "form-for-who-can",
            ask("approve", old),
            "asked",
            expect![[r#"
            200 reached 1 did 0
            {"jsonrpc":"2.0","id":1,"result":{"inputRequests":{"sure":{"method":"elicitation/create","params":{"mode":"form","message":"Really?","requestedSchema":{"type":"object","properties":{}}}}},"requestState":"STATE","resultType":"input_required","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"callgate","version":"0.1.0"}}}}
        "#]],
        ),
    ];
    for (name, request, outcome, answer) in cases {
        gate.check(name, request, outcome, answer).await;
    }
    gate.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn states_in_other_hands() {
    let mut gate = Made::start(&[SEAL], USUAL).await;
    let order = json!({ "order": "1", "amount": 10 });
    let approve = |token: &str, arguments: &Value| by(token, "approve", arguments, &able());
    let mine = approve(ANN, &order);
    let (state, unused) = (gate.state(&mine).await, gate.state(&mine).await);
    let theirs = gate.state(&approve(BOB, &order)).await;
    let of_visit = gate.state(&by(ANN, "visit", &order, &able())).await;
    let bent = |at: usize| {
        let mut bytes = unused.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        String::from_utf8(bytes).unwrap()
    };
    let (first, middle, last) = (bent(0), bent(unused.len() / 2), bent(unused.len() - 1));
    let with = |state: &str| answered(mine.clone(), state);
    let grown = json!({ "order": "1", "amount": 10_000 });
    let refused = |name, request: Request| -> Case {
        let answer = expect![[r#"
            200 reached 0 did 0
            {"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"`requestState` is not one that this call gave, or is too old; make the call again without it"}}
        "#]];
        (name, request, "bad_request", answer)
    };
    let cases: Vec<Case> = vec![
        refused("of-another-caller", with(&theirs)),
        refused("by-another-caller", answered(approve(BOB, &order), &state)),
        refused("by-who-has-the-same-name", answered(approve(OTHER_ANN, &order), &state)),
        refused("of-another-tool", with(&of_visit)),
        refused("for-other-arguments", answered(approve(ANN, &grown), &state)),
        refused("for-one-argument-more", answered(approve(ANN, &json!({ "order": "1", "amount": 10, "more": 1 })), &state)),
        refused("for-an-argument-of-another-type", answered(approve(ANN, &json!({ "order": 1, "amount": 10 })), &state)),
        refused("first-sign", with(&first)),
        refused("middle-sign", with(&middle)),
        refused("last-sign", with(&last)),
        refused("cut-short", with(&unused[..unused.len() - 1])),
        refused("with-a-blank", with(&format!("{unused} "))),
        refused("padded", with(&format!("{unused}="))),
        refused("twice-in-one", with(&format!("{unused}{unused}"))),
        (
            "answers-without-it",
            mine.clone().edit(|params| drop(params.insert("inputResponses".into(), json!({ "sure": { "action": "accept" } })))),
            "asked",
            expect![[r#"
                200 reached 1 did 0
                {"jsonrpc":"2.0","id":1,"result":{"inputRequests":{"sure":{"method":"elicitation/create","params":{"mode":"form","message":"Really?","requestedSchema":{"type":"object","properties":{}}}}},"requestState":"STATE","resultType":"input_required","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"callgate","version":"0.1.0"}}}}
            "#]],
        ),
        (
            "it-without-answers",
            mine.clone().edit(|params| drop(params.insert("requestState".into(), unused.clone().into()))),
            "asked",
            expect![[r#"
                200 reached 1 did 0
                {"jsonrpc":"2.0","id":1,"result":{"inputRequests":{"sure":{"method":"elicitation/create","params":{"mode":"form","message":"Really?","requestedSchema":{"type":"object","properties":{}}}}},"requestState":"STATE","resultType":"input_required","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"callgate","version":"0.1.0"}}}}
            "#]],
        ),
        (
            "answer-of-another-form",
            with(&state).edit(|params| params["inputResponses"]["sure"] = json!("accept")),
            "bad_request",
            expect![[r#"
                200 reached 0 did 0
                {"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"the answer to `sure` must be an object with `action` (accept, decline or cancel) and, if accepted, an object `content`"}}
            "#]],
        ),
        (
            "its-own",
            with(&gate.state(&mine).await),
            "ok",
            expect![[r#"
            200 reached 1 did 1
            {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"done"}],"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"callgate","version":"0.1.0"}}}}
        "#]],
        ),
        (
            "used",
            with(&state),
            "ok",
            expect![[r#"
                200 reached 1 did 1
                {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"done"}],"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"callgate","version":"0.1.0"}}}}
            "#]],
        ),
        (
            "used-again",
            with(&state),
            "bad_request",
            expect![[r#"
            200 reached 0 did 0
            {"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"this `requestState` was used before; what it led to stands. Make a new call only for a new action"}}
        "#]],
        ),
    ];
    for (name, request, outcome, answer) in cases {
        gate.check(name, request, outcome, answer).await;
    }
    let at_once = gate.state(&mine).await;
    race(&mut gate, &with(&at_once)).await;
    // Other gates: what this one sealed opens where they have the secret.
    let (kept, replaced) = (gate.state(&mine).await, gate.state(&mine).await);
    for (name, secrets, answer) in [
        (
            "of-another-seal",
            vec![OTHER_SEAL],
            expect![[r#"
        200 reached 0 did 0
        {"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"`requestState` is not one that this call gave, or is too old; make the call again without it"}}
    "#]],
        ),
        (
            "of-a-seal-that-is-gone",
            vec![],
            expect![[r#"
        200 reached 0 did 0
        {"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"`requestState` is not one that this call gave, or is too old; make the call again without it"}}
    "#]],
        ),
    ] {
        let mut other = Made::start(&secrets, USUAL).await;
        other.check(name, with(&kept), "bad_request", answer).await;
        other.end().await;
    }
    let mut other = Made::start(&[OTHER_SEAL, SEAL], USUAL).await;
    other.check("of-a-seal-that-was-replaced", with(&replaced), "ok", expect![[r#"
        200 reached 1 did 1
        {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"done"}],"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"callgate","version":"0.1.0"}}}}
    "#]]).await;
    other.end().await;
    let mut hasty = Made::start(&[SEAL], Span::millis(1)).await;
    let old = hasty.state(&mine).await;
    let given = now();
    while now() <= given {
        sleep(Duration::from_millis(20)).await;
    }
    hasty.check("too-old", with(&old), "bad_request", expect![[r#"
        200 reached 0 did 0
        {"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"`requestState` is not one that this call gave, or is too old; make the call again without it"}}
    "#]]).await;
    hasty.end().await;
    gate.end().await;
}

/// One state in twenty hands at once leads to one thing.
async fn race(gate: &mut Made, request: &Request) {
    let written = || gate.clerk.written.load(Ordering::SeqCst);
    let before = written();
    let request = request.clone().with("X-Request-ID", "race");
    let answers = futures_util::future::join_all((0..20).map(|_| request.send(gate.address))).await;
    assert!(answers.iter().all(|answer| answer.as_ref().is_ok_and(|answer| answer.status == 200)));
    assert_eq!(written() - before, 1, "one state, one effect");
    for number in 0..20 {
        gate.owed.push(("race".to_owned(), if number == 0 { "ok" } else { "bad_request" }.to_owned()));
    }
}
