//! Traces as whoever looks at them sees them: what a collector gets of calls, what a database sees, and what nobody does.

use std::{net::SocketAddr, ops::Range, sync::Arc};

use callgate::{Call, Caller, Configuration, Deadline, Environment, Gateway, Members, Origin, Reply, Target};
use callgate_testkit::{
    Collector, Folder, PATIENCE,
    collector::{Mood, Span},
    fault_proxy::{Fault, FaultProxy},
    http::Request,
};
use expect_test::{Expect, expect};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::{
    command::{CONFIG, modern, notes, run, serve, start},
    database,
};

/// The configuration of `notes`, whose gate tells this collector; notes are kept for a while.
fn traced(collector: &Collector, traces: &str) -> String {
    let url = collector.url();
    let head = format!(
        "reload: {{ every: 0s }}
egress: {{ allow: [127.0.0.1] }}
telemetry: {{ traces: {{ endpoint: '{url}', every: 10ms, headers: {{ x-token: {{ file: token }} }}, {traces} }} }}
quotas: {{ rules: [{{ name: few, limit: 2/1m, tools: [add_note], per: [caller] }}] }}
"
    );
    head + CONFIG.replace("    missing:", "    cache: { ttl: 60s }\n    missing:").trim_start()
}

fn folder(collector: &Collector, traces: &str) -> Folder {
    let folder = notes();
    folder.write("gate.yaml", &traced(collector, traces)).unwrap();
    folder.write("token", "canary-token").unwrap();
    std::process::Command::new("chmod").arg("600").arg(folder.path().join("token")).status().unwrap();
    folder
}

/// The id of the trace with this number.
fn id(number: u32) -> String {
    format!("{:032x}", 0xabc_0000 + number)
}

/// The context of a caller that samples its call.
fn context(number: u32) -> String {
    format!("00-{}-00f067aa0ba902b7-01", id(number))
}

/// Calls a tool; each header is a name and a value.
async fn call(address: SocketAddr, tool: &str, arguments: &Value, headers: &[(&str, &str)]) -> Value {
    post(address, tool, &modern(tool, arguments), headers).await
}

async fn post(address: SocketAddr, tool: &str, body: &Value, headers: &[(&str, &str)]) -> Value {
    let request = Request::post("/mcp", body).header("MCP-Protocol-Version", "2026-07-28");
    let request = request.header("Mcp-Method", "tools/call").header("Mcp-Name", tool);
    let request = headers.iter().fold(request, |request, (name, value)| request.header(name, value));
    request.send(address).await.unwrap().json().await.unwrap()
}

/// The spans, one a line, indented below their parents, in the order in which they began.
fn told(spans: &[Span]) -> String {
    let mut text = String::new();
    let mut spans: Vec<_> = spans.iter().collect();
    spans.sort_by_key(|span| span.time.0);
    let mut open: Vec<(&str, usize)> = vec![("00f067aa0ba902b7", 0)];
    for span in &spans {
        let depth = open.iter().find(|(id, _)| *id == span.parent).map_or(99, |(_, depth)| *depth);
        // How long a layer takes is not the test's to say: one that only waited is passed over.
        let is_above = spans.iter().any(|below| below.parent == span.id);
        if span.kind == 1 && is_above && !span.attributes.keys().any(|key| key.starts_with("callgate.")) {
            open.push((&span.id, depth));
            continue;
        }
        open.push((&span.id, depth + 1));
        let kind = ["", "internal", "server", "client"][usize::try_from(span.kind).unwrap()];
        let failed = if span.status == 2 { " failed" } else { "" };
        let said = span
            .attributes
            .iter()
            .filter(|(key, _)| !key.starts_with("mcp.") && !key.starts_with("gen_ai.") && *key != "callgate.request.id");
        let said: String = said.map(|(key, value)| format!(" {key}={value}")).collect();
        text += &format!("{:depth$}{} {kind}{failed}{said}\n", "", span.name, depth = depth * 2);
        let whole = spans.iter().find(|above| above.id == span.parent);
        assert!(whole.is_none_or(|above| above.time.0 <= span.time.0 && span.time.1 <= above.time.1), "{span:?} is outside of {whole:?}");
    }
    text
}

/// The traces with these numbers.
async fn check(collector: &Collector, numbers: Range<u32>, expected: Expect) {
    let mut text = String::new();
    for number in numbers {
        text += &told(&collector.trace(&id(number)).await.unwrap());
    }
    expected.assert_eq(&text);
}

