//! What a gate goes on with that takes the place of another.

use serde_json::{Value, json};

use super::Fixture;

async fn fail(fixture: &Fixture, times: usize, how: &str) -> String {
    let mut told = String::new();
    for _ in 0..times {
        told = fixture.call("echo", json!({ "fail": how })).await;
    }
    told
}

/// What the first call is told after so many that failed, by the gate that follows with this configuration, and whether it got through.
async fn check(first: &Value, times: usize, how: &str, then: &Value, expected: (&str, usize)) {
    let fixture = Fixture::new(first);
    fail(&fixture, times, how).await;
    let next = fixture.followed_by(then);
    let told = fail(&next, 1, how).await;
    assert!(told.contains(expected.0) && next.reached() == expected.1, "{then}: {told}");
}

#[tokio::test(start_paused = true)]
async fn a_backend_that_is_down_stays_down() {
    let once = json!({ "calls": { "retry": { "attempts": 1 } } });
    let other = json!({ "calls": { "retry": { "attempts": 1 }, "breaker": { "least": 30 } } });
    check(&once, 20, "unavailable", &once, ("nothing was done; try again in 1 s", 0)).await;
    check(&once, 20, "unavailable", &other, ("try again later", 1)).await;
}

#[tokio::test(start_paused = true)]
async fn a_backend_whose_url_was_mended_is_called_at_once() {
    let once = json!({ "calls": { "retry": { "attempts": 1 } } });
    let mended = json!({ "calls": { "retry": { "attempts": 1 } }, "declared": 1 });
    check(&once, 20, "unavailable", &mended, ("try again later", 1)).await;
}

#[tokio::test(start_paused = true)]
async fn a_call_that_kept_failing_is_looked_at_again() {
    let config = json!({ "quotas": { "repeats": { "after": 3 } } });
    let fixture = Fixture::new(&config);
    assert!(fail(&fixture, 4, "refused").await.contains("stop repeating it"));
    check(&config, 3, "refused", &config, ("refused", 1)).await;
}

#[tokio::test(start_paused = true)]
async fn a_quota_that_is_used_up_stays_so() {
    let config = json!({ "quotas": { "rules": [{ "name": "q", "per": ["caller"], "limit": "2/1h" }] } });
    check(&config, 1, "refused", &config, ("refused", 1)).await;
    check(&config, 2, "refused", &config, ("your quota (2 calls in 1h) is used up", 0)).await;
}
