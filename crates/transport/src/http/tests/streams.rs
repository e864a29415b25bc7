//! Calls that say something before their reply, and clients that leave.

use serde_json::{Value, json};

use super::{call, modern, open, text};
use crate::{
    Config, Drained,
    testbed::{client::Site, reaches},
};

fn talk(meta: &Value) -> String {
    modern(&json!(1), "tools/call", &json!({ "name": "talk", "_meta": meta }), json!({}))
}

#[tokio::test]
async fn a_call_that_is_not_listened_to_is_answered_as_json() {
    let site = open().await;
    let answer = site.send(&talk(&json!({}))).await;
    assert_eq!(answer.head.header("content-type"), Some("application/json"));
    assert_eq!(text(&answer.json()), "talked");
}

#[tokio::test]
async fn progress_and_log_come_before_the_reply() {
    let site = open().await;
    let mut connection = site.connect().await;
    let wishes = json!({ "progressToken": "t", "io.modelcontextprotocol/logLevel": "info" });
    connection.send(&talk(&wishes)).await;
    let head = connection.head().await.expect("an answer");
    assert_eq!((head.header("content-type"), head.header("x-accel-buffering")), (Some("text/event-stream"), Some("no")));
    let messages = connection.messages().await;
    let progress = |message: &Value| (message["method"].clone(), message["params"]["progress"].clone());
    assert_eq!(progress(&messages[0]), (json!("notifications/progress"), json!(1.0)));
    assert_eq!(messages[0]["params"]["progressToken"], "t");
    assert_eq!(messages[1]["params"]["data"], "seen");
    assert_eq!(progress(&messages[2]), (json!("notifications/progress"), json!(2.0)));
    assert_eq!(text(&messages[3]), "talked");
    assert_eq!(messages.len(), 4);
}

#[tokio::test]
async fn only_what_was_wished_for_is_said() {
    let site = open().await;
    let cases = [
        (json!({ "progressToken": 5 }), 3),
        (json!({ "io.modelcontextprotocol/logLevel": "debug" }), 3),
        (json!({ "io.modelcontextprotocol/logLevel": "warning" }), 2),
    ];
    for (wishes, expected) in cases {
        let mut connection = site.connect().await;
        connection.send(&talk(&wishes)).await;
        connection.head().await.expect("an answer");
        assert_eq!(connection.messages().await.len(), expected, "{wishes}");
    }
    let deaf = talk(&json!({ "progressToken": 5 })).replace("application/json, text/event-stream", "application/json");
    assert_eq!(text(&site.send(&deaf).await.json()), "talked");
}

#[tokio::test]
async fn each_message_is_one_line() {
    let site = open().await;
    let request = call("lines", &json!({})).replace("application/json, text/event-stream", "text/event-stream");
    let answer = site.send(&request).await;
    assert_eq!(answer.body.trim_end().lines().count(), 1, "{answer:?}");
}

#[tokio::test]
async fn a_client_that_leaves_cancels_a_read_but_not_a_write() {
    let site = open().await;
    for (index, tool) in ["wait", "wait_write"].iter().enumerate() {
        let mut connection = site.connect().await;
        connection.send(&call(tool, &json!({}))).await;
        reaches(&site.script.begun, index + 1).await;
        drop(connection);
        if *tool == "wait" {
            reaches(&site.script.dropped, 1).await;
        }
    }
    site.script.go.add_permits(1);
    reaches(&site.script.finished, 1).await;
    assert_eq!((*site.script.dropped.borrow(), *site.script.finished.borrow()), (1, 1));
}

#[tokio::test]
async fn a_client_that_leaves_a_stream_cancels_its_call() {
    let site = open().await;
    let mut connection = site.connect().await;
    let params = json!({ "name": "talk_wait", "_meta": { "progressToken": 1 } });
    connection.send(&modern(&json!(1), "tools/call", &params, json!({}))).await;
    connection.head().await.expect("an answer");
    assert_eq!(connection.message().await.expect("progress")["params"]["progressToken"], 1);
    drop(connection);
    reaches(&site.script.dropped, 1).await;
}

#[tokio::test]
async fn a_gate_that_stops_finishes_what_is_running() {
    let mut site = open().await;
    let mut connection = site.connect().await;
    connection.send(&call("wait", &json!({}))).await;
    reaches(&site.script.begun, 1).await;
    site.stop();
    site.script.go.add_permits(1);
    assert_eq!(text(&connection.whole().await.json()), "waited");
    assert_eq!(site.drained().await, Drained::Clean);
}

#[tokio::test]
async fn a_gate_that_stops_cuts_off_what_does_not_finish() {
    let mut config = Config::default();
    config.http.drain = callgate_config::Span::millis(20);
    let site = Site::open(&config).await;
    let script = site.script.clone();
    let mut connection = site.connect().await;
    connection.send(&call("wait_write", &json!({}))).await;
    reaches(&script.begun, 1).await;
    assert!(matches!(site.drained().await, Drained::Cut(_)));
    assert_eq!(*script.dropped.borrow(), 1);
    assert!(connection.head().await.is_none());
}