#[tokio::test]
async fn a_collector_sees_what_became_of_each_call_and_nothing_that_callers_wrote() {
    let collector = Collector::start().await.unwrap();
    let folder = folder(&collector, "resource: { host.name: one }");
    let (mut process, address) = serve(folder.path()).await;
    let headers = [("tracestate", "vendor=1"), ("X-API-Key", "canary-key"), ("Cookie", "canary-cookie")];
    let with =
        |number| [[("traceparent", context(number))].to_vec(), headers.map(|(name, value)| (name, value.to_owned())).to_vec()].concat();
    let calls = [
        ("get_note", json!({ "id": "a" })),
        ("get_note", json!({ "id": "a" })),
        ("get_note", json!({ "id": 7, "canary-name": "canary-value" })),
        ("canary-tool", json!({ "canary": "canary" })),
        ("add_note", json!({ "id": "c", "text": "canary-text" })),
        ("add_note", json!({ "id": "c", "text": "canary-again" })),
        ("add_note", json!({ "id": "c", "text": "canary-more" })),
    ];
    for (number, (tool, arguments)) in (0..).zip(&calls) {
        let with = with(number);
        let with: Vec<_> = with.iter().map(|(name, value)| (*name, value.as_str())).collect();
        call(address, tool, arguments, &with).await;
    }
    check(&collector, 0..7, expect![[r#"
        tools/call get_note server callgate.backend=main callgate.outcome=ok callgate.transport=http
          cache internal callgate.cache=miss
            attempt internal callgate.attempt=1 callgate.breaker.state=closed
              query main client callgate.backend=main db.system.name=sqlite
        tools/call get_note server callgate.backend=main callgate.outcome=ok callgate.transport=http
          cache internal callgate.cache=hit
        tools/call get_note server failed callgate.backend=main callgate.outcome=bad_arguments callgate.transport=http error.type=bad_arguments
          validate internal failed error.type=bad_arguments
        tools/call unknown server failed callgate.outcome=unknown callgate.transport=http error.type=unknown
          find internal failed error.type=unknown
        tools/call add_note server callgate.backend=main callgate.outcome=ok callgate.transport=http
          attempt internal callgate.attempt=1 callgate.breaker.state=closed
            query main client callgate.backend=main db.system.name=sqlite
        tools/call add_note server failed callgate.backend=main callgate.outcome=refused callgate.transport=http error.type=refused
          attempt internal failed callgate.attempt=1 callgate.breaker.state=closed error.type=refused
            query main client failed callgate.backend=main db.system.name=sqlite error.type=refused
        tools/call add_note server failed callgate.backend=main callgate.outcome=limited callgate.transport=http error.type=limited
          rate_limit internal failed callgate.quota=few error.type=limited
    "#]]).await;
    let heads = collector.heads();
    assert!(heads.iter().all(|head| head.contains("x-token: canary-token")), "the collector knows who sends: {heads:?}");

    process.signal("TERM").await.unwrap();
    let said = process.errors().await.unwrap();
    assert!(said.contains(&format!("\"trace_id\":\"{}\"", id(3))), "a log line leads to its trace: {said}");
    let sent = String::from_utf8_lossy(&collector.bytes()).into_owned();
    assert!(sent.contains("get_note") && !sent.contains("canary"), "{sent}");
}

#[tokio::test]
async fn spans_have_the_names_that_others_have_too() {
    let collector = Collector::start().await.unwrap();
    let folder = folder(&collector, "resource: { host.name: one }");
    let (_process, address) = serve(folder.path()).await;
    call(address, "get_note", &json!({ "id": "a" }), &[("traceparent", &context(0)), ("tracestate", "vendor=1")]).await;
    let first = &collector.trace(&id(0)).await.unwrap()[0];
    let names = ["mcp.method.name", "mcp.protocol.version", "gen_ai.tool.name", "gen_ai.operation.name"].map(|key| first.attribute(key));
    assert_eq!(names, ["tools/call", "2026-07-28", "get_note", "execute_tool"]);
    assert_eq!((first.resource["service.name"].as_str(), first.resource["host.name"].as_str()), ("notes", "one"));
    assert_eq!(first.state, "vendor=1");
}

#[tokio::test]
async fn a_trace_is_gone_on_with_from_the_message_and_begun_where_there_is_none() {
    let collector = Collector::start().await.unwrap();
    let folder = folder(&collector, "callers: true");
    let (_process, address) = serve(folder.path()).await;
    let mut body = modern("get_note", &json!({ "id": "a" }));
    body["params"]["_meta"]["traceparent"] = context(1).into();
    body["params"]["_meta"]["tracestate"] = "vendor=2".into();
    post(address, "get_note", &body, &[]).await;
    let root = collector.trace(&id(1)).await.unwrap().remove(0);
    assert_eq!((root.parent.as_str(), root.state.as_str(), root.attribute("enduser.id")), ("00f067aa0ba902b7", "vendor=2", "local"));
    // The header is the nearer one; and what is no context is none.
    post(address, "get_note", &body, &[("traceparent", &context(2))]).await;
    assert_eq!(collector.trace(&id(2)).await.unwrap()[0].state, "");
    post(address, "get_note", &modern("get_note", &json!({ "id": "b" })), &[("traceparent", &context(3).replace("00-", "ff-"))]).await;
    let until = Instant::now() + PATIENCE;
    let own = loop {
        let known = [id(1), id(2)];
        if let Some(own) = collector.spans().unwrap().into_iter().find(|span| span.kind == 2 && !known.contains(&span.trace)) {
            break own;
        }
        assert!(Instant::now() < until, "no trace was begun");
        sleep(std::time::Duration::from_millis(10)).await;
    };
    assert_eq!(own.parent, "");
    assert_ne!(own.trace, id(3));
}

#[tokio::test]
async fn a_collector_that_hangs_costs_no_call_and_a_reload_changes_it() {
    let (hanging, other) = (Collector::start().await.unwrap(), Collector::start().await.unwrap());
    hanging.answer(Mood::Never);
    let folder = folder(&hanging, "queue: 1, batch: 1, timeout: 60s");
    let (mut process, address) = serve(folder.path()).await;
    let metrics = || async { Request::new("GET", "/metrics").send(address).await.unwrap().text().await.unwrap() };
    for _ in 0..20 {
        let reply = call(address, "get_note", &json!({ "id": "a" }), &[]).await;
        assert_eq!(reply["result"]["structuredContent"]["text"], "first", "{reply}");
    }
    let text = metrics().await;
    let dropped = text.lines().find_map(|line| line.strip_prefix("mcp_traces_dropped_total{reason=\"queue_full\"} ")).unwrap();
    assert!(dropped.parse::<u32>().unwrap() >= 17, "{text}");

    folder.write("gate.yaml", &traced(&other, "queue: 10")).unwrap();
    let (code, _, errors) = run(folder.path(), &["reload", "FOLDER"]).await;
    assert_eq!(code, 0, "{errors}");
    call(address, "get_note", &json!({ "id": "a" }), &[("traceparent", &context(1))]).await;
    other.trace(&id(1)).await.unwrap();

    folder.write("gate.yaml", CONFIG).unwrap();
    let (code, _, errors) = run(folder.path(), &["reload", "FOLDER"]).await;
    assert_eq!(code, 0, "{errors}");
    call(address, "get_note", &json!({ "id": "a" }), &[("traceparent", &context(2))]).await;
    assert!(!metrics().await.contains("mcp_traces"), "nothing is left of it");
    process.signal("TERM").await.unwrap();
    process.errors().await.unwrap();
    assert_eq!(process.end().await.unwrap().code(), Some(0));
    assert!(other.spans().unwrap().iter().all(|span| span.trace == id(1)));
}

#[tokio::test]
async fn sessions_and_standard_input_go_on_with_traces_too() {
    let collector = Collector::start().await.unwrap();
    let folder = folder(&collector, "");
    let hello = json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": { "name": "a", "version": "1" } });
    let hello = json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": hello });
    let get = |number| {
        let params = json!({ "name": "get_note", "arguments": { "id": "a" }, "_meta": { "traceparent": context(number) } });
        json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params })
    };
    let (_process, address) = serve(folder.path()).await;
    let answer = Request::post("/mcp", &hello).send(address).await.unwrap();
    let session = answer.header("mcp-session-id").unwrap().to_owned();
    let inside = |body: &Value| Request::post("/mcp", body).header("Mcp-Session-Id", &session).header("MCP-Protocol-Version", "2025-06-18");
    inside(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })).send(address).await.unwrap();
    inside(&get(1)).send(address).await.unwrap();
    inside(&get(2)).header("traceparent", &context(3)).send(address).await.unwrap();
    for number in [1, 3] {
        let root = collector.trace(&id(number)).await.unwrap().remove(0);
        assert_eq!((root.parent.as_str(), root.attribute("mcp.protocol.version")), ("00f067aa0ba902b7", "2025-06-18"));
    }

    let mut process = start(folder.path(), &["serve", "--stdio", "FOLDER"]);
    for message in [&hello, &get(4)] {
        process.write(&message.to_string()).await.unwrap();
        process.read().await.unwrap();
    }
    let mut modern = modern("get_note", &json!({ "id": "a" }));
    modern["params"]["_meta"]["traceparent"] = context(5).into();
    process.write(&modern.to_string()).await.unwrap();
    process.read().await.unwrap();
    for number in [4, 5] {
        assert_eq!(collector.trace(&id(number)).await.unwrap()[0].attribute("callgate.transport"), "stdio");
    }
    process.close();
    process.end().await.unwrap();
}

