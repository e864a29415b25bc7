//! Legacy clients: sessions, their streams, and questions of the server.

use callgate_model::Change;
use serde_json::{Value, json};

use super::{POST, check, legacy, open, request, shake_hands, text};
use crate::{
    Config,
    testbed::{
        client::{Connection, Site},
        reaches,
    },
};

fn get(session: &str, more: &str) -> String {
    format!("GET /mcp HTTP/1.1\nhost: localhost\naccept: text/event-stream\nmcp-session-id: {session}\n{more}")
}

fn delete(session: &str) -> String {
    format!("DELETE /mcp HTTP/1.1\nhost: localhost\nmcp-session-id: {session}")
}

fn tool(id: i64, name: &str) -> Value {
    request(id, "tools/call", &json!({ "name": name, "arguments": {} }))
}

/// Opens a stream and reads its head.
async fn stream(site: &Site, request: &str) -> Connection {
    let mut connection = site.connect().await;
    connection.send(request).await;
    let head = connection.head().await.expect("an answer");
    assert_eq!((head.status, head.header("content-type")), (200, Some("text/event-stream")));
    connection
}

#[tokio::test]
async fn the_life_of_a_session() {
    let site = open().await;
    let session = shake_hands(&site, "2025-06-18", &json!({})).await;
    assert!(session.len() >= 32 && session.bytes().all(|byte| byte.is_ascii_graphic()));
    let ping = request(1, "ping", &json!({}));
    let cases = [
        ("initialized", legacy(&session, &json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })), "202"),
        ("ping", legacy(&session, &ping), "200"),
        ("its version", legacy(&session, &ping).replace("mcp-session", "mcp-protocol-version: 2025-06-18\nmcp-session"), "200"),
        (
            "a version we never had",
            legacy(&session, &ping).replace("mcp-session", "mcp-protocol-version: 1999-01-01\nmcp-session"),
            "400 -32600",
        ),
        ("a tool", legacy(&session, &tool(2, "echo")), "200"),
        ("an unknown tool", legacy(&session, &tool(2, "nothing")), "200 -32602"),
        ("an unknown resource", legacy(&session, &request(1, "resources/read", &json!({ "uri": "x://y" }))), "200 -32002"),
        ("an unknown method", legacy(&session, &request(1, "server/discover", &json!({}))), "200 -32601"),
        ("a level", legacy(&session, &request(1, "logging/setLevel", &json!({ "level": "error" }))), "200"),
        ("no level", legacy(&session, &request(1, "logging/setLevel", &json!({ "level": "loud" }))), "200 -32602"),
        ("a subscription", legacy(&session, &request(1, "resources/subscribe", &json!({ "uri": "test://one" }))), "200"),
        ("none", legacy(&session, &request(1, "resources/subscribe", &json!({ "uri": "x://y" }))), "200 -32002"),
        ("again", legacy(&session, &request(1, "initialize", &json!({ "protocolVersion": "2025-06-18" }))), "200"),
        ("an array", format!("{POST}mcp-session-id: {session}\n\n[{ping}]"), "400 -32600"),
        ("no session", format!("{POST}\n{ping}"), "400 -32600"),
        ("a guess", legacy("0123456789", &ping), "404 -32600"),
        ("a handshake that cannot be read", format!("{POST}\n{}", request(1, "initialize", &json!({}))), "400 -32602"),
        ("the end", delete(&session), "204"),
        ("after the end", legacy(&session, &ping), "404 -32600"),
        ("the end again", delete(&session), "404 -32600"),
        ("a stream after the end", get(&session, ""), "404 -32600"),
    ];
    check(&site, &cases).await;
}

#[tokio::test]
async fn a_request_that_finds_no_session_is_refused_under_its_id() {
    let site = open().await;
    let session = shake_hands(&site, "2025-11-25", &json!({})).await;
    let ping = json!({ "jsonrpc": "2.0", "id": "mine", "method": "ping" });
    let old = legacy(&session, &ping).replace("mcp-session", "mcp-protocol-version: 1999-01-01\nmcp-session");
    for (what, request, status) in [
        ("no session", format!("{POST}\n{ping}"), 400),
        ("a guess", legacy("0123456789", &ping), 404),
        ("a version we never had", old, 400),
    ] {
        let answer = site.send(&request).await;
        assert_eq!((answer.head.status, &answer.json()["id"]), (status, &json!("mine")), "{what}");
    }
    let answer = json!({ "jsonrpc": "2.0", "id": "ours", "result": {} });
    assert_eq!(site.send(&legacy("0123456789", &answer)).await.json().get("id"), None, "it answers nothing of ours");
}

