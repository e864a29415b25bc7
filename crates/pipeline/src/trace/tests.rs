//! What is seen of a call: the tree of its spans, for calls that are served, refused, kept, tried again and cut off.

use std::{
    fmt::Write as _,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use callgate_model::{
    Backend, Beginning, Caching, Call, Collect, Fault, Gateway as _, Json, Note, Offers, Origin, Reply, Sharing, Span, Spans, Step, Tally,
    Target, Terms, Tool, ToolName, ToolReply, Trace, Traces, async_trait,
};
use expect_test::{Expect, expect};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::tests::Fixture;

/// Samples every call, and writes its spans down: one line each, indented below its parent.
#[derive(Clone, Default)]
struct Shelf(Arc<Mutex<Vec<Span>>>);

impl Collect for Shelf {
    fn collect(&self, spans: Spans) {
        self.0.lock().expect("a lock").extend(spans.spans);
    }
}

#[async_trait]
impl Traces for Shelf {
    fn begin(&self, _: &Origin) -> Option<Step> {
        let at = Timestamp::from_second(1_700_000_000).expect("a time");
        let collector = Arc::new(self.clone());
        Some(Trace::begin(Beginning { trace: 0xabc, parent: None, state: None, ids: 1, at, most: 256, collector }))
    }
    fn names_callers(&self) -> bool {
        false
    }
    async fn flush(&self) {}
    fn tally(&self) -> Tally {
        Tally { exported: 3, dropped: vec![("queue_full", 2)], waiting: 1 }
    }
}

impl Shelf {
    fn told(&self) -> String {
        let (mut text, mut depths) = (String::new(), Vec::<(u64, usize)>::new());
        for span in self.0.lock().expect("a lock").drain(..) {
            let depth = depths.iter().find(|(id, _)| Some(*id) == span.parent).map_or(0, |(_, depth)| depth + 1);
            depths.push((span.id, depth));
            let notes = span.notes.iter().filter(|(key, _)| *key != "callgate.request.id").map(|(key, note)| match note {
                Note::Text(text) => format!(" {key}={text}"),
                Note::Number(number) => format!(" {key}={number}"),
            });
            writeln!(text, "{:depth$}{} {:?}{}", "", span.name, span.outcome, notes.collect::<String>(), depth = depth * 2)
                .expect("a text");
        }
        text
    }
}

fn traced(config: &Value, shelf: &Shelf) -> Fixture {
    Fixture::traced("telling", Arc::new(Telling::default()), config, Arc::new(shelf.clone()))
}

async fn check(config: Value, calls: &[(&str, Value)], expected: Expect) {
    let shelf = Shelf::default();
    let fixture = traced(&config, &shelf);
    let mut text = String::new();
    for (tool, arguments) in calls {
        fixture.call(tool, arguments.clone()).await;
        text.push_str(&shelf.told());
    }
    assert!(!text.contains("canary"), "{text}");
    expected.assert_eq(&text);
}

#[tokio::test(start_paused = true)]
async fn served_and_refused_calls() {
    let calls = [
        ("echo", json!({ "text": "canary" })),
        ("slow", json!({ "ms": 20, "text": "canary" })),
        ("strict", json!({ "customer_id": "canary" })),
        ("canary", json!({})),
        ("echo", json!({ "text": "canary", "fail": "error" })),
        ("panic", json!({ "text": "canary" })),
        ("nested", json!({ "deep": 1 })),
    ];
    check(json!({}), &calls, expect![[r#"
        tools/call echo Well mcp.method.name=tools/call mcp.protocol.version=2026-07-28 callgate.transport=http gen_ai.tool.name=echo gen_ai.operation.name=execute_tool callgate.backend=script callgate.outcome=ok
          attempt Well callgate.attempt=1 callgate.breaker.state=closed
            backend Well
        tools/call slow Well mcp.method.name=tools/call mcp.protocol.version=2026-07-28 callgate.transport=http gen_ai.tool.name=slow gen_ai.operation.name=execute_tool callgate.backend=script callgate.outcome=ok
          attempt Well callgate.attempt=1 callgate.breaker.state=closed
            backend Well
        tools/call strict Badly("bad_arguments") mcp.method.name=tools/call mcp.protocol.version=2026-07-28 callgate.transport=http gen_ai.tool.name=strict gen_ai.operation.name=execute_tool callgate.backend=script callgate.outcome=bad_arguments
          validate Badly("bad_arguments")
        tools/call unknown Badly("unknown") mcp.method.name=tools/call mcp.protocol.version=2026-07-28 callgate.transport=http gen_ai.operation.name=execute_tool callgate.outcome=unknown
          find Badly("unknown")
        tools/call echo Badly("tool_error") mcp.method.name=tools/call mcp.protocol.version=2026-07-28 callgate.transport=http gen_ai.tool.name=echo gen_ai.operation.name=execute_tool callgate.backend=script callgate.outcome=error
          attempt Badly("tool_error") callgate.attempt=1 callgate.breaker.state=closed
            backend Badly("tool_error")
        tools/call panic Badly("internal") mcp.method.name=tools/call mcp.protocol.version=2026-07-28 callgate.transport=http gen_ai.tool.name=panic gen_ai.operation.name=execute_tool callgate.backend=script callgate.outcome=internal
          catch Badly("internal")
            attempt Dropped callgate.attempt=1 callgate.breaker.state=closed
              backend Dropped
        tools/call nested Well mcp.method.name=tools/call mcp.protocol.version=2026-07-28 callgate.transport=http gen_ai.tool.name=nested gen_ai.operation.name=execute_tool callgate.backend=script callgate.outcome=ok
          attempt Well callgate.attempt=1 callgate.breaker.state=closed
            tools/call nested Well mcp.method.name=tools/call mcp.protocol.version=2026-07-28 callgate.transport=http gen_ai.tool.name=nested gen_ai.operation.name=execute_tool callgate.backend=script callgate.outcome=ok
              attempt Well callgate.attempt=1 callgate.breaker.state=closed
                backend Well
    "#]]).await;
}

#[tokio::test(start_paused = true)]
async fn layers_that_refuse_wait_or_try_again() {
    let config = json!({ "calls": { "deadline": "1s" }, "quotas": { "rules": [{ "name": "few", "limit": "4/1m", "per": ["caller"] }] } });
    let calls = [
        ("echo", json!({ "fail": "unavailable" })),
        ("slow", json!({ "ms": 5000 })),
        ("tell", json!({ "text": "canary" })),
        ("tell", json!({ "text": "canary" })),
        ("echo", json!({ "text": "canary" })),
    ];
    check(config, &calls, expect![[r#"
        tools/call echo Badly("unavailable") mcp.method.name=tools/call mcp.protocol.version=2026-07-28 callgate.transport=http gen_ai.tool.name=echo gen_ai.operation.name=execute_tool callgate.backend=script callgate.outcome=unavailable
          retry Badly("unavailable") callgate.attempts=3
            attempt Badly("unavailable") callgate.attempt=1 callgate.breaker.state=closed
              backend Badly("unavailable")
            attempt Badly("unavailable") callgate.attempt=2 callgate.breaker.state=closed
              backend Badly("unavailable")
            attempt Badly("unavailable") callgate.attempt=3 callgate.breaker.state=closed
              backend Badly("unavailable")
        tools/call slow Badly("timeout") mcp.method.name=tools/call mcp.protocol.version=2026-07-28 callgate.transport=http gen_ai.tool.name=slow gen_ai.operation.name=execute_tool callgate.backend=script callgate.outcome=timeout
          attempt Badly("timeout") callgate.attempt=1 callgate.breaker.state=closed
            deadline Badly("timeout")
              backend Dropped
        tools/call tell Well mcp.method.name=tools/call mcp.protocol.version=2026-07-28 callgate.transport=http gen_ai.tool.name=tell gen_ai.operation.name=execute_tool callgate.backend=telling callgate.outcome=ok
          cache Well callgate.cache=miss
            retry Well callgate.attempts=2
              attempt Badly("unavailable") callgate.attempt=1 callgate.breaker.state=closed
                backend Badly("unavailable")
              attempt Well callgate.attempt=2 callgate.breaker.state=closed
                backend Well
        tools/call tell Well mcp.method.name=tools/call mcp.protocol.version=2026-07-28 callgate.transport=http gen_ai.tool.name=tell gen_ai.operation.name=execute_tool callgate.backend=telling callgate.outcome=ok
          cache Well callgate.cache=hit
        tools/call echo Badly("limited") mcp.method.name=tools/call mcp.protocol.version=2026-07-28 callgate.transport=http gen_ai.tool.name=echo gen_ai.operation.name=execute_tool callgate.backend=script callgate.outcome=limited
          rate_limit Badly("limited") callgate.quota=few
    "#]]).await;
}

#[tokio::test(start_paused = true)]
async fn a_call_that_nobody_waits_for_is_seen() {
    let shelf = Shelf::default();
    let fixture = traced(&json!({}), &shelf);
    let call = fixture.gate.call(fixture.prepared(Target::Tool("slow".into()), json!({ "ms": 2000 })));
    tokio::time::timeout(Duration::from_millis(100), call).await.expect_err("it takes longer");
    expect![[r#"
        tools/call slow Dropped mcp.method.name=tools/call mcp.protocol.version=2026-07-28 callgate.transport=http gen_ai.tool.name=slow gen_ai.operation.name=execute_tool callgate.backend=script
          attempt Dropped callgate.attempt=1 callgate.breaker.state=closed
            backend Dropped
    "#]].assert_eq(&shelf.told());
}

/// Says which `traceparent` it would give on. Its first attempt fails, and what it says is kept.
#[derive(Default)]
struct Telling(AtomicBool);

#[async_trait]
impl Backend for Telling {
    fn offers(&self) -> Offers {
        let cache = Some(Caching {
            ttl: Duration::from_secs(60),
            stale: Duration::ZERO,
            tags: Vec::new(),
            shared: Sharing::Caller,
            version: String::new(),
        });
        let tool = Tool::new(ToolName::new("tell").expect("a name"), "", Json::of(&json!({ "type": "object" })));
        let tool = Tool { terms: Terms { cache, ..Terms::default() }, ..tool };
        Offers { tools: vec![tool], ..Offers::default() }
    }
    async fn call(&self, call: &Call) -> Result<Reply, Fault> {
        if !self.0.swap(true, Ordering::SeqCst) {
            return Err(Fault::unavailable("telling"));
        }
        let span = call.trace.as_ref().map(|trace| trace.parent().span);
        Ok(ToolReply::structured(Json::of(&span)).into())
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_given_on_is_the_span_of_the_backend() {
    let shelf = Shelf::default();
    let told = traced(&json!({}), &shelf).call("tell", json!({})).await;
    let last = shelf.0.lock().expect("a lock").last().map(|span| (span.name.clone(), span.id)).expect("a span");
    assert_eq!(("backend", told), (last.0.as_ref(), format!("ok {}", last.1)));
    let unseen = Fixture::beside("telling", Arc::new(Telling::default()), &json!({}));
    assert_eq!(unseen.call("tell", json!({})).await, "ok null", "a call that is not sampled carries nothing");
}

#[tokio::test(start_paused = true)]
async fn sent_and_dropped_traces_are_counted() {
    let fixture = traced(&json!({}), &Shelf::default());
    let metrics = fixture.gate.metrics();
    for line in ["mcp_traces_exported_total 3", "mcp_traces_dropped_total{reason=\"queue_full\"} 2", "mcp_traces_waiting 1.0"] {
        assert!(metrics.lines().any(|own| own == line), "{line} in\n{metrics}");
    }
    assert!(!Fixture::new(&json!({})).gate.metrics().contains("mcp_traces"), "there is nothing to count");
}
