//! The gate as a whole; the parts that all tests of this room share are in `fixture.rs`.

mod carried;
mod fixture;
mod script;

pub(crate) use fixture::{Fixture, is_pending, told};

use std::time::Duration;

use callgate_model::{Call, Change, Gateway as _, Target};
use expect_test::expect;
use serde_json::json;

fn quick(fixture: &Fixture, tool: &str, arguments: serde_json::Value) -> Call {
    fixture.prepared(Target::Tool(tool.into()), arguments)
}

#[tokio::test(start_paused = true)]
async fn every_sort_of_target_reaches_its_backend() {
    let fixture = Fixture::new(&json!({}));
    let targets = [
        Target::Tool("echo".into()),
        Target::Resource("note://one".into()),
        Target::Resource("item://7".into()),
        Target::Prompt("greet".into()),
        fixture.completion("greet", "who"),
    ];
    let mut replies = String::new();
    for target in targets {
        let arguments = if matches!(target, Target::Prompt(_)) { json!({ "who": "you" }) } else { json!({}) };
        replies += &fixture.say(target, arguments).await;
        replies.push('\n');
    }
    expect![[r#"
        ok {"text":""}
        ok note://one
        ok item://7 id=7
        ok hello you
        ok ["you"]
    "#]]
    .assert_eq(&replies);
}

#[tokio::test(start_paused = true)]
async fn a_panic_ends_one_call_and_frees_its_place() {
    let fixture = Fixture::new(&json!({ "calls": { "bulkhead": { "tool": 1, "waiting": 0 } } }));
    for _ in 0..3 {
        let answer = fixture.call("panic", json!({})).await;
        assert_eq!(answer, "internal something went wrong on this side; the operator finds it under this request's id");
    }
    assert_eq!(fixture.audit(), "1 tool panic internal\n2 tool panic internal\n3 tool panic internal\n");
    assert!(fixture.gate.metrics().contains("\nmcp_panics_total 3\n"));
}

#[tokio::test(start_paused = true)]
async fn updates_are_announced_after_success_only() {
    let fixture = Fixture::new(&json!({}));
    let mut news = fixture.gate.notices().listen();
    for (arguments, expected) in [
        (json!({ "id": "a/1" }), Some("item://a%2F1")),
        (json!({ "id": "a", "fail": "error" }), None),
        (json!({ "id": "a", "fail": "refused" }), None),
        (json!({}), None),
    ] {
        fixture.call("write", arguments.clone()).await;
        let heard: Vec<_> = std::iter::from_fn(|| news.try_recv().ok()).collect();
        let expected: Vec<_> = expected.into_iter().map(|uri| Change::Resource { tenant: "local".into(), uri: uri.into() }).collect();
        assert_eq!(heard, expected, "{arguments}");
    }
}

/// A parent holds the only place of its tool, of the backend and of the audit queue while it calls itself.
#[tokio::test(start_paused = true)]
async fn calls_within_calls_cannot_wait_for_the_call_above() {
    let tight = json!({ "calls": { "bulkhead": { "tool": 1, "backend": 1, "waiting": 0 } }, "audit": { "queue": 1 } });
    let fixture = Fixture::new(&tight);
    assert_eq!(fixture.call("nested", json!({ "deep": 3 })).await, r#"ok {"text":"deep 0"}"#);
    expect![[r#"
        1 tool nested ok depth=3
        2 tool nested ok depth=2
        3 tool nested ok depth=1
        4 tool nested ok
    "#]]
    .assert_eq(&fixture.audit());
    let entries = fixture.entries();
    assert!(entries.iter().all(|entry| entry.request == entries[0].request), "one id finds them all");
}

#[tokio::test(start_paused = true)]
async fn draining_refuses_new_calls_and_lets_running_ones_finish() {
    let fixture = Fixture::new(&json!({}));
    let gate = fixture.gate.clone();
    let mut running = Box::pin(gate.call(quick(&fixture, "slow", json!({ "ms": 2000 }))));
    assert!(is_pending(&mut running));
    let mut drain = Box::pin(fixture.gate.drain(Duration::from_secs(3)));
    assert!(is_pending(&mut drain));
    let refused = fixture.call("echo", json!({})).await;
    assert_eq!(refused, "unavailable this server is closing: nothing was done, so try again in a moment");
    assert!(running.await.is_ok());
    drain.await;
    assert_eq!(fixture.audit(), "1 tool echo unavailable\n2 tool slow ok\n");
    assert!(fixture.ready().await.contains("gate: the gate is closing"));
}

#[tokio::test(start_paused = true)]
async fn draining_cancels_what_outlives_its_limit() {
    let fixture = Fixture::new(&json!({ "calls": { "bulkhead": { "tool": 1 } } }));
    let gate = fixture.gate.clone();
    let call = |tool, ms| gate.call(quick(&fixture, tool, json!({ "ms": ms })));
    let mut read = Box::pin(call("slow", 4000));
    let mut write = Box::pin(call("slow_write", 4000));
    let mut waiting = Box::pin(call("slow_write", 4000));
    assert!(is_pending(&mut read) && is_pending(&mut write) && is_pending(&mut waiting));
    let (_, read, write, waiting) = tokio::join!(gate.drain(Duration::from_millis(100)), read, write, waiting);
    let word = |result: Result<_, callgate_model::Fault>| result.expect_err("cancelled").kind().code();
    assert_eq!([word(read), word(write), word(waiting)], ["unavailable", "unclear", "unavailable"]);
    assert_eq!(fixture.reached(), 2, "the one that waited never began");
    assert_eq!(fixture.entries().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn readiness_asks_the_store_and_every_backend() {
    let fixture = Fixture::new(&json!({ "calls": { "probe_every": "0s" } }));
    assert_eq!(fixture.ready().await, "gate: ready\nstore: ready\nscript: ready\n");
    fixture.script.probe("down");
    fixture.ledger.fail(Some("disk full"));
    assert_eq!(fixture.ready().await, "gate: ready\nstore: disk full\nscript: `script` cannot be reached just now; try again later\n");
    fixture.script.probe("hang");
    assert!(fixture.ready().await.ends_with("script: no answer within 2s\n"));
    fixture.script.probe("panic");
    assert!(fixture.ready().await.ends_with("script: the probe panicked\n"));
}

#[tokio::test(start_paused = true)]
async fn many_who_ask_whether_the_gate_is_ready_cost_one_probe() {
    let fixture = Fixture::new(&json!({}));
    fixture.script.probe("hang");
    let told = tokio::join!(fixture.ready(), fixture.ready(), fixture.ready());
    assert!(told.0.ends_with("script: no answer within 2s\n") && told.0 == told.1 && told.1 == told.2, "{told:?}");
    assert_eq!(fixture.script.probed(), 1);
    fixture.script.probe("");
    fixture.ledger.fail(Some("disk full"));
    assert_eq!(fixture.ready().await, "gate: ready\nstore: disk full\nscript: no answer within 2s\n", "the store is looked at each time");
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(fixture.ready().await, "gate: ready\nstore: disk full\nscript: ready\n");
    assert_eq!(fixture.script.probed(), 2);
}

#[test]
fn a_gate_with_a_schema_that_reaches_out_does_not_open() {
    for (schema, why) in [
        (json!({ "$ref": "https://example.com/schema.json" }), "example.com"),
        (json!({ "$ref": "file:///etc/passwd" }), "passwd"),
        (json!({ "properties": { "a": { "$ref": "#/$defs/none" } } }), "$defs/none"),
        (json!({ "properties": { "a": { "pattern": "(?=a)b" } } }), "pattern"),
        (json!({ "type": 7 }), "type"),
        (json!({ "$schema": "https://example.com/dialect" }), "example.com"),
        (json!({ "description": "x".repeat(300 * 1024) }), "bytes"),
    ] {
        let refused = Fixture::with_schema(&schema).err().expect(why).to_string();
        assert!(refused.starts_with("tool `odd`: its input schema cannot be used: ") && refused.contains(why), "{refused}");
    }
    assert!(Fixture::with_schema(&json!({ "$defs": { "a": {} }, "properties": { "a": { "$ref": "#/$defs/a" } } })).is_ok());
}
