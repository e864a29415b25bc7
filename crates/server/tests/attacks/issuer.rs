//! An issuer whose keys change, or that answers badly: who is known goes on, who is not known is not let in, and nobody can make the gate
//! ask more often than it may.

use std::time::Duration;

use callgate_testkit::issuer::{Key, Mood};
use expect_test::expect;
use futures_util::future::join_all;
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::{
    gate::Gate,
    row::{Edit as _, Row, call, row},
};

const QUICK: [(&str, &str); 2] = [("cooldown: 1s", "cooldown: 100ms"), ("auth:\n", "auth:\n  remember: 200ms\n")];

fn list(name: &'static str, token: &str, answer: expect_test::Expect) -> Row {
    row(name, call("my_notes", &json!({})).bearer(token), answer).within(Duration::from_secs(3))
}

/// A row for whoever is recognised.
fn known(name: &'static str, token: &str) -> Row {
    list(name, token, expect![[r#"
        200
        {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"{\"rows\":[]}"}],"structuredContent":{"rows":[]},"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"shop","version":"0.1.0"}}}}
    "#]]).recorded("ok").running(1)
}

/// A row for whoever cannot be judged just now.
fn unclear(name: &'static str, token: &str) -> Row {
    list(
        name,
        token,
        expect![[r#"
        503
        retry-after: 1
        {"error":"temporarily_unavailable","message":"it cannot be checked just now who is calling; try again in a moment"}
    "#]],
    )
}

/// Waits until the gate answers so: it may take as long as the cool-down, and what was decided is remembered for a while.
async fn comes_to(gate: &mut Gate, token: &str, expected: u16) {
    let begun = Instant::now();
    loop {
        let request = call("my_notes", &json!({})).bearer(token).header("X-Request-ID", "waiting");
        let status = request.send(gate.address).await.unwrap().status;
        gate.owe("waiting", "ok", u64::from(status == 200));
        gate.owe("waiting", "unauthenticated", u64::from(status == 401));
        if status == expected {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(5), "it is still {status}");
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_issuer_that_answers_badly() {
    let mut gate = Gate::start_with(&QUICK).await;
    let claims = gate.claims("ann", "acme", "");
    let old = gate.signed(&claims);
    gate.play(vec![known("known", &old)]).await;
    for (name, mood) in [
        ("status-500", Mood::Status(500)),
        ("status-404", Mood::Status(404)),
        ("redirect", Mood::Redirect),
        ("page-for-people", Mood::Html),
        ("no-keys", Mood::Empty),
        ("ten-megabytes", Mood::Huge),
        ("silence", Mood::Never),
    ] {
        let fresh = Key::ec(name).unwrap();
        let new = fresh.sign(&claims);
        gate.issuer.publish(vec![gate.key.clone(), fresh]);
        gate.issuer.answer(mood);
        comes_to(&mut gate, &new, 503).await;
        gate.play(vec![unclear(name, &new), known("known-through-it", &old), unclear("and-still", &new)]).await;
        gate.issuer.answer(Mood::Well);
        comes_to(&mut gate, &new, 200).await;
    }
    gate.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_issuer_that_never_answered() {
    let mut gate = Gate::start_with(&QUICK).await;
    gate.issuer.answer(Mood::Status(503));
    let claims = gate.claims("ann", "acme", "");
    let token = gate.signed(&claims);
    gate.play(vec![unclear("first", &token), unclear("second", &token)]).await;
    gate.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_that_change() {
    let mut gate = Gate::start_with(&[QUICK[0], QUICK[1], ("cooldown:", "refresh: 100ms\n      cooldown:")]).await;
    let claims = gate.claims("ann", "acme", "");
    let (old, next) = (gate.signed(&claims), Key::ec("two").unwrap());
    let new = next.sign(&claims);
    gate.play(vec![known("before", &old)]).await;
    gate.issuer.publish(vec![next]);
    comes_to(&mut gate, &new, 200).await;
    comes_to(&mut gate, &old, 401).await;
    gate.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_of_keys_that_nobody_has() {
    let mut gate = Gate::start().await;
    let claims = gate.claims("ann", "acme", "");
    let good = gate.signed(&claims);
    gate.play(vec![known("before", &good)]).await;
    let (begun, fetched) = (Instant::now(), gate.issuer.fetches());
    let stranger = Key::ec("x").unwrap();
    let ask = async |number: usize| {
        let token = stranger.sign_under(&json!({ "alg": "ES256", "kid": format!("unknown-{number}") }), &claims);
        call("my_notes", &json!({})).bearer(&token).header("X-Request-ID", "stranger").send(gate.address).await.unwrap().status
    };
    for round in 0..10 {
        let statuses = join_all((0..50).map(|number| ask(round * 50 + number))).await;
        assert!(statuses.iter().all(|status| *status == 401), "{statuses:?}");
    }
    let most = 1 + usize::try_from(begun.elapsed().as_secs()).unwrap();
    let fetches = gate.issuer.fetches() - fetched;
    assert!(fetches <= most, "{fetches} fetches in {:?}", begun.elapsed());
    gate.owe("stranger", "unauthenticated", 500);
    gate.play(vec![known("after", &good)]).await;
    gate.end().await;
}
