//! One call fetches, the others wait.

use std::time::Duration;

use callgate_model::{Deadline, Gateway as _};
use futures_util::{FutureExt as _, future::join_all};
use serde_json::json;

use super::fixture::{Fixture, ann, caller};
use crate::tests::{is_pending, told};

#[tokio::test(start_paused = true)]
async fn a_thousand_calls_on_a_cold_cache_are_one_call_to_the_backend() {
    let fixture = Fixture::new();
    let slow = json!({ "ms": 300 });
    let callers: Vec<_> = (0..1000).map(|number| caller("shop", &format!("caller{number}"), &[])).collect();
    let told = join_all(callers.iter().map(|caller| fixture.ask(caller, "tenant", &slow))).await;
    assert!(told.iter().all(|reply| *reply == told[0] && reply.starts_with("ok ")), "{told:?}");
    assert_eq!(fixture.reached(), 1);
    assert_eq!(fixture.records(), 1000, "each call leaves its record");
    assert_eq!(fixture.figure("mcp_cache_hits_total{cache_type=\"flight\"}"), 999.0);
    assert_eq!(fixture.figure("mcp_cache_misses_total{cache_type=\"l1\"}"), 1.0);
    assert_eq!(fixture.figure("mcp_cache_waiting"), 0.0);
}

#[tokio::test(start_paused = true)]
async fn calls_of_two_callers_are_two_flights_unless_they_share() {
    let fixture = Fixture::new();
    let slow = json!({ "ms": 300 });
    let (ann, bob, eve) = (caller("shop", "ann", &["a"]), caller("shop", "bob", &["a"]), caller("bank", "eve", &["a"]));
    for (tool, expected) in [("mine", 3), ("role", 2), ("tenant", 2)] {
        let told = join_all([&ann, &bob, &eve].map(|caller| fixture.ask(caller, tool, &slow))).await;
        assert!(told[2].contains("4:bank:eve"), "{told:?}");
        assert_eq!(fixture.reached(), expected, "{tool}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_may_leave_and_the_others_get_their_reply() {
    let fixture = Fixture::new();
    let slow = json!({ "ms": 300 });
    let (ann, bob) = (ann(), caller("shop", "bob", &[]));
    let mut first = fixture.ask(&ann, "tenant", &slow).boxed();
    assert!(is_pending(&mut first));
    let mut others: Vec<_> = (0..3).map(|_| fixture.ask(&bob, "tenant", &slow).boxed()).collect();
    assert!(others.iter_mut().all(is_pending));
    drop(first);
    let told = join_all(others).await;
    assert!(told.iter().all(|reply| reply.starts_with("ok ")), "{told:?}");
    assert_eq!((fixture.reached(), fixture.dropped()), (1, 0));
    assert_eq!(fixture.ask(&ann, "tenant", &slow).await, told[0]);
}

#[tokio::test(start_paused = true)]
async fn when_all_have_left_the_backend_is_told() {
    let fixture = Fixture::new();
    let slow = json!({ "ms": 300 });
    for _ in 0..2 {
        let mut calls: Vec<_> = (0..3).map(|_| fixture.gate.call(fixture.call(&ann(), "tenant", &slow))).collect();
        assert!(calls.iter_mut().all(is_pending));
        drop(calls);
        assert_eq!(fixture.reached(), 1);
    }
    assert_eq!(fixture.dropped(), 2);
    assert!(fixture.ask(&ann(), "tenant", &slow).await.starts_with("ok "));
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_for_those_who_waited_and_nobody_else() {
    for (fail, word) in
        [("refused", "refused"), ("unavailable", "unavailable"), ("internal", "internal"), ("error", "error"), ("panic", "internal")]
    {
        let fixture = Fixture::new();
        let failing = json!({ "ms": 300, "fail": fail });
        let told = join_all((0..5).map(|_| async { fixture.ask(&ann(), "tenant", &failing).await })).await;
        assert!(told.iter().all(|reply| reply.starts_with(word)), "{told:?}");
        assert_eq!(fixture.reached(), 1, "{fail}");
        fixture.ask(&ann(), "tenant", &failing).await;
        assert_eq!(fixture.reached(), 1, "{fail} was not kept");
    }
}

#[tokio::test(start_paused = true)]
async fn a_question_and_a_cut_list_are_for_the_one_who_asked() {
    for (tool, fail, expected) in [("tenant", "ask", 3), ("tenant", "partial", 3), ("mine", "partial", 1)] {
        let fixture = Fixture::new();
        let arguments = json!({ "ms": 300, "fail": fail });
        join_all((0..3).map(|_| async { fixture.ask(&ann(), tool, &arguments).await })).await;
        assert_eq!(fixture.reached(), expected, "{tool} {fail}");
    }
}

#[tokio::test(start_paused = true)]
async fn each_call_waits_no_longer_than_it_has_time() {
    let fixture = Fixture::new();
    let slow = json!({ "ms": 2000 });
    let within = |ms| {
        let mut call = fixture.call(&ann(), "tenant", &slow);
        call.deadline = Deadline::after(Duration::from_millis(ms));
        fixture.gate.call(call).map(|result| told(&result))
    };
    // The first has little time; those who waited for it and have more begin anew, together.
    let told = tokio::join!(within(500), within(4000), within(4000), within(700));
    assert!(told.0.starts_with("timeout") && told.3.starts_with("timeout"), "{told:?}");
    assert!(told.1.starts_with("ok") && told.1 == told.2, "{told:?}");
    assert_eq!((fixture.reached(), fixture.dropped()), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn waiting_has_a_bound() {
    let fixture = Fixture::with(&json!({ "waiting": 2 }));
    let slow = json!({ "ms": 300 });
    let told = join_all((0..5).map(|_| async { fixture.ask(&ann(), "tenant", &slow).await })).await;
    assert_eq!(told.iter().filter(|reply| reply.starts_with("ok ")).count(), 3, "{told:?}");
    assert_eq!(told.iter().filter(|reply| reply.starts_with("overloaded ")).count(), 2, "{told:?}");
}

/// The call within waits for nothing: not for the call above it, which waits for it.
#[tokio::test(start_paused = true)]
async fn a_call_within_a_call_does_not_wait_for_the_call_above() {
    let fixture = Fixture::new();
    let told = fixture.ask(&ann(), "tenant", &json!({ "calls": "tenant" })).await;
    assert!(told.starts_with("internal "), "it calls itself until it is stopped: {told}");
    assert_eq!(fixture.reached(), 5);
    assert!(fixture.ask(&ann(), "tenant", &json!({ "calls": "mine" })).await.starts_with("internal "));
}