#[tokio::test]
async fn what_waits_is_sent_before_the_gate_ends() {
    let collector = Collector::start().await.unwrap();
    let folder = folder(&collector, "");
    let config = traced(&collector, "").replace("every: 10ms", "every: 1h");
    folder.write("gate.yaml", &config).unwrap();
    let (mut process, address) = serve(folder.path()).await;
    call(address, "get_note", &json!({ "id": "a" }), &[("traceparent", &context(1))]).await;
    assert_eq!(collector.requests(), 0);
    process.signal("TERM").await.unwrap();
    process.errors().await.unwrap();
    assert_eq!(process.end().await.unwrap().code(), Some(0));
    assert_eq!(collector.spans().unwrap()[0].trace, id(1));
}

const QUERIES: &str = "
version: 1
name: queries
egress: { allow: [127.0.0.1] }
telemetry: { traces: { endpoint: '${COLLECTOR}', every: 10ms } }
backends:
  db: { kind: sql, url: '${DATABASE}', pool: { size: 1 } }
tools:
  look:
    backend: db
    description: What the database sees of this very statement.
    effect: read
    returns: one
    input: { word: { type: string } }
    sql: >-
      SELECT query, (SELECT count(*) FROM pg_prepared_statements) AS prepared, :word::text AS word
      FROM pg_stat_activity WHERE pid = pg_backend_pid()
