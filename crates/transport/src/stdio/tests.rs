//! Standard input and output as a client sees them: lines through pipes in memory.

use std::sync::Arc;

use callgate_model::Change;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream, duplex},
    sync::oneshot,
    task::JoinHandle,
};

use crate::{
    Config, Drained,
    testbed::{Script, reaches},
};

/// A process and the pipes to it.
struct Child {
    script: Arc<Script>,
    input: DuplexStream,
    output: BufReader<DuplexStream>,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<Drained>,
}

impl Child {
    fn start(config: Config) -> Self {
        let (input, reader) = duplex(64 * 1024);
        let (writer, output) = duplex(64 * 1024);
        let script = Script::new();
        let gateway = script.clone();
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(async move {
            let shutdown = async {
                // Dropping the sender is no wish to stop here: most tests end the input.
                if stopped.await.is_err() {
                    std::future::pending::<()>().await;
                }
            };
            super::serve(reader, writer, gateway, callgate_model::Caller::local(), &config, shutdown).await
        });
        Self { script, input, output: BufReader::new(output), stop, serving }
    }

    async fn say(&mut self, line: &str) {
        self.input.write_all(format!("{line}\n").as_bytes()).await.expect("the process reads");
    }

    /// The next message; `None` when the process has closed its output.
    async fn hear(&mut self) -> Option<Value> {
        let mut line = String::new();
        let length = self.output.read_line(&mut line).await.expect("text");
        (length > 0).then(|| serde_json::from_str(&line).expect("one message on each line"))
    }

    async fn ask(&mut self, message: &Value) -> Value {
        self.say(&message.to_string()).await;
        self.hear().await.expect("a reply")
    }

    /// Ends the input; gives what is still said and how the process ended.
    async fn end(mut self) -> (Vec<Value>, Drained) {
        drop(self.input);
        let mut rest = Vec::new();
        let mut line = String::new();
        while self.output.read_line(&mut line).await.expect("text") > 0 {
            rest.push(serde_json::from_str(&line).expect("one message on each line"));
            line.clear();
        }
        (rest, self.serving.await.expect("no panic"))
    }
}

fn start() -> Child {
    Child::start(Config::default())
}

fn request(id: i64, method: &str, params: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })
}