#[tokio::test]
async fn old_clients_see_nothing_new() {
    let site = open().await;
    let session = shake_hands(&site, "2025-03-26", &json!({})).await;
    let answer = site.send(&legacy(&session, &tool(1, "echo"))).await.json();
    assert_eq!(answer, json!({ "jsonrpc": "2.0", "id": 1, "result": { "content": [{ "type": "text", "text": "{}" }] } }));
}

#[tokio::test]
async fn arrays_are_for_the_oldest_clients_only() {
    let site = open().await;
    let session = shake_hands(&site, "2025-03-26", &json!({ "roots": {} })).await;
    let note = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    let all = json!([request(1, "ping", &json!({})), note, tool(2, "talk"), { "jsonrpc": "2.0", "id": 3 }, tool(4, "ask")]);
    let answers = site.send(&legacy(&session, &all)).await.json();
    let short: Vec<_> =
        answers.as_array().expect("an array").iter().map(|answer| (answer["id"].clone(), answer["error"]["code"].clone())).collect();
    assert_eq!(short, [(json!(1), json!(null)), (json!(2), json!(null)), (json!(3), json!(-32600)), (json!(4), json!(-32602))]);
    assert_eq!(site.send(&legacy(&session, &json!([note]))).await.short(), "202");
    let many: Vec<_> = (0..100).map(|id| request(id, "ping", &json!({}))).collect();
    assert_eq!(site.send(&legacy(&session, &json!(many))).await.short(), "400 -32600");
}

#[tokio::test]
async fn sessions_are_bounded() {
    let mut config = Config::default();
    config.sessions.per_caller = 2;
    let site = Site::open(&config).await;
    let first = shake_hands(&site, "2025-06-18", &json!({})).await;
    let second = shake_hands(&site, "2025-06-18", &json!({})).await;
    // The first one is used, so that the second is idle for longer.
    let ping = request(1, "ping", &json!({}));
    let _standing = stream(&site, &get(&first, "")).await;
    let third = shake_hands(&site, "2025-06-18", &json!({})).await;
    let cases =
        [("used", legacy(&first, &ping), "200"), ("idle", legacy(&second, &ping), "404 -32600"), ("new", legacy(&third, &ping), "200")];
    check(&site, &cases).await;
    let _other = stream(&site, &get(&third, "")).await;
    let hello = json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": { "name": "t", "version": "1" } });
    assert_eq!(site.send(&format!("{POST}\n{}", request(0, "initialize", &hello))).await.short(), "503 -32603");
}

#[tokio::test]
async fn changes_are_told_on_the_standing_stream_and_can_be_told_again() {
    let site = open().await;
    let session = shake_hands(&site, "2025-11-25", &json!({})).await;
    site.send(&legacy(&session, &request(1, "resources/subscribe", &json!({ "uri": "test://one" })))).await;
    // Nobody listens yet, and yet it is not lost.
    site.script.announce(Change::Tools);
    let mut first = stream(&site, &get(&session, "")).await;
    let event = first.event().await.expect("a notice");
    assert!(event.starts_with("id: 0-1\n") && event.contains("tools/list_changed"), "{event}");
    site.script.changed("local", "test://other");
    site.script.changed("local", "test://one");
    assert_eq!(first.message().await.expect("a notice")["params"]["uri"], "test://one");
    // A newer stream takes over and is told what came after the event it names.
    let mut second = stream(&site, &get(&session, "last-event-id: 0-1")).await;
    assert_eq!(second.message().await.expect("a notice")["params"]["uri"], "test://one");
    assert_eq!(first.message().await, None);
    site.script.announce(Change::Prompts);
    assert_eq!(second.message().await.expect("a notice")["method"], "notifications/prompts/list_changed");
    assert_eq!(site.send(&get(&session, "last-event-id: 99-1")).await.short(), "400 -32600");
    site.send(&delete(&session)).await;
    assert_eq!(second.message().await, None);
}

