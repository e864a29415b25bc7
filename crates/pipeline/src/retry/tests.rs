//! What is tried again and what is not, how often, and that a failing backend never sees more than the budget.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use callgate_model::{
    Backend, Call, Effect, Fault, Gateway as _, Json, Offers, Reply, Terms as ToolTerms, Tool, ToolName, ToolReply, async_trait,
};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{budget::Budget, config::Terms};
use crate::tests::Fixture;

/// Fails the first attempts of each round, as told, or takes its time.
#[derive(Default)]
struct Flaky {
    attempts: AtomicUsize,
    dropped: AtomicUsize,
}

struct Under<'a>(&'a AtomicUsize);

impl Drop for Under<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[async_trait]
impl Backend for Flaky {
    fn offers(&self) -> Offers {
        let schema = Json::of(&json!({ "type": "object" }));
        let tool = |(name, effect, idempotent, hedge): (&str, Effect, bool, Option<u64>)| {
            let terms = ToolTerms { hedge: hedge.map(Duration::from_millis), ..ToolTerms::default() };
            Tool { effect, idempotent, terms, ..Tool::new(ToolName::new(name).expect("a name"), "", schema.clone()) }
        };
        let tools = [
            ("get", Effect::Read, true, None),
            ("set", Effect::Write, true, None),
            ("add", Effect::Write, false, None),
            ("peek", Effect::Read, true, Some(200)),
        ];
        Offers { tools: tools.into_iter().map(tool).collect(), ..Offers::default() }
    }

    /// `fails`: so many attempts fail with `how`. `ms`: how long the attempts take, in turn.
    async fn call(&self, call: &Call) -> Result<Reply, Fault> {
        let attempt = self.attempts.fetch_add(1, Ordering::SeqCst);
        let under = Under(&self.dropped);
        if let Some(ms) = call.argument("ms").and_then(|all| all.get(attempt)).and_then(Value::as_u64) {
            tokio::time::sleep(Duration::from_millis(ms)).await;
        }
        std::mem::forget(under);
        if (attempt as u64) < call.argument("fails").and_then(Value::as_u64).unwrap_or_default() {
            return Err(match call.text("how")? {
                "unavailable" => Fault::unavailable("flaky"),
                "unclear" => Fault::unclear("who knows"),
                "timeout" => Fault::timeout(Duration::from_secs(1)),
                _ => Fault::refused("no"),
            });
        }
        Ok(ToolReply::structured(Json::of(&json!(attempt + 1))).into())
    }
}

fn fixture(config: &Value) -> (Arc<Flaky>, Fixture) {
    let flaky = Arc::new(Flaky::default());
    (flaky.clone(), Fixture::beside("flaky", flaky, &json!({ "calls": config })))
}

async fn check(tool: &str, fails: u64, how: &str, expected: &str, attempts: usize) {
    let (flaky, fixture) = fixture(&json!({}));
    let told = fixture.call(tool, json!({ "fails": fails, "how": how })).await;
    assert_eq!((told.split(' ').next(), flaky.attempts.load(Ordering::SeqCst)), (Some(expected), attempts), "{tool} {fails} {how}");
}

#[tokio::test(start_paused = true)]
async fn what_did_not_reach_the_backend_is_tried_again_if_that_does_no_harm() {
    check("get", 0, "unavailable", "ok", 1).await;
    check("get", 1, "unavailable", "ok", 2).await;
    check("get", 2, "unavailable", "ok", 3).await;
    check("get", 3, "unavailable", "unavailable", 3).await;
    check("get", 1, "timeout", "timeout", 1).await;
    check("get", 1, "refused", "refused", 1).await;
    check("set", 1, "unavailable", "ok", 2).await;
    check("set", 1, "unclear", "ok", 2).await;
    check("add", 1, "unavailable", "unavailable", 1).await;
    check("add", 1, "unclear", "unclear", 1).await;
}

