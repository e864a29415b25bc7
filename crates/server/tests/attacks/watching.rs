//! Clients that watch: more than there is room for, what they may not read any more, and what is none of their tenant's business.

use std::fmt::Write as _;

use callgate_testkit::http::{Answer, Request};
use expect_test::expect;
use serde_json::{Value, json};

use crate::{
    gate::Gate,
    row::{Edit as _, ask, call, row},
};

/// `add_note` changes what everybody's administrators read, and the notes of whom its text names.
const UPDATES: (&str, &str) =
    ("    allow: write:notes\n", "    allow: write:notes\n    updates: [\"notes://all\", \"notes://of/{text}\"]\n");

/// A session of the caller with this token.
async fn session(gate: &Gate, token: &str, more: &Value) -> String {
    let hello = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize",
        "params": { "protocolVersion": "2025-11-25", "capabilities": more, "clientInfo": { "name": "old", "version": "1" } } });
    let answer = Request::post("/mcp", &hello).bearer(token).send(gate.address).await.unwrap();
    answer.header("mcp-session-id").expect("a session").to_owned()
}

fn subscribe(token: &str, session: &str, uri: &str) -> Request {
    let message = json!({ "jsonrpc": "2.0", "id": 1, "method": "resources/subscribe", "params": { "uri": uri } });
    Request::post("/mcp", &message).bearer(token).header("Mcp-Session-Id", session)
}

/// The stream of a session.
async fn stream(gate: &Gate, token: &str, session: &str) -> Answer {
    let get = Request::new("GET", "/mcp").header("Accept", "text/event-stream").header("Mcp-Session-Id", session).bearer(token);
    let answer = get.send(gate.address).await.unwrap();
    assert_eq!(answer.status, 200);
    answer
}

fn listen(token: &str, uris: &[&str]) -> Request {
    ask("subscriptions/listen", &json!({ "notifications": { "resourceSubscriptions": uris } })).bearer(token)
}

/// A modern stream, behind its acknowledgement.
async fn listening(gate: &Gate, token: &str, uris: &[&str]) -> Answer {
    let mut answer = listen(token, uris).send(gate.address).await.unwrap();
    let first = answer.event().await.unwrap().expect("an acknowledgement");
    assert!(first.data.contains("subscriptions/acknowledged"), "{}", first.data);
    answer
}

/// The URIs that this stream tells of, up to `last`.
async fn heard(answer: &mut Answer, last: &str) -> String {
    let mut uris = String::new();
    loop {
        let event = answer.event().await.unwrap().expect("a notice");
        let notice: Value = serde_json::from_str(&event.data).unwrap();
        let Some(uri) = notice["params"]["uri"].as_str() else { continue };
        write!(uris, "{uri} ").unwrap();
        if uri == last {
            return uris;
        }
    }
}

/// The caller adds a note about `owner`.
async fn add(gate: &mut Gate, token: &str, owner: &str) {
    let answer = call("add_note", &json!({ "text": owner })).bearer(token).header("X-Request-ID", "add").send(gate.address).await.unwrap();
    let reply = answer.json().await.unwrap();
    assert!(reply["result"]["isError"].is_null(), "{reply}");
    gate.owe("add", "ok", 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_watched_has_a_bound_in_bytes() {
    let mut gate = Gate::start().await;
    let token = gate.token("ann", "acme", "write:notes");
    let id = session(&gate, &token, &json!({})).await;
    let long = format!("notes://of/{}", "u".repeat(9000));
    gate.play(vec![
        row("a-long-uri", subscribe(&token, &id, &long), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"this URI has 9011 bytes; one of 8KiB can be watched (wire.listen.uri)"}}
        "#]]),
        row("a-long-uri-of-a-modern-client", listen(&token, &["notes://of/ann", &long]), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"this URI has 9011 bytes; one of 8KiB can be watched (wire.listen.uri)"}}
        "#]]),
    ])
    .await;
    // Everything that is kept for as long as the client likes, once with as much as a message can hold.
    let before = gate.resident();
    let huge = "u".repeat(3_900_000);
    let mut open = Vec::new();
    for number in 0..20 {
        let uri = format!("notes://of/{number}{huge}");
        let refused = subscribe(&token, &id, &uri).send(gate.address).await.unwrap().json().await.unwrap();
        assert_eq!(refused["error"]["code"], -32602);
        session(&gate, &token, &json!({ "extensions": { "a": huge } })).await;
        let padded = listen(&token, &[]).edit(|params| {
            params["_meta"]["progressToken"] = json!(huge);
        });
        let mut answer = padded.send(gate.address).await.unwrap();
        answer.event().await.unwrap().expect("an acknowledgement");
        open.push(answer);
    }
    gate.settles("mcp_listen_streams", 20).await;
    let kept = gate.resident().saturating_sub(before);
    drop(open);
    gate.settles("mcp_listen_streams", 0).await;
    assert!(kept < 48 << 20, "{kept} bytes are kept");
    gate.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn notices_are_for_who_may_read() {
    let mut gate = Gate::start_with(&[UPDATES]).await;
    let low = gate.token("carl", "acme", "");
    let high = gate.token_of("admin", "carl", "acme", "");
    let writer = gate.token("ann", "acme", "write:notes");
    let both = ["notes://all", "notes://of/carl"];
    let one = session(&gate, &high, &json!({})).await;
    let other = session(&gate, &high, &json!({})).await;
    for (session, uri) in [(&one, both[0]), (&one, both[1]), (&other, both[0]), (&other, both[1])] {
        assert_eq!(subscribe(&high, session, uri).send(gate.address).await.unwrap().json().await.unwrap()["result"], json!({}));
    }
    let mut lesser = stream(&gate, &low, &one).await;
    let mut legacy = stream(&gate, &high, &other).await;
    let mut modern = listening(&gate, &high, &both).await;
    add(&mut gate, &writer, "carl").await;
    assert_eq!(heard(&mut lesser, both[1]).await, "notes://of/carl ", "another token had the right");
    for stream in [&mut legacy, &mut modern] {
        assert_eq!(heard(stream, both[1]).await, "notes://all notes://of/carl ");
    }
    gate.reload(r#""notes://all": { backend: main, allow: admin"#, r#""notes://all": { backend: main, allow: nobody"#).await;
    add(&mut gate, &writer, "carl").await;
    for stream in [&mut lesser, &mut legacy, &mut modern] {
        assert_eq!(heard(stream, both[1]).await, "notes://of/carl ", "the right is withdrawn");
    }
    gate.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn notices_stay_with_their_tenant() {
    let mut gate = Gate::start_with(&[UPDATES]).await;
    let bob = gate.token_of("admin", "bob", "globex", "");
    let (eve, zoe) = (gate.token("eve", "acme", "write:notes"), gate.token("zoe", "globex", "write:notes"));
    let both = ["notes://all", "notes://of/bob"];
    let id = session(&gate, &bob, &json!({})).await;
    for uri in both {
        assert_eq!(subscribe(&bob, &id, uri).send(gate.address).await.unwrap().json().await.unwrap()["result"], json!({}));
    }
    let mut streams = [stream(&gate, &bob, &id).await, listening(&gate, &bob, &both).await];
    // What zoe does about carl bob hears as one notice, so that it would show if eve's came before it.
    for (token, owner) in [(&eve, "bob"), (&eve, "carl"), (&zoe, "carl"), (&zoe, "bob")] {
        add(&mut gate, token, owner).await;
    }
    for stream in &mut streams {
        assert_eq!(heard(stream, both[1]).await, "notes://all notes://all notes://of/bob ");
    }
    gate.end().await;
}