#[tokio::test]
async fn a_lost_connection_does_not_take_the_request_back() {
    let site = open().await;
    let session = shake_hands(&site, "2025-06-18", &json!({})).await;
    let mut connection = site.connect().await;
    connection.send(&legacy(&session, &tool(1, "wait"))).await;
    reaches(&site.script.begun, 1).await;
    drop(connection);
    site.script.go.add_permits(1);
    reaches(&site.script.finished, 1).await;
    assert_eq!(*site.script.dropped.borrow(), 0);
    // Taking it back does, even now.
    let mut connection = site.connect().await;
    connection.send(&legacy(&session, &tool(2, "wait"))).await;
    reaches(&site.script.begun, 2).await;
    drop(connection);
    let cancel = json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": 2 } });
    while *site.script.dropped.borrow() == 0 {
        site.send(&legacy(&session, &cancel)).await;
    }
}

#[tokio::test]
async fn a_cancelled_request_ends_without_a_reply() {
    let site = open().await;
    let session = shake_hands(&site, "2025-06-18", &json!({})).await;
    let mut connection = site.connect().await;
    connection.send(&legacy(&session, &tool(9, "wait"))).await;
    reaches(&site.script.begun, 1).await;
    let twice = site.send(&legacy(&session, &tool(9, "echo"))).await;
    assert_eq!(twice.short(), "200 -32600", "its id is in use");
    let cancel = json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": 9 } });
    assert_eq!(site.send(&legacy(&session, &cancel)).await.short(), "202");
    reaches(&site.script.dropped, 1).await;
    let answer = connection.whole().await;
    assert_eq!((answer.head.status, answer.body.as_str()), (200, ""));
}

#[tokio::test]
async fn a_stream_that_was_lost_can_be_fetched() {
    let site = open().await;
    let session = shake_hands(&site, "2025-11-25", &json!({})).await;
    let mut talking = stream(&site, &legacy(&session, &tool(1, "talk"))).await;
    let prime = talking.event().await.expect("an event");
    assert_eq!(prime, "id: 1-0\nretry: 500\ndata:");
    let said = talking.event().await.expect("a log message");
    assert!(said.starts_with("id: 1-1\n") && said.contains("seen"), "{said}");
    drop(talking);
    reaches(&site.script.finished, 1).await;
    let mut rest = stream(&site, &get(&session, "last-event-id: 1-1")).await;
    let reply = rest.message().await.expect("the reply");
    assert_eq!((text(&reply), &reply["id"]), ("talked", &json!(1)));
    assert_eq!(rest.message().await, None);
}

#[tokio::test]
async fn a_call_that_pauses_lets_its_client_go_and_come_back() {
    let site = open().await;
    let session = shake_hands(&site, "2025-11-25", &json!({})).await;
    let mut connection = stream(&site, &legacy(&session, &tool(1, "pause"))).await;
    assert_eq!(connection.event().await.expect("an event"), "id: 1-0\nretry: 500\ndata:");
    assert_eq!(connection.event().await, None);
    let mut rest = stream(&site, &get(&session, "last-event-id: 1-0")).await;
    site.script.go.add_permits(1);
    assert_eq!(text(&rest.message().await.expect("the reply")), "rested");
    // Older clients do not know this and simply wait.
    let older = shake_hands(&site, "2025-06-18", &json!({})).await;
    site.script.go.add_permits(1);
    assert_eq!(text(&site.send(&legacy(&older, &tool(1, "pause"))).await.json()), "rested");
}

/// Answers the question that comes next on `connection` with `outcome`; gives the question.
async fn answer(site: &Site, session: &str, connection: &mut Connection, outcome: &Value) -> Value {
    let mut question = connection.message().await.expect("a question");
    while question.get("id").is_none() {
        question = connection.message().await.expect("a question");
    }
    let mut response = json!({ "jsonrpc": "2.0", "id": question["id"] });
    for (key, value) in outcome.as_object().into_iter().flatten() {
        response[key] = value.clone();
    }
    assert_eq!(site.send(&legacy(session, &response)).await.short(), "202");
    question
}

