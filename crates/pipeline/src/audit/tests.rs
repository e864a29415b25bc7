//! Every call leaves one record, whatever becomes of it; writes wait for theirs.

use std::time::Duration;

use callgate_model::{Fault, Gateway as _, Target};
use expect_test::expect;
use serde_json::{Value, json};

use crate::tests::{Fixture, is_pending, told};

fn tool(name: &str) -> Target {
    Target::Tool(name.into())
}

#[tokio::test(start_paused = true)]
async fn each_way_to_end_leaves_one_record() {
    let fixture = Fixture::new(&json!({}));
    let cases: [(Target, Value); 15] = [
        (tool("echo"), json!({})),
        (tool("echo"), json!({ "fail": "error" })),
        (tool("ask"), json!({})),
        (tool("nobody"), json!({})),
        (tool("strict"), json!({})),
        (tool("slow"), json!({ "ms": 60_000 })),
        (tool("slow_write"), json!({ "ms": 60_000 })),
        (tool("panic"), json!({})),
        (tool("write"), json!({ "fail": "refused" })),
        (tool("write"), json!({ "fail": "unavailable" })),
        (tool("write"), json!({})),
        (Target::Resource("note://none".into()), json!({})),
        (Target::Prompt("greet".into()), json!({ "whom": "x" })),
        (fixture.completion("greet", "who"), json!({})),
        (fixture.completion("greet", "when"), json!({})),
    ];
    for (target, arguments) in cases {
        fixture.say(target, arguments).await;
    }
    expect![[r#"
        1 tool echo ok
        2 tool echo error
        3 tool ask asked
        4 tool nobody unknown
        5 tool strict bad_arguments
        6 tool slow timeout
        7 tool slow_write unclear
        8 tool panic internal
        9 tool write refused
        10 tool write unavailable
        11 tool write ok
        12 resource note://none unknown
        13 prompt greet bad_request
        14 completion greet ok
        15 completion greet bad_request
    "#]]
    .assert_eq(&fixture.audit());
}

#[tokio::test(start_paused = true)]
async fn what_the_transport_refused_is_on_record_and_goes_no_further() {
    let fixture = Fixture::new(&json!({}));
    let refuse = |name: &str| {
        let call = fixture.prepared(tool(name), json!({ "id": "a" }));
        fixture.gate.refuse(call, Fault::request("not with this state").because("forged"))
    };
    for name in ["echo", "write", "nobody", "panic"] {
        assert_eq!(refuse(name).await.to_string(), "not with this state", "{name}");
    }
    // A write that is not made waits for nothing, whatever the audit log is able to do.
    fixture.ledger.fail(Some("disk full"));
    assert_eq!(refuse("write").await.to_string(), "not with this state");
    fixture.ledger.fail(None);
    assert_eq!(fixture.reached(), 0);
    let records: String = fixture.entries().iter().map(|entry| format!("{} {} {:?}\n", entry.name, entry.outcome, entry.reason)).collect();
    expect![[r#"
        echo bad_request Some("forged")
        write bad_request Some("forged")
        nobody bad_request Some("forged")
        panic bad_request Some("forged")
        write bad_request Some("forged")
    "#]]
    .assert_eq(&records);
}

#[tokio::test(start_paused = true)]
async fn a_record_says_who_what_where_from_and_how_long() {
    let fixture = Fixture::new(&json!({}));
    fixture.call("slow_write", json!({ "ms": 1500 })).await;
    fixture.call("nobody", json!({})).await;
    expect![[r#"
        [
            Entry {
                chain: 0,
                seq: 1,
                at: 2023-11-14T22:13:20Z,
                request: "R1",
                depth: 0,
                tenant: "local",
                caller: "local",
                proof: "local",
                transport: "http",
                revision: "2026-07-28",
                session: Some(
                    "s1",
                ),
                traceparent: Some(
                    "00-a-b-01",
                ),
                sort: "tool",
                name: "slow_write",
                backend: Some(
                    "script",
                ),
                effect: Some(
                    "destroy",
                ),
                arguments: "{\"ms\":1500}",
                outcome: "ok",
                reason: None,
                duration: 1500000,
                pseudonym: None,
            },
            Entry {
                chain: 0,
                seq: 2,
                at: 2023-11-14T22:13:20Z,
                request: "R2",
                depth: 0,
                tenant: "local",
                caller: "local",
                proof: "local",
                transport: "http",
                revision: "2026-07-28",
                session: Some(
                    "s1",
                ),
                traceparent: Some(
                    "00-a-b-01",
                ),
                sort: "tool",
                name: "nobody",
                backend: None,
                effect: None,
                arguments: "{}",
                outcome: "unknown",
                reason: None,
                duration: 0,
                pseudonym: None,
            },
        ]"#]]
    .assert_eq(
        &format!("{:#?}", fixture.entries()).replace(&fixture.entries()[0].request, "R1").replace(&fixture.entries()[1].request, "R2"),
    );
}

#[tokio::test(start_paused = true)]
async fn a_dropped_call_leaves_a_record_and_stops_the_backend() {
    let fixture = Fixture::new(&json!({}));
    for name in ["slow", "slow_write"] {
        let mut call = fixture.gate.call(fixture.prepared(tool(name), json!({ "ms": 1000 })));
        assert!(is_pending(&mut call));
        drop(call);
    }
    assert_eq!(fixture.audit(), "1 tool slow cancelled\n2 tool slow_write cancelled\n");
    assert_eq!(fixture.dropped(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_write_is_answered_once_its_record_is_durable() {
    let fixture = Fixture::new(&json!({}));
    fixture.ledger.hold();
    assert_eq!(fixture.call("echo", json!({})).await, r#"ok {"text":""}"#, "a read does not wait");
    assert!(fixture.call("write", json!({ "fail": "bad" })).await.starts_with("internal"), "a failure stays what it is");
    let mut write = fixture.gate.call(fixture.prepared(tool("write"), json!({})));
    assert!(is_pending(&mut write));
    assert_eq!(fixture.reached(), 3);
    fixture.ledger.release();
    assert_eq!(told(&write.await), r#"ok {"text":""}"#);
    assert_eq!(fixture.audit(), "1 tool echo ok\n2 tool write internal\n3 tool write ok\n");
}

#[tokio::test(start_paused = true)]
async fn a_write_whose_record_comes_too_late_is_unclear() {
    let fixture = Fixture::new(&json!({}));
    fixture.ledger.hold();
    let begun = tokio::time::Instant::now();
    let answer = fixture.call("write", json!({})).await;
    assert_eq!(answer, "unclear the change was made but could not be put on record in time: look before you try again");
    assert_eq!(begun.elapsed(), Duration::from_secs(5));
}

#[tokio::test(start_paused = true)]
async fn a_write_that_is_dropped_after_its_effect_has_its_record() {
    let fixture = Fixture::new(&json!({}));
    fixture.ledger.hold();
    let mut write = fixture.gate.call(fixture.prepared(tool("write"), json!({})));
    assert!(is_pending(&mut write));
    drop(write);
    fixture.ledger.release();
    assert_eq!(fixture.audit(), "1 tool write ok\n");
}

#[tokio::test(start_paused = true)]
async fn while_the_log_fails_writes_are_refused_before_the_backend() {
    let fixture = Fixture::new(&json!({}));
    fixture.ledger.fail(Some("disk full"));
    let answer = fixture.call("write", json!({})).await;
    assert_eq!(answer, "unavailable changes cannot be put on record just now, so none are made: nothing was done, try again later");
    assert_eq!(fixture.reached(), 0);
    assert_eq!(fixture.call("echo", json!({})).await, r#"ok {"text":""}"#);
    fixture.ledger.fail(None);
    assert_eq!(fixture.call("write", json!({})).await, r#"ok {"text":""}"#);
    assert_eq!(fixture.audit(), "1 tool write unavailable\n2 tool echo ok\n3 tool write ok\n", "kept while it failed");
}

/// The queue has two places; the log fails. Reads go on, and the metric says how many left no record in the store.
#[tokio::test(start_paused = true)]
async fn a_full_queue_of_a_failing_log_is_counted() {
    let fixture = Fixture::new(&json!({ "audit": { "queue": 2 } }));
    fixture.ledger.fail(Some("disk full"));
    for _ in 0..5 {
        assert_eq!(fixture.call("echo", json!({})).await, r#"ok {"text":""}"#);
    }
    assert!(fixture.gate.metrics().contains("\nmcp_audit_unwritten_total 3\n"));
    assert!(fixture.gate.metrics().contains("\nmcp_audit_queue 2.0\n"));
}

/// The queue has one place and the log is slow: the next call waits for it, and is refused when its time is up.
#[tokio::test(start_paused = true)]
async fn a_full_queue_makes_calls_wait() {
    let fixture = Fixture::new(&json!({ "audit": { "queue": 1 } }));
    fixture.ledger.hold();
    fixture.call("echo", json!({})).await;
    let mut waits = fixture.gate.call(fixture.prepared(tool("echo"), json!({})));
    assert!(is_pending(&mut waits));
    assert_eq!(fixture.reached(), 1);
    fixture.ledger.release();
    assert_eq!(told(&waits.await), r#"ok {"text":""}"#);
    fixture.ledger.hold();
    fixture.call("echo", json!({})).await;
    assert_eq!(fixture.call("echo", json!({})).await, "overloaded the audit log is busy; try again in 1s");
    assert_eq!(fixture.reached(), 3);
    fixture.ledger.release();
    assert_eq!(fixture.audit(), "1 tool echo ok\n2 tool echo ok\n3 tool echo ok\n");
    assert!(fixture.gate.metrics().contains("\nmcp_audit_unwritten_total 1\n"));
}

/// What is about to be changed is announced, once; what is refused before is not.
#[tokio::test(start_paused = true)]
async fn a_write_is_announced_before_it_is_made() {
    let fixture = Fixture::new(&json!({}));
    fixture.call("echo", json!({})).await;
    fixture.call("nobody", json!({})).await;
    assert_eq!(fixture.ledger.intents(), 0);
    fixture.call("write", json!({})).await;
    fixture.call("slow_write", json!({ "ms": 1 })).await;
    assert_eq!(fixture.ledger.intents(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_write_whose_intent_is_not_durable_is_not_made() {
    let fixture = Fixture::new(&json!({}));
    fixture.ledger.refuse_intents();
    let answer = fixture.call("write", json!({})).await;
    assert_eq!(answer, "unavailable changes cannot be put on record just now, so none are made: nothing was done, try again later");
    assert_eq!((fixture.reached(), fixture.audit().as_str()), (0, "1 tool write unavailable\n"));
}
