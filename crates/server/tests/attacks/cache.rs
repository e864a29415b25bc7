//! Kept replies: nobody gets what was kept for somebody else, nobody keeps what they may not have any more, and nothing is kept that
//! should not be.

use std::time::Duration;

use callgate_testkit::{
    PATIENCE,
    http::{Connection, Request},
};
use expect_test::expect;
use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::{
    gate::{Gate, run},
    row::{Edit as _, call, row},
};

fn who(token: &str, about: &str) -> Request {
    call("kept_note", &json!({ "about": about })).bearer(token)
}

/// Who the gate says is asking, and with which roles.
async fn asked(gate: &mut Gate, request: Request) -> (String, Value) {
    let reply = request.header("X-Request-ID", "asked").send(gate.address).await.unwrap().json().await.unwrap();
    gate.owe("asked", "ok", 1);
    let told = &reply["result"]["structuredContent"];
    (told["who"].as_str().unwrap_or_else(|| panic!("nobody in {reply}")).to_owned(), told["roles"].clone())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replies_that_were_kept_for_others() {
    let mut gate = Gate::start().await;
    let callers = [
        (gate.token("ann", "acme", ""), "acme/ann on me"),
        (gate.token("bob", "acme", ""), "acme/bob on me"),
        (gate.token("ann", "globex", ""), "globex/ann on me"),
        (gate.token("ann", "acme/ann", ""), "acme/ann/ann on me"),
        (gate.token_of("admin", "ann", "acme", ""), "acme/ann on me"),
        (gate.token("ann", "acme", "write:notes"), "acme/ann on me"),
    ];
    // Each has a reply of its own, and gets it again.
    for round in 0..3 {
        let before = gate.ran().await.0;
        for (token, expected) in &callers {
            assert_eq!(asked(&mut gate, who(token, "me")).await.0, *expected);
        }
        let ran = gate.ran().await.0 - before;
        assert_eq!(ran, if round == 0 { 6 } else { 0 }, "round {round}");
    }
    // What a request says beside its arguments is no part of the reply.
    let before = gate.ran().await.0;
    for (name, value) in [("Accept-Language", "de"), ("X-Tenant", "globex"), ("X-Forwarded-User", "bob"), ("Cookie", "tenant=globex")] {
        assert_eq!(asked(&mut gate, who(&callers[0].0, "me").header(name, value)).await.0, "acme/ann on me");
    }
    assert_eq!(gate.ran().await.0, before, "they are served from what is kept");
    // Arguments that look alike are not the same.
    for about in ["me ", "ME", "m\u{435}", "me\u{200b}", "\"me\""] {
        assert_eq!(asked(&mut gate, who(&callers[0].0, about)).await.0, format!("acme/ann on {about}"));
    }
    gate.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replies_to_whoever_lost_the_right() {
    let mut gate = Gate::start_with(&[("auth:\n", "auth:\n  remember: 500ms\n")]).await;
    let key = gate.key_for(&["kim", "--tenant", "acme"]).await;
    let request = call("kept_note", &json!({})).header("X-API-Key", &key);
    for _ in 0..2 {
        assert_eq!(asked(&mut gate, request.clone()).await.0, "acme/kim on me");
    }
    let said = run(&gate.folder, &["keys", "revoke", &key[3..15], "-c", "FOLDER"]).await;
    assert!(said.starts_with("revoked"), "{said}");
    let begun = Instant::now();
    loop {
        let status = request.clone().header("X-Request-ID", "revoked").send(gate.address).await.unwrap().status;
        gate.owe("revoked", if status == 401 { "unauthenticated" } else { "ok" }, 1);
        if status == 401 {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(5), "a revoked key still gets what was kept");
        sleep(Duration::from_millis(20)).await;
    }
    // Roles that changed make another caller of the same one.
    let before = gate.token_of("admin", "ann", "acme", "");
    assert_eq!(asked(&mut gate, who(&before, "me")).await.1, json!("[\"admin\"]"));
    let after = gate.token("ann", "acme", "");
    assert_eq!(asked(&mut gate, who(&after, "me")).await.1, json!("[]"));
    gate.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replies_that_are_fetched_together() {
    let mut gate = Gate::start().await;
    let (ann, bob) = (gate.token("ann", "acme", ""), gate.token("bob", "acme", ""));
    let before = gate.ran().await.0;
    let address = gate.address;
    // The first to come may be the first to go: who waits for it must not go with it.
    let ask = async |token: &str, expected: &str, patience: Duration| {
        let request = who(token, "all").header("X-Request-ID", "together");
        let mut connection = Connection::open(address).await.unwrap();
        if let Ok(answer) = tokio::time::timeout(patience, connection.send(&request)).await {
            let reply = answer.unwrap().json().unwrap();
            assert_eq!(reply["result"]["structuredContent"]["who"], expected, "{reply}");
        }
    };
    let seats = (0..120).map(|number| {
        let (token, expected) = if number % 2 == 0 { (&ann, "acme/ann on all") } else { (&bob, "acme/bob on all") };
        ask(token, expected, if number < 20 { Duration::from_micros(500) } else { PATIENCE })
    });
    join_all(seats).await;
    gate.settles("mcp_calls_in_flight", 0).await;
    let ran = gate.ran().await.0 - before;
    assert!((2..=10).contains(&ran), "{ran} statements for two callers");
    gate.excuse("together");
    gate.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replies_that_are_never_kept() {
    let mut gate = Gate::start().await;
    let token = gate.token("ann", "acme", "write:notes");
    let bad = || call("kept_note", &json!({ "about": 7 })).bearer(&token);
    let add = || call("add_note", &json!({ "text": "a" })).bearer(&token);
    gate.play(vec![
        row("bad-arguments", bad(), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"`about` must be a string, not 7"}],"isError":true,"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"shop","version":"0.1.0"}}}}
        "#]]).recorded("bad_arguments"),
        row("bad-arguments-again", bad(), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"`about` must be a string, not 7"}],"isError":true,"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"shop","version":"0.1.0"}}}}
        "#]]).recorded("bad_arguments"),
        row("a-write", add(), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"{\"id\":1}"}],"structuredContent":{"id":1},"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"shop","version":"0.1.0"}}}}
        "#]]).recorded("ok").running(1),
        row("the-same-write", add(), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"{\"id\":2}"}],"structuredContent":{"id":2},"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"shop","version":"0.1.0"}}}}
        "#]]).recorded("ok").running(1),
    ])
    .await;
    gate.settles("mcp_cache_entries", 0).await;
    gate.end().await;
}