#[tokio::test(start_paused = true)]
async fn a_backend_that_fails_always_sees_no_more_than_its_budget() {
    let config = json!({ "breaker": { "least": 1_000_000 }, "retry": { "budget": "20%", "floor": 5 } });
    let (flaky, fixture) = fixture(&config);
    for _ in 0..1000 {
        fixture.call("get", json!({ "fails": 1_000_000, "how": "unavailable" })).await;
    }
    let attempts = flaky.attempts.load(Ordering::SeqCst);
    assert!((1190..=1205).contains(&attempts), "{attempts}");
    assert!(fixture.gate.metrics().contains(&format!("mcp_retries_total{{backend=\"flaky\"}} {}\n", attempts - 1000)));
}

#[tokio::test(start_paused = true)]
async fn with_the_breaker_a_backend_that_is_down_is_left_alone() {
    let (flaky, fixture) = fixture(&json!({}));
    for _ in 0..1000 {
        fixture.call("get", json!({ "fails": 1_000_000, "how": "unavailable" })).await;
    }
    let attempts = flaky.attempts.load(Ordering::SeqCst);
    assert!(attempts <= 40, "{attempts}");
}

#[tokio::test(start_paused = true)]
async fn no_attempt_begins_after_the_deadline() {
    let (flaky, fixture) = fixture(&json!({ "deadline": "1s", "retry": { "base": "1m", "cap": "10m", "attempts": 10 } }));
    let begun = Instant::now();
    let told = fixture.call("get", json!({ "fails": 9, "how": "unavailable", "ms": [900, 900, 900] })).await;
    assert!(told.starts_with("unavailable") || told.starts_with("timeout"), "{told}");
    assert!(begun.elapsed() <= Duration::from_secs(1), "{:?}", begun.elapsed());
    assert!(flaky.attempts.load(Ordering::SeqCst) <= 2);
}

/// How long the attempts take; the answer's attempt, how many attempts there were, how many were dropped, how long it took.
async fn hedged(tool: &str, ms: Value, expected: (&str, usize, usize, u64)) {
    let (flaky, fixture) = fixture(&json!({ "retry": { "attempts": 1 } }));
    let begun = Instant::now();
    let told = fixture.call(tool, json!({ "ms": ms, "fails": 0 })).await;
    let (attempts, dropped) = (flaky.attempts.load(Ordering::SeqCst), flaky.dropped.load(Ordering::SeqCst));
    let took = u64::try_from(begun.elapsed().as_millis()).expect("a short time");
    assert_eq!((told.as_str(), attempts, dropped, took), expected, "{tool} {ms}");
}

#[tokio::test(start_paused = true)]
async fn a_slow_read_that_says_so_is_asked_twice() {
    hedged("peek", json!([199]), ("ok 1", 1, 0, 199)).await;
    hedged("peek", json!([1000, 50]), ("ok 2", 2, 1, 250)).await;
    hedged("peek", json!([300, 500]), ("ok 1", 2, 1, 300)).await;
    hedged("get", json!([1000, 50]), ("ok 1", 1, 0, 1000)).await;
}

#[tokio::test(start_paused = true)]
async fn asking_twice_is_paid_from_the_budget() {
    let (flaky, fixture) = fixture(&json!({ "retry": { "floor": 1 }, "breaker": { "least": 1_000_000 } }));
    let slow: Vec<u64> = vec![300; 300];
    for _ in 0..100 {
        fixture.call("peek", json!({ "ms": slow })).await;
    }
    let attempts = flaky.attempts.load(Ordering::SeqCst);
    assert!((119..=121).contains(&attempts), "{attempts}");
}

#[test]
fn a_budget_is_saved_up_and_spent() {
    let budget = Budget::new(&Terms { floor: 2, ..Terms::default() });
    let take = |count: usize| (0..count).filter(|_| budget.take()).count();
    assert_eq!(take(5), 2);
    (0..4).for_each(|_| budget.add());
    assert_eq!(take(1), 0);
    budget.add();
    assert_eq!(take(1), 1);
    (0..1000).for_each(|_| budget.add());
    assert_eq!(take(5), 2, "no more than the floor is saved up");
}

#[test]
fn waits_double_up_to_the_cap() {
    let longest = [1, 2, 3, 4, 5, 60].map(|made| Terms::default().longest(made).as_millis());
    assert_eq!(longest, [50, 100, 200, 400, 500, 500]);
}