#[tokio::test]
async fn a_legacy_client_is_asked_by_a_request() {
    let site = open().await;
    let session = shake_hands(&site, "2025-06-18", &json!({ "elicitation": {} })).await;
    let mut connection = stream(&site, &legacy(&session, &tool(5, "ask_twice"))).await;
    let accept = json!({ "result": { "action": "accept", "content": { "n": "Ann" } } });
    let question = answer(&site, &session, &mut connection, &accept).await;
    assert_eq!((&question["method"], &question["params"]["message"]), (&json!("elicitation/create"), &json!("who?")));
    answer(&site, &session, &mut connection, &json!({ "result": { "action": "decline" } })).await;
    let reply = connection.message().await.expect("the reply");
    assert_eq!((text(&reply), &reply["id"]), ("both, Some(\"s2\")", &json!(5)));
    assert_eq!(connection.message().await, None);
}

#[tokio::test]
async fn questions_to_legacy_clients_can_fail() {
    let site = open().await;
    let session = shake_hands(&site, "2025-06-18", &json!({ "elicitation": {} })).await;
    let cases =
        [(json!({ "error": { "code": -1, "message": "not now" } }), "not now"), (json!({ "result": { "action": "maybe" } }), "must be")];
    for (outcome, expected) in cases {
        let mut connection = stream(&site, &legacy(&session, &tool(5, "ask"))).await;
        answer(&site, &session, &mut connection, &outcome).await;
        let reply = connection.message().await.expect("the reply").to_string();
        assert!(reply.contains(expected), "{reply}");
    }
    let mut connection = stream(&site, &legacy(&session, &tool(5, "ask_forever"))).await;
    for _ in 0..Config::default().questions.rounds {
        answer(&site, &session, &mut connection, &json!({ "result": { "action": "cancel" } })).await;
    }
    assert!(text(&connection.message().await.expect("the reply")).contains("still asking"));
    assert_eq!(site.send(&legacy(&session, &tool(6, "sample"))).await.short(), "200 -32602");
    let mute = legacy(&session, &tool(7, "ask")).replace("application/json, text/event-stream", "application/json");
    assert_eq!(site.send(&mute).await.short(), "200 -32602");
}

#[tokio::test]
async fn what_is_kept_for_all_sessions_together_is_bounded() {
    let mut config = Config::default();
    config.sessions.kept_streams = 1;
    config.sessions.kept = callgate_config::Size(10);
    let site = Site::open(&config).await;
    let session = shake_hands(&site, "2025-11-25", &json!({})).await;
    let mut kept = stream(&site, &legacy(&session, &tool(1, "talk"))).await;
    kept.messages().await;
    // Of what is kept, only the last event is left.
    let rest = stream(&site, &get(&session, "last-event-id: 1-0")).await.messages().await;
    assert_eq!(rest.iter().map(text).collect::<Vec<_>>(), ["talked"]);
    let other = shake_hands(&site, "2025-11-25", &json!({})).await;
    site.script.go.add_permits(1);
    let mut unkept = stream(&site, &legacy(&other, &tool(1, "pause"))).await;
    assert_eq!(text(&unkept.message().await.expect("the reply")), "rested", "it is not sent away, for it could not come back");
    assert_eq!(site.send(&get(&other, "last-event-id: 1-0")).await.short(), "400 -32600");
    assert_eq!(site.send(&delete(&session)).await.short(), "204");
    let mut again = stream(&site, &legacy(&other, &tool(2, "talk"))).await;
    assert!(again.event().await.expect("an event").contains("retry"), "there is room again");
}

#[tokio::test]
async fn only_so_many_calls_wait_for_answers() {
    let mut config = Config::default();
    config.questions.total = 1;
    let site = Site::open(&config).await;
    let session = shake_hands(&site, "2025-06-18", &json!({ "elicitation": {} })).await;
    let mut first = stream(&site, &legacy(&session, &tool(1, "ask"))).await;
    let busy = site.send(&legacy(&session, &tool(2, "ask"))).await;
    assert_eq!((busy.short().as_str(), busy.head.header("retry-after")), ("200 isError", Some("30")));
    answer(&site, &session, &mut first, &json!({ "result": { "action": "decline" } })).await;
    first.messages().await;
    let mut second = stream(&site, &legacy(&session, &tool(3, "ask"))).await;
    answer(&site, &session, &mut second, &json!({ "result": { "action": "decline" } })).await;
}