fn modern(id: i64, method: &str, mut params: Value) -> Value {
    let meta = json!({ "io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {} });
    let own = params["_meta"].take();
    params["_meta"] = meta;
    for (key, value) in own.as_object().into_iter().flatten() {
        params["_meta"][key] = value.clone();
    }
    request(id, method, &params)
}

fn tool(id: i64, name: &str) -> Value {
    modern(id, "tools/call", json!({ "name": name, "arguments": {} }))
}

fn hello(revision: &str, client: &Value) -> Value {
    request(0, "initialize", &json!({ "protocolVersion": revision, "capabilities": client, "clientInfo": { "name": "t", "version": "1" } }))
}

fn text(reply: &Value) -> &str {
    reply["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("no text: {reply}"))
}

/// Says each line and compares what a client decides by: the code of the error, or `ok`.
async fn check(child: &mut Child, cases: &[(&str, String, &str)]) {
    for (what, line, expected) in cases {
        child.say(line).await;
        let reply = child.hear().await.expect("a reply");
        let short = reply["error"]["code"].as_i64().map_or("ok".to_owned(), |code| code.to_string());
        assert_eq!(short, *expected, "{what}: {reply}");
    }
}

#[tokio::test]
async fn both_eras_are_served_side_by_side() {
    let mut config = Config::default();
    config.stdio.line = callgate_config::Size(2000);
    let mut child = Child::start(config);
    let plain = |id, method: &str| request(id, method, &json!({})).to_string();
    let cases = [
        ("modern", modern(1, "tools/list", json!({})).to_string(), "ok"),
        ("no metadata and no handshake", plain(2, "tools/list"), "-32602"),
        ("not JSON", "nonsense".into(), "-32700"),
        ("too long", "x".repeat(2001), "-32600"),
        ("an array", format!("[{}]", modern(1, "tools/list", json!({}))), "-32600"),
        ("a handshake", hello("2025-11-25", &json!({})).to_string(), "ok"),
        ("legacy", plain(3, "tools/list"), "ok"),
        ("ping", plain(4, "ping"), "ok"),
        ("modern again", modern(5, "server/discover", json!({})).to_string(), "ok"),
        ("ping is legacy", modern(6, "ping", json!({})).to_string(), "-32601"),
        ("an unknown version", tool(7, "echo").to_string().replace("2026-07-28", "2099-01-01"), "-32022"),
        ("still no arrays", format!("[{}]", plain(8, "ping")), "-32600"),
    ];
    check(&mut child, &cases).await;
    child.say("").await;
    child.say(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }).to_string()).await;
    let (rest, drained) = child.end().await;
    assert_eq!((rest, drained), (Vec::new(), Drained::Clean));
}

#[tokio::test]
async fn requests_run_side_by_side_and_can_be_taken_back() {
    let mut config = Config::default();
    config.stdio.calls = 2;
    let mut child = Child::start(config);
    child.say(&tool(1, "wait").to_string()).await;
    let fast = child.ask(&tool(2, "echo")).await;
    assert_eq!((&fast["id"], text(&fast)), (&json!(2), "{}"));
    assert_eq!(child.ask(&tool(1, "echo")).await["error"]["code"], -32600, "its id is in use");
    child.say(&tool(3, "wait").to_string()).await;
    assert_eq!(child.ask(&tool(4, "echo")).await["error"]["code"], -32603, "there are two already");
    reaches(&child.script.begun, 3).await;
    child.say(&json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": 1 } }).to_string()).await;
    reaches(&child.script.dropped, 1).await;
    child.script.go.add_permits(1);
    assert_eq!(child.hear().await.expect("a reply")["id"], 3);
}

#[tokio::test]
async fn calls_that_run_when_the_input_ends_are_answered() {
    let mut child = start();
    child.say(&tool(1, "wait").to_string()).await;
    child.input.write_all(tool(2, "echo").to_string().as_bytes()).await.expect("the process reads");
    reaches(&child.script.begun, 1).await;
    child.script.go.add_permits(1);
    let (rest, drained) = child.end().await;
    let mut ids: Vec<_> = rest.iter().map(|reply| reply["id"].as_i64()).collect();
    ids.sort_unstable();
    assert_eq!((ids, drained), (vec![Some(1), Some(2)], Drained::Clean));
}

#[tokio::test(start_paused = true)]
async fn calls_that_do_not_end_in_time_are_cancelled() {
    let mut child = start();
    let script = child.script.clone();
    child.say(&tool(1, "wait").to_string()).await;
    child.say(&tool(2, "wait_write").to_string()).await;
    reaches(&script.begun, 2).await;
    let (rest, drained) = child.end().await;
    assert_eq!((rest, drained), (Vec::new(), Drained::Cut(2)));
    assert_eq!(*script.dropped.borrow(), 2);
}

#[tokio::test]
async fn progress_and_log_come_before_the_reply() {
    let mut child = start();
    let wishes = json!({ "progressToken": "t", "io.modelcontextprotocol/logLevel": "info" });
    child.say(&modern(1, "tools/call", json!({ "name": "talk", "_meta": wishes })).to_string()).await;
    let mut said = Vec::new();
    for _ in 0..4 {
        said.push(child.hear().await.expect("a message"));
    }
    let methods: Vec<_> = said.iter().map(|message| message["method"].as_str().unwrap_or("reply")).collect();
    assert_eq!(methods, ["notifications/progress", "notifications/message", "notifications/progress", "reply"]);
}

#[tokio::test]
async fn a_listener_hears_until_the_gate_stops() {
    let mut child = start();
    let first = child.ask(&modern(7, "subscriptions/listen", json!({ "notifications": { "toolsListChanged": true } }))).await;
    assert_eq!(first["method"], "notifications/subscriptions/acknowledged");
    child.script.announce(Change::Prompts);
    child.script.announce(Change::Tools);
    let notice = child.hear().await.expect("a notice");
    assert_eq!(notice["method"], "notifications/tools/list_changed");
    assert_eq!(notice["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"], 7);
    let Child { mut output, stop, serving, .. } = child;
    stop.send(()).expect("it still runs");
    let mut last = Vec::new();
    let mut line = String::new();
    while output.read_line(&mut line).await.expect("text") > 0 {
        last.push(serde_json::from_str::<Value>(&line).expect("JSON"));
        line.clear();
    }
    assert_eq!((&last[0]["id"], &last[1]["method"], last.len()), (&json!(7), &json!("notifications/cancelled"), 2));
    assert_eq!(serving.await.expect("no panic"), Drained::Clean);
}

#[tokio::test]
async fn a_listener_that_is_taken_back_hears_nothing_more() {
    let mut child = start();
    child.ask(&modern(7, "subscriptions/listen", json!({ "notifications": { "toolsListChanged": true } }))).await;
    child.say(&json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": 7 } }).to_string()).await;
    child.ask(&modern(8, "tools/list", json!({}))).await;
    // The id is free again as soon as the stream is over.
    while child.ask(&modern(7, "tools/list", json!({}))).await["error"]["code"] == -32600 {}
    child.script.announce(Change::Tools);
    let (rest, _) = child.end().await;
    assert_eq!(rest, Vec::<Value>::new());
}

#[tokio::test]
async fn a_legacy_client_is_asked_and_told() {
    let mut child = start();
    child.ask(&hello("2025-06-18", &json!({ "elicitation": {} }))).await;
    child.script.announce(Change::Tools);
    assert_eq!(child.hear().await.expect("a notice")["method"], "notifications/tools/list_changed");
    child.say(&request(1, "tools/call", &json!({ "name": "ask", "arguments": {} })).to_string()).await;
    let question = child.hear().await.expect("a question");
    assert_eq!(question["method"], "elicitation/create");
    let answer = json!({ "jsonrpc": "2.0", "id": question["id"], "result": { "action": "accept", "content": { "n": "Ann" } } });
    let reply = child.ask(&answer).await;
    assert!(text(&reply).contains("Ann"), "{reply}");
    // A question that nobody can answer any more ends the call at once.
    child.say(&request(2, "tools/call", &json!({ "name": "ask", "arguments": {} })).to_string()).await;
    child.hear().await.expect("a question");
    let (rest, drained) = child.end().await;
    assert_eq!((rest[0]["result"]["isError"].clone(), drained), (json!(true), Drained::Clean));
}

#[tokio::test]
async fn arrays_are_for_the_oldest_clients_only() {
    let mut child = start();
    child.ask(&hello("2025-03-26", &json!({ "elicitation": {} }))).await;
    let call = |id, name: &str| request(id, "tools/call", &json!({ "name": name, "arguments": {} }));
    let replies = child.ask(&json!([request(1, "ping", &json!({})), call(2, "echo"), call(3, "ask"), { "jsonrpc": "2.0" }])).await;
    let mut ids: Vec<_> = replies.as_array().expect("an array").iter().map(|reply| reply["id"].as_i64()).collect();
    ids.sort_unstable();
    assert_eq!(ids, [None, Some(1), Some(2), Some(3)]);
}
