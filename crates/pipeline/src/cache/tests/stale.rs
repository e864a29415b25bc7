//! What a change makes stale, and when.

use std::time::Duration;

use callgate_model::Gateway as _;
use futures_util::FutureExt as _;
use serde_json::{Value, json};

use super::fixture::{Fixture, ann, caller};
use crate::tests::is_pending;

/// Reads, changes, reads again; whether the second reading reached the backend.
async fn check(tool: &str, reads: &Value, tenant: &str, writes: &Value, stale: bool) {
    let fixture = Fixture::new();
    fixture.ask(&ann(), tool, reads).await;
    fixture.ask(&caller(tenant, "eve", &[]), "write", writes).await;
    assert_eq!(fixture.reached(), 2);
    fixture.ask(&ann(), tool, reads).await;
    assert_eq!(fixture.reached() == 1, stale, "{tool} {reads}, written {writes} in {tenant}");
}

#[tokio::test(start_paused = true)]
async fn a_change_makes_stale_what_has_its_tag_in_its_tenant() {
    let (one, two, none) = (json!({ "id": "1" }), json!({ "id": "2" }), json!({}));
    for tool in ["mine", "role", "tenant", "stale"] {
        check(tool, &one, "shop", &one, true).await;
        check(tool, &one, "shop", &two, false).await;
        check(tool, &one, "bank", &one, false).await;
        check(tool, &json!({ "id": 1 }), "shop", &one, true).await;
        // What is not given is the default that the schema names.
        check(tool, &none, "shop", &json!({ "id": "main" }), true).await;
        check(tool, &json!({ "id": "main" }), "shop", &none, true).await;
        check(tool, &none, "shop", &one, false).await;
    }
    check("other", &one, "shop", &one, false).await;
    // Nobody can say what was changed, so everything of the tenant may be.
    check("other", &one, "shop", &json!({ "id": ["1"] }), true).await;
    check("other", &one, "bank", &json!({ "id": ["1"] }), false).await;
}

#[tokio::test(start_paused = true)]
async fn a_change_that_was_not_made_makes_nothing_stale() {
    for (fail, stale) in [("refused", false), ("unavailable", false), ("ask", false), ("error", true), ("unclear", true), ("panic", true)] {
        check("mine", &json!({ "id": "1" }), "shop", &json!({ "id": "1", "fail": fail }), stale).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_that_was_cut_off_may_have_been_made() {
    let fixture = Fixture::new();
    let read = json!({ "id": "1" });
    fixture.ask(&ann(), "mine", &read).await;
    let mut write = fixture.gate.call(fixture.call(&ann(), "write", &json!({ "id": "1", "ms": 300 })));
    assert!(is_pending(&mut write));
    fixture.ask(&ann(), "mine", &read).await;
    assert_eq!(fixture.reached(), 2, "not yet");
    drop(write);
    fixture.ask(&ann(), "mine", &read).await;
    assert_eq!(fixture.reached(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_load_that_began_before_a_change_is_not_served_after_it() {
    let (fixture, ann) = (Fixture::new(), ann());
    let read = json!({ "id": "1", "ms": 300 });
    let mut before = fixture.ask(&ann, "mine", &read).boxed();
    assert!(is_pending(&mut before));
    fixture.ask(&ann, "write", &json!({ "id": "1" })).await;
    // Joins nobody: what is under way may be what was before.
    let mut after = fixture.ask(&ann, "mine", &read).boxed();
    assert!(is_pending(&mut after));
    assert_eq!(fixture.reached(), 3);
    let (before, after) = tokio::join!(before, after);
    assert_ne!(before, after);
    assert_eq!(fixture.ask(&ann, "mine", &read).await, after, "the later load was kept, whichever ended last");
    assert_eq!(fixture.reached(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_stale_reply_is_not_served_after_a_change() {
    let fixture = Fixture::new();
    let read = json!({ "id": "1" });
    let old = fixture.ask(&ann(), "stale", &read).await;
    tokio::time::advance(Duration::from_secs(61)).await;
    fixture.ask(&ann(), "write", &read).await;
    assert_ne!(fixture.ask(&ann(), "stale", &read).await, old);
}
