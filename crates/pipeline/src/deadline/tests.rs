//! When calls end, and how it is told.

use std::time::Duration;

use callgate_model::{Deadline, Gateway as _, Target};
use serde_json::json;
use tokio::time::Instant;

use crate::tests::{Fixture, told};

/// Calls `tool` so that it takes `ms`; the answer and after how many milliseconds it came.
async fn check(tool: &str, ms: u64, given: u64, expected: &str, after: u64) {
    let fixture = Fixture::new(&json!({ "calls": { "deadline": "4s" } }));
    let begun = Instant::now();
    let mut call = fixture.prepared(Target::Tool(tool.into()), json!({ "ms": ms }));
    call.deadline = Deadline::after(Duration::from_millis(given));
    let answer = told(&fixture.gate.call(call).await);
    assert_eq!((answer.as_str(), begun.elapsed().as_millis()), (expected, u128::from(after)), "{tool} {ms} {given}");
    assert_eq!(fixture.dropped(), usize::from(!answer.starts_with("ok")), "the backend was told");
    let timeouts = format!("mcp_timeouts_total{{tool_name=\"{tool}\"}} {}\n", u8::from(!answer.starts_with("ok")));
    assert!(fixture.gate.metrics().contains(&timeouts), "{timeouts}");
}

#[tokio::test(start_paused = true)]
async fn a_call_ends_at_the_earliest_of_its_deadlines() {
    let timeout = |span| format!("timeout no answer within {span}; ask for less, or try again later");
    let unclear =
        |span| format!("unclear no answer within {span}, and the change may or may not have been made: look before you try again");
    check("slow", 3900, 60_000, r#"ok {"text":""}"#, 3900).await;
    check("slow", 4100, 60_000, &timeout("4s"), 4000).await;
    check("slow", 4100, 1000, &timeout("1s"), 1000).await;
    check("slow_write", 9900, 60_000, r#"ok {"text":""}"#, 9900).await;
    check("slow_write", 10_100, 60_000, &unclear("10s"), 10_000).await;
}

#[tokio::test(start_paused = true)]
async fn time_used_before_stays_used() {
    let fixture = Fixture::new(&json!({ "calls": { "deadline": "4s" } }));
    let call = fixture.prepared(Target::Tool("slow".into()), json!({ "ms": 10_000 }));
    tokio::time::advance(Duration::from_secs(3)).await;
    let begun = Instant::now();
    assert!(told(&fixture.gate.call(call).await).starts_with("timeout"));
    assert_eq!(begun.elapsed(), Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_used_its_time_waiting_never_begins() {
    let fixture = Fixture::new(&json!({ "calls": { "deadline": "1s" } }));
    let call = fixture.prepared(Target::Tool("write".into()), json!({}));
    tokio::time::advance(Duration::from_secs(2)).await;
    assert!(told(&fixture.gate.call(call).await).starts_with("timeout"), "not unclear: nothing was begun");
    assert_eq!(fixture.reached(), 0);
}

#[tokio::test(start_paused = true)]
async fn nearly_late_calls_are_counted() {
    let fixture = Fixture::new(&json!({ "calls": { "deadline": "1s" } }));
    for ms in [790, 810, 990] {
        fixture.call("slow", json!({ "ms": ms })).await;
    }
    assert!(fixture.gate.metrics().contains("mcp_deadline_warnings_total{tool_name=\"slow\"} 2\n"));
}
