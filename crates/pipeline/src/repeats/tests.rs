//! Who is stopped, and who is not.

use std::{sync::Arc, time::Duration};

use callgate_model::{Caller, Gateway as _, Proof, Target};
use serde_json::{Value, json};
use tokio::time::advance;

use crate::tests::{Fixture, told};

async fn make(fixture: &Fixture, caller: &str, tool: &str, arguments: Value) -> String {
    let mut call = fixture.prepared(Target::Tool(tool.into()), arguments);
    call.caller = Arc::new(Caller::new("t", caller, Proof::Key));
    told(&fixture.gate.call(call).await)
}

fn fixture() -> Fixture {
    Fixture::new(&json!({ "quotas": { "repeats": { "after": 3, "within": "1m" } } }))
}

/// The same failing call five times; how often it was looked at.
async fn check(tool: &str, arguments: Value, expected: usize) {
    let fixture = fixture();
    let mut looked_at = 0;
    for _ in 0..5 {
        let told = make(&fixture, "a", tool, arguments.clone()).await;
        looked_at += usize::from(!told.contains("stop repeating it"));
        advance(Duration::from_secs(1)).await;
    }
    assert_eq!(looked_at, expected, "{tool} {arguments}");
    assert_eq!(fixture.entries().len(), 5, "all are on record");
}

#[tokio::test(start_paused = true)]
async fn what_fails_for_good_is_stopped_and_what_may_pass_is_not() {
    for (tool, arguments, expected) in [
        ("strict", json!({}), 3),
        ("nothing", json!({}), 3),
        ("echo", json!({ "fail": "error" }), 3),
        ("echo", json!({ "fail": "refused" }), 3),
        ("echo", json!({ "fail": "internal" }), 3),
        ("echo", json!({ "fail": "unavailable" }), 5),
        ("echo", json!({ "fail": "timeout" }), 5),
        ("echo", json!({}), 5),
    ] {
        check(tool, arguments, expected).await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_stop_says_what_to_do_and_ends_by_itself() {
    let fixture = fixture();
    let call = || make(&fixture, "a", "echo", json!({ "fail": "refused", "n": 1 }));
    for _ in 0..3 {
        assert_eq!(call().await, "refused not like this");
    }
    advance(Duration::from_secs(20)).await;
    assert_eq!(
        call().await,
        "limited this call has failed 3 times with the same arguments and was not tried again: stop repeating it, change the arguments or \
         ask the user; it is looked at again in 40 s"
    );
    assert_eq!(fixture.reached(), 3);
    assert!(fixture.gate.metrics().contains("mcp_repeats_refused_total 1\n"), "{}", fixture.gate.metrics());
    advance(Duration::from_secs(40)).await;
    assert_eq!(call().await, "refused not like this");
}

#[tokio::test(start_paused = true)]
async fn other_arguments_other_tools_and_other_callers_are_not_touched() {
    let fixture = fixture();
    let failing = json!({ "fail": "refused", "n": 1 });
    for _ in 0..4 {
        make(&fixture, "a", "echo", failing.clone()).await;
    }
    let swapped = json!({ "n": 1, "fail": "refused" });
    assert!(make(&fixture, "a", "echo", swapped).await.starts_with("limited"), "the order of arguments does not matter");
    assert!(make(&fixture, "a", "echo", json!({ "fail": "refused", "n": 2 })).await.starts_with("refused"));
    assert!(make(&fixture, "a", "write", failing.clone()).await.starts_with("refused"));
    assert!(make(&fixture, "b", "echo", failing).await.starts_with("refused"));
}
