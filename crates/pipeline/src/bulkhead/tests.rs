//! Places, waiting room, and who is refused.

use std::time::Duration;

use callgate_model::{Gateway as _, Kind, Target};
use futures_util::future::join_all;
use serde_json::json;
use tokio::time::Instant;

use crate::tests::{Fixture, is_pending, told};

/// `count` calls at once that take `ms` each, with one place and one seat; the words of their outcomes and the whole time.
async fn check(count: usize, ms: u64, config: &serde_json::Value, expected: &str, seconds: f64) {
    let fixture = Fixture::new(&json!({ "calls": { "bulkhead": config } }));
    let begun = Instant::now();
    let call = || fixture.gate.call(fixture.prepared(Target::Tool("slow".into()), json!({ "ms": ms })));
    let results = join_all((0..count).map(|_| call())).await;
    let words: Vec<_> = results.iter().map(crate::outcome::word).collect();
    assert_eq!(words.join(" "), expected);
    assert!((begun.elapsed().as_secs_f64() - seconds).abs() < 0.01, "{:?}", begun.elapsed());
    assert!(fixture.gate.metrics().contains("mcp_bulkhead_running{backend=\"script\"} 0.0\n"), "{}", fixture.gate.metrics());
    assert!(fixture.gate.metrics().contains("mcp_bulkhead_waiting{backend=\"script\"} 0.0\n"));
}

#[tokio::test(start_paused = true)]
async fn calls_wait_for_a_place_and_are_refused_beyond_that() {
    check(3, 100, &json!({ "tool": 3 }), "ok ok ok", 0.1).await;
    check(3, 100, &json!({ "tool": 1 }), "ok ok ok", 0.3).await;
    check(3, 100, &json!({ "backend": 1 }), "ok ok ok", 0.3).await;
    check(3, 100, &json!({ "tool": 1, "waiting": 1 }), "ok ok overloaded", 0.2).await;
    check(3, 100, &json!({ "backend": 1, "waiting": 0 }), "ok overloaded overloaded", 0.1).await;
    check(3, 400, &json!({ "tool": 1, "wait": "500ms" }), "ok ok overloaded", 0.8).await;
}

#[tokio::test(start_paused = true)]
async fn a_refusal_says_when_to_come_back() {
    let fixture = Fixture::new(&json!({ "calls": { "bulkhead": { "tool": 1, "waiting": 0, "wait": "2s" } } }));
    let mut running = fixture.gate.call(fixture.prepared(Target::Tool("slow".into()), json!({ "ms": 100 })));
    assert!(is_pending(&mut running));
    let refused = fixture.gate.call(fixture.prepared(Target::Tool("slow".into()), json!({ "ms": 100 }))).await;
    assert_eq!(told(&refused), "overloaded this tool is busy; try again in 2s");
    let retry_after = Duration::from_secs(2);
    assert_eq!(*refused.expect_err("refused").kind(), Kind::Overloaded { retry_after });
}

#[tokio::test(start_paused = true)]
async fn a_dropped_call_gives_its_place_and_its_seat_back() {
    let fixture = Fixture::new(&json!({ "calls": { "bulkhead": { "tool": 1, "waiting": 1 } } }));
    for _ in 0..3 {
        let call = || fixture.gate.call(fixture.prepared(Target::Tool("slow".into()), json!({ "ms": 100 })));
        let (mut running, mut waiting) = (call(), call());
        assert!(is_pending(&mut running) && is_pending(&mut waiting));
    }
    assert_eq!(fixture.call("slow", json!({})).await, r#"ok {"text":""}"#);
    assert_eq!(fixture.entries().iter().filter(|entry| entry.outcome == "cancelled").count(), 6);
}