";

/// Calls `look` as somebody who samples, or does not.
async fn ask(gate: &dyn Gateway, traceparent: &str) -> Result<Reply, callgate::Fault> {
    let arguments: Members = serde_json::from_value(json!({ "word": "canary" })).unwrap();
    let origin = Origin { traceparent: Some(traceparent.to_owned()), ..Origin::default() };
    let deadline = Deadline::after(std::time::Duration::from_secs(60));
    gate.call(Call::new(Target::Tool("look".into()), arguments, Caller::local(), Arc::new(origin), deadline)).await
}

async fn look(gate: &dyn Gateway, traceparent: &str) -> Value {
    let reply = ask(gate, traceparent).await.unwrap();
    let Reply::Tool(reply) = reply else { panic!("a tool answers") };
    serde_json::from_str(reply.structured.unwrap().as_str()).unwrap()
}

#[tokio::test]
async fn postgres_sees_which_trace_a_statement_is_made_for() {
    let Some(server) = database::postgres() else { return };
    let collector = Collector::start().await.unwrap();
    let (head, rest) = server.split_once('@').unwrap();
    let (address, name) = rest.split_once('/').unwrap();
    let mut proxy = FaultProxy::start(address.parse().unwrap()).await.unwrap();
    let url = format!("{head}@{}/{name}", proxy.address());
    let folder = Folder::with([("gate.yaml", QUERIES)]).unwrap();
    let environment = Environment::of([("DATABASE", url.as_str()), ("COLLECTOR", &collector.url())]);
    let gate = Configuration::read_in(folder.path(), &environment).unwrap().open().await.unwrap().gateway();

    let unseen = look(gate.as_ref(), &context(1).replace("-01", "-00")).await;
    assert!(!unseen["query"].as_str().unwrap().contains("traceparent"), "{unseen}");
    for number in 2..5 {
        let seen = look(gate.as_ref(), &context(number)).await;
        let spans = collector.trace(&id(number)).await.unwrap();
        let client = spans.iter().find(|span| span.kind == 3).unwrap();
        assert_eq!((client.name.as_str(), client.attribute("db.system.name")), ("query db", "postgresql"));
        let comment = format!("/*traceparent='00-{}-{}-01'*/", id(number), client.id);
        assert!(seen["query"].as_str().unwrap().ends_with(&comment), "{seen}");
        assert_eq!((&seen["prepared"], &seen["word"]), (&unseen["prepared"], &json!("canary")), "sampled statements are not kept");
    }

    // What cannot be reached is tried again.
    proxy.inflict(Fault::Refused).await;
    ask(gate.as_ref(), &context(5)).await.unwrap_err();
    check(
        &collector,
        5..6,
        expect![[r#"
        tools/call look server failed callgate.backend=db callgate.outcome=unavailable callgate.transport= error.type=unavailable
          retry internal failed callgate.attempts=3 error.type=unavailable
            attempt internal failed callgate.attempt=1 callgate.breaker.state=closed error.type=unavailable
              query db client failed callgate.backend=db db.system.name=postgresql error.type=unavailable
            attempt internal failed callgate.attempt=2 callgate.breaker.state=closed error.type=unavailable
              query db client failed callgate.backend=db db.system.name=postgresql error.type=unavailable
            attempt internal failed callgate.attempt=3 callgate.breaker.state=closed error.type=unavailable
              query db client failed callgate.backend=db db.system.name=postgresql error.type=unavailable
    "#]],
    )
    .await;
}
