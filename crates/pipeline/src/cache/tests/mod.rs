//! What is kept and for whom, who waits for whom, and what a change makes stale.

mod fixture;
mod flights;
mod replicas;
mod stale;

use std::time::Duration;

use callgate_model::{Answers, Gateway as _};
use serde_json::{Value, json};
use tokio::time::advance;

use self::fixture::{Fixture, ann, caller};

/// Asks in this order; how many of the calls reached the backend.
async fn check(calls: &[(&str, &str, &[&str], &str, Value)], expected: usize) {
    let fixture = Fixture::new();
    for (tenant, id, roles, tool, arguments) in calls {
        let told = fixture.ask(&caller(tenant, id, roles), tool, arguments).await;
        assert!(told.starts_with("ok "), "{told}");
    }
    assert_eq!(fixture.reached(), expected, "{calls:?}");
    assert_eq!(fixture.records(), calls.len(), "each call leaves its record");
}

#[tokio::test(start_paused = true)]
async fn a_reply_is_shared_by_those_only_whom_the_operator_names() {
    let none = || json!({});
    for (tool, same_caller, other_rights, same_role, other_scope_of_role, same_tenant, other_tenant) in
        [("mine", 1, 2, 2, 2, 2, 2), ("role", 1, 2, 1, 2, 2, 2), ("tenant", 1, 1, 1, 1, 1, 2)]
    {
        let first = ("shop", "ann", &["a", "b"] as &[_], tool, none());
        check(&[first.clone(), first.clone()], same_caller).await;
        check(&[first.clone(), ("shop", "ann", &["b", "a", "b"], tool, none())], same_caller).await;
        check(&[first.clone(), ("shop", "ann", &["a"], tool, none())], other_rights).await;
        check(&[first.clone(), ("shop", "bob", &["b", "a", "b"], tool, none())], same_role).await;
        check(&[first.clone(), ("shop", "bob", &["a", "b", "c"], tool, none())], other_scope_of_role).await;
        check(&[first.clone(), ("shop", "bob", &["a"], tool, none())], same_tenant).await;
        check(&[first.clone(), ("bank", "ann", &["a", "b"], tool, none())], other_tenant).await;
        check(&[first, ("shop:ann", "", &["a", "b"], tool, none())], other_tenant).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_caller_of_whom_other_things_are_known_is_another() {
    let fixture = Fixture::new();
    let with = |claims: Value| {
        let mut caller = (*ann()).clone();
        caller.claims = claims.as_object().cloned().expect("an object");
        std::sync::Arc::new(caller)
    };
    for (claims, expected) in
        [(json!({}), 1), (json!({ "region": "eu" }), 1), (json!({ "region": "us" }), 1), (json!({ "region": "eu" }), 0)]
    {
        fixture.ask(&with(claims), "mine", &json!({})).await;
        assert_eq!(fixture.reached(), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn equal_arguments_are_one_call_in_whatever_order_they_stand() {
    let same: Value = serde_json::from_str(r#"{"a":{"c":[1,{"e":2,"d":3}],"b":null},"z":"x"}"#).expect("JSON");
    let other: Value = serde_json::from_str(r#"{"z":"x","a":{"b":null,"c":[1,{"d":3,"e":2}]}}"#).expect("JSON");
    let call = |arguments: &Value| ("shop", "ann", &[] as &[_], "mine", arguments.clone());
    check(&[call(&same), call(&other)], 1).await;
    let pairs = [
        (json!({}), json!({ "a": null })),
        (json!({ "a": 1 }), json!({ "a": "1" })),
        (json!({ "a": 1 }), json!({ "a": 1.0 })),
        (json!({ "a": true }), json!({ "a": "true" })),
        (json!({ "a": [1, 2] }), json!({ "a": [2, 1] })),
        (json!({ "a": [1, [2]] }), json!({ "a": [[1], 2] })),
        (json!({ "a": "x", "b": "y" }), json!({ "a": "y", "b": "x" })),
        (json!({ "a": {} }), json!({ "a": [] })),
        (json!({ "a": "Ä" }), json!({ "a": "A\u{308}" })),
    ];
    for (one, two) in &pairs {
        check(&[call(one), call(two), call(one), call(two)], 2).await;
    }
    check(&[("shop", "ann", &[], "tenant", json!({})), ("shop", "ann", &[], "stale", json!({}))], 2).await;
}

#[tokio::test(start_paused = true)]
async fn what_failed_or_was_cut_short_is_never_kept() {
    for fail in ["partial", "error", "ask", "refused", "unavailable", "internal", "large"] {
        let fixture = Fixture::new();
        for _ in 0..3 {
            fixture.ask(&ann(), "mine", &json!({ "fail": fail })).await;
        }
        assert_eq!(fixture.reached(), 3, "{fail}");
    }
    for tool in ["write", "odd", "untaggable"] {
        check(&[("shop", "ann", &[], tool, json!({})), ("shop", "ann", &[], tool, json!({}))], 2).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_with_answers_or_state_neither_takes_nor_leaves_a_reply() {
    let fixture = Fixture::new();
    for (answers, state) in [(json!({ "q": { "roots": [] } }), None), (json!({}), Some("remembered".to_owned()))] {
        for _ in 0..2 {
            let answers: Answers = answers.as_object().into_iter().flatten().map(|(name, value)| (name.clone(), value.clone())).collect();
            let mut call = fixture.call(&ann(), "mine", &json!({}));
            (call.answers, call.state) = (answers, state.clone());
            fixture.gate.call(call).await.expect("a reply");
        }
        assert_eq!(fixture.reached(), 2);
    }
    fixture.ask(&ann(), "mine", &json!({})).await;
    assert_eq!(fixture.reached(), 1, "nothing had been left");
}

#[tokio::test(start_paused = true)]
async fn a_reply_is_fresh_for_nine_tenths_of_its_time_at_least_and_never_longer_than_it() {
    for arguments in (0..50).map(|id| json!({ "id": id })) {
        let fixture = Fixture::new();
        let first = fixture.ask(&ann(), "mine", &arguments).await;
        advance(Duration::from_millis(53_999)).await;
        assert_eq!(fixture.ask(&ann(), "mine", &arguments).await, first, "the same bytes");
        assert_eq!(fixture.reached(), 1);
        advance(Duration::from_millis(6_001)).await;
        assert_ne!(fixture.ask(&ann(), "mine", &arguments).await, first);
        assert_eq!(fixture.reached(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn an_old_reply_is_served_while_one_call_fetches_a_new_one() {
    let fixture = Fixture::new();
    let slow = json!({ "ms": 500 });
    let first = fixture.ask(&ann(), "stale", &slow).await;
    advance(Duration::from_secs(61)).await;
    for _ in 0..5 {
        assert_eq!(fixture.ask(&ann(), "stale", &slow).await, first);
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(fixture.reached(), 2, "one refresh for five calls");
    assert_ne!(fixture.ask(&ann(), "stale", &slow).await, first);
    assert_eq!(fixture.reached(), 0, "the refresh was kept");
    assert_eq!(fixture.figure("mcp_cache_hits_total{cache_type=\"stale\"}"), 5.0);
    advance(Duration::from_secs(91)).await;
    fixture.ask(&ann(), "stale", &slow).await;
    assert_eq!(fixture.reached(), 1, "too old to be served at all");
}

#[tokio::test(start_paused = true)]
async fn memory_has_a_bound() {
    let fixture = Fixture::with(&json!({ "memory": "64KiB" }));
    for id in 0..2000 {
        fixture.ask(&ann(), "mine", &json!({ "id": id })).await;
    }
    let bytes = fixture.figure("mcp_cache_bytes");
    assert!(bytes > 0.0 && bytes <= 64.0 * 1024.0, "{bytes}");
}

/// Fifty callers in five tenants ask the same, all the time; nobody ever reads another's name.
#[tokio::test]
async fn replies_never_cross_from_caller_to_caller() {
    const CALLS: usize = 200;
    let fixture = std::sync::Arc::new(Fixture::new());
    let callers = (0..50).map(|number| caller(&format!("tenant{}", number % 5), &format!("caller{}", number / 5), &["clerk"]));
    let loops = callers.map(|caller| {
        let fixture = fixture.clone();
        tokio::spawn(async move {
            for round in 0..CALLS {
                let arguments = json!({ "id": round % 7 });
                let mine = fixture.ask(&caller, "mine", &arguments).await;
                assert!(mine.starts_with(&format!(r#"ok {{"who":"{}","#, caller.key())), "{mine}");
                let shared = fixture.ask(&caller, "tenant", &arguments).await;
                assert!(shared.contains(&format!(r#"{{"who":"7:{}:"#, caller.tenant())), "{shared}");
                if round % 100 == 99 {
                    fixture.ask(&caller, "write", &arguments).await;
                }
            }
        })
    });
    for end in futures_util::future::join_all(loops).await {
        end.expect("nobody read another's");
    }
    assert!(fixture.reached() < 50 * CALLS, "most were hits");
}
