//! Streams of notices to modern clients.

use callgate_model::Change;
use serde_json::{Value, json};

use super::{modern, open};
use crate::{
    Config, Drained,
    testbed::client::{Connection, Site},
};

const SUBSCRIPTION: &str = "io.modelcontextprotocol/subscriptionId";

async fn listen(site: &Site, id: &Value, filter: &Value) -> Connection {
    let mut connection = site.connect().await;
    connection.send(&modern(id, "subscriptions/listen", &json!({ "notifications": filter }), json!({}))).await;
    let head = connection.head().await.expect("an answer");
    assert_eq!(head.header("content-type"), Some("text/event-stream"));
    connection
}

#[tokio::test]
async fn a_listener_hears_first_what_it_is_granted_then_only_that() {
    let mut site = open().await;
    let filter = json!({ "toolsListChanged": true, "resourceSubscriptions": ["test://one", "test://none", "test://many/1", "test://one"] });
    for id in [json!(7), json!("7")] {
        let mut connection = listen(&site, &id, &filter).await;
        let first = connection.message().await.expect("an acknowledgement");
        assert_eq!(first["method"], "notifications/subscriptions/acknowledged");
        let granted = json!({ "toolsListChanged": true, "resourceSubscriptions": ["test://one", "test://many/1"] });
        assert_eq!(first["params"]["notifications"], granted);
        assert_eq!(first["params"]["_meta"][SUBSCRIPTION], id);
        site.script.announce(Change::Prompts);
        site.script.changed("local", "test://other");
        site.script.changed("local", "test://one");
        site.script.announce(Change::Tools);
        let second = connection.message().await.expect("a notice");
        assert_eq!((&second["method"], &second["params"]["uri"]), (&json!("notifications/resources/updated"), &json!("test://one")));
        let third = connection.message().await.expect("a notice");
        assert_eq!((&third["method"], &third["params"]["_meta"][SUBSCRIPTION]), (&json!("notifications/tools/list_changed"), &id));
        if id == json!("7") {
            site.stop();
            let last = connection.message().await.expect("a result");
            assert_eq!(
                (&last["id"], &last["result"]["resultType"], &last["result"]["_meta"][SUBSCRIPTION]),
                (&id, &json!("complete"), &id)
            );
            assert_eq!(connection.message().await, None);
        }
    }
    assert_eq!(site.drained().await, Drained::Clean);
}

#[tokio::test]
async fn a_listener_that_was_too_slow_is_told_to_look_again() {
    let site = open().await;
    let mut connection = listen(&site, &json!(1), &json!({ "toolsListChanged": true, "promptsListChanged": true })).await;
    connection.message().await.expect("an acknowledgement");
    // More than the board keeps, in one go: the stream cannot read between two of them.
    for _ in 0..1000 {
        site.script.announce(Change::Resources);
    }
    let methods = [connection.message().await, connection.message().await].map(|notice| notice.expect("a notice")["method"].clone());
    assert_eq!(methods, [json!("notifications/tools/list_changed"), json!("notifications/prompts/list_changed")]);
}

#[tokio::test]
async fn no_more_resources_are_looked_at_than_may_be_watched() {
    let mut config = Config::default();
    config.listen.resources = 2;
    let site = Site::open(&config).await;
    let filter = json!({ "resourceSubscriptions": ["test://none", "test://one", "test://many/1"] });
    let first = listen(&site, &json!(1), &filter).await.message().await.expect("an acknowledgement");
    assert_eq!(first["params"]["notifications"], json!({ "resourceSubscriptions": ["test://one"] }));
}

#[tokio::test]
async fn there_are_only_so_many_streams() {
    let mut config = Config::default();
    config.listen.per_caller = 1;
    let site = Site::open(&config).await;
    let mut first = listen(&site, &json!(1), &json!({})).await;
    first.message().await.expect("an acknowledgement");
    let request = modern(&json!(2), "subscriptions/listen", &json!({ "notifications": {} }), json!({}));
    assert_eq!(site.send(&request).await.short(), "200 -32603");
}

#[tokio::test]
async fn a_silent_stream_is_kept_alive() {
    let mut config = Config::default();
    config.listen.keep_alive = callgate_config::Span::millis(5);
    let site = Site::open(&config).await;
    let mut connection = listen(&site, &json!(1), &json!({})).await;
    connection.chunk().await.expect("an acknowledgement");
    assert_eq!(connection.chunk().await.as_deref(), Some(": \n\n"));
}
