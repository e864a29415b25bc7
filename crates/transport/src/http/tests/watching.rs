//! What clients of either era watch: how much of it, for how long they are told, and by whose changes.

use callgate_config::Size;
use serde_json::{Value, json};

use super::{POST, legacy, modern, open, request, shake_hands};
use crate::{
    Config,
    testbed::client::{Connection, Site},
};

/// `request` with these credentials.
fn by(who: &str, request: &str) -> String {
    request.replacen("host: localhost\n", &format!("host: localhost\nauthorization: Bearer {who}\n"), 1)
}

fn listen(id: &Value, uris: &[&str]) -> String {
    modern(id, "subscriptions/listen", &json!({ "notifications": { "resourceSubscriptions": uris, "toolsListChanged": true } }), json!({}))
}

fn get(session: &str, more: &str) -> String {
    format!("GET /mcp HTTP/1.1\nhost: localhost\naccept: text/event-stream\nmcp-session-id: {session}\n{more}")
}

fn subscribe(session: &str, uri: &str) -> String {
    legacy(session, &request(1, "resources/subscribe", &json!({ "uri": uri })))
}

async fn stream(site: &Site, request: &str) -> Connection {
    let mut connection = site.connect().await;
    connection.send(request).await;
    assert_eq!(connection.head().await.expect("an answer").header("content-type"), Some("text/event-stream"));
    connection
}

/// A session of `who`.
async fn session(site: &Site, who: &str) -> String {
    let hello = json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "t", "version": "1" } });
    let opened = site.send(&by(who, &format!("{POST}\n{}", request(0, "initialize", &hello)))).await;
    opened.head.header("mcp-session-id").expect("a session").to_owned()
}

/// Callers of `tenant` change these, and then the tools change.
fn tell(site: &Site, tenant: &str, uris: &[&str]) {
    for uri in uris {
        site.script.changed(tenant, uri);
    }
    site.script.announce(callgate_model::Change::Tools);
}

/// The URIs of the notices that come next, up to the one that says that the tools changed.
async fn heard(connection: &mut Connection) -> Vec<String> {
    let mut uris = Vec::new();
    loop {
        let message = connection.message().await.expect("a notice");
        uris.extend(message["params"]["uri"].as_str().map(str::to_owned));
        if message["method"] == "notifications/tools/list_changed" {
            return uris;
        }
    }
}

fn many(length: usize) -> String {
    format!("test://many/{}", "u".repeat(length - 12))
}

#[tokio::test]
async fn a_uri_that_is_watched_is_no_longer_than_the_bound() {
    let site = open().await;
    let session = shake_hands(&site, "2025-11-25", &json!({})).await;
    for (length, expected) in [(8192, "200"), (8193, "200 -32602"), (200_000, "200 -32602")] {
        let answer = site.send(&subscribe(&session, &many(length))).await;
        assert_eq!(answer.short(), expected, "{length}");
        if length > 8192 {
            let said = format!("this URI has {length} bytes; one of 8KiB can be watched (wire.listen.uri)");
            assert_eq!(answer.json()["error"]["message"], said);
            let refused = site.send(&listen(&json!(1), &["test://one", &many(length)])).await;
            assert_eq!(refused.json()["error"]["message"], said);
        }
    }
    let mut granted = stream(&site, &listen(&json!(1), &[&many(8192)])).await;
    let first = granted.message().await.expect("an acknowledgement");
    assert_eq!(first["params"]["notifications"]["resourceSubscriptions"], json!([many(8192)]));
}

#[tokio::test]
async fn what_one_caller_watches_in_all_sessions_and_streams_is_bounded() {
    let mut config = Config::default();
    // Three of them, and not four.
    config.listen.uris_per_caller = Size(1000);
    let site = Site::guarded(&config).await;
    let (first, second) = (session(&site, "ann").await, session(&site, "ann").await);
    let uri = |number: usize| many(200 + number);
    let watch = async |session: &str, number: usize| site.send(&by("ann", &subscribe(session, &uri(number)))).await;
    for (session, number) in [(&first, 1), (&second, 2), (&first, 3), (&first, 3)] {
        assert_eq!(watch(session, number).await.short(), "200", "{number}");
    }
    let refused = watch(&second, 4).await;
    assert_eq!(refused.short(), "200 -32602");
    let said = refused.json()["error"]["message"].as_str().expect("a sentence").to_owned();
    assert!(said.contains("(wire.listen.uris_per_caller)"), "{said}");
    assert_eq!(site.send(&by("ann", &listen(&json!(1), &[&uri(4)]))).await.json()["error"]["message"], said);
    // A name under which nothing is watched is kept just as long.
    assert_eq!(site.send(&by("ann", &listen(&json!("i".repeat(400)), &[]))).await.json()["error"]["message"], said);
    let bob = session(&site, "bob").await;
    assert_eq!(site.send(&by("bob", &subscribe(&bob, &uri(4)))).await.short(), "200", "bob has his own");
    let forget = legacy(&first, &request(1, "resources/unsubscribe", &json!({ "uri": uri(3) })));
    assert_eq!(site.send(&by("ann", &forget)).await.short(), "200");
    let mut streaming = stream(&site, &by("ann", &listen(&json!(1), &[&uri(4)]))).await;
    streaming.message().await.expect("an acknowledgement");
    assert_eq!(watch(&second, 5).await.short(), "200 -32602", "the stream has its place");
    let end = format!("DELETE /mcp HTTP/1.1\nhost: localhost\nmcp-session-id: {first}");
    assert_eq!(site.send(&by("ann", &end)).await.short(), "204");
    assert_eq!(watch(&second, 5).await.short(), "200", "a session that is over keeps nothing");
}

#[tokio::test]
async fn what_all_callers_watch_is_bounded() {
    let mut config = Config::default();
    config.listen.uris_total = Size(300);
    let site = Site::guarded(&config).await;
    let (ann, bob) = (session(&site, "ann").await, session(&site, "bob").await);
    assert_eq!(site.send(&by("ann", &subscribe(&ann, &many(200)))).await.short(), "200");
    let refused = site.send(&by("bob", &subscribe(&bob, &many(200)))).await;
    assert_eq!(refused.short(), "200 -32603");
    assert!(refused.json()["error"]["message"].to_string().contains("(wire.listen.uris_total)"), "{refused:?}");
}

const BOTH: [&str; 2] = ["test://one", "test://many/1"];

#[tokio::test]
async fn a_session_tells_each_token_only_what_it_may_read() {
    let site = Site::guarded(&Config::default()).await;
    site.script.bar("test://one");
    let session = session(&site, "ann+").await;
    assert_eq!(site.send(&by("ann", &subscribe(&session, "test://one"))).await.short(), "200 -32002");
    for uri in BOTH {
        assert_eq!(site.send(&by("ann+", &subscribe(&session, uri))).await.short(), "200");
    }
    let mut low = stream(&site, &by("ann", &get(&session, ""))).await;
    tell(&site, "t1", &BOTH);
    assert_eq!(heard(&mut low).await, ["test://many/1"]);
    let mut high = stream(&site, &by("ann+", &get(&session, ""))).await;
    tell(&site, "t1", &BOTH);
    assert_eq!(heard(&mut high).await, BOTH);
    // What the better token was told is not told again to the other.
    let mut again = stream(&site, &by("ann", &get(&session, "last-event-id: 0-0"))).await;
    assert_eq!([heard(&mut again).await, heard(&mut again).await], [["test://many/1"], ["test://many/1"]]);
    // Nor is it when nobody knows what was missed.
    tell(&site, "t1", &["test://nothing"; 1000]);
    assert_eq!([heard(&mut again).await, heard(&mut again).await], [vec![], vec!["test://many/1"]]);
}

#[tokio::test]
async fn a_right_that_is_withdrawn_ends_its_notices_at_once() {
    let site = Site::guarded(&Config::default()).await;
    let session = session(&site, "ann").await;
    for uri in BOTH {
        assert_eq!(site.send(&by("ann", &subscribe(&session, uri))).await.short(), "200");
    }
    let mut old = stream(&site, &by("ann", &get(&session, ""))).await;
    let mut new = stream(&site, &by("ann", &listen(&json!(1), &BOTH))).await;
    for (is_barred, expected) in [(false, &BOTH[..]), (true, &BOTH[1..])] {
        if is_barred {
            site.script.bar("test://one");
        }
        tell(&site, "t1", &BOTH);
        assert_eq!([heard(&mut old).await, heard(&mut new).await], [expected, expected], "{is_barred}");
    }
    tell(&site, "t1", &["test://nothing"; 1000]);
    for connection in [&mut old, &mut new] {
        assert_eq!([heard(connection).await, heard(connection).await], [vec![], vec!["test://many/1"]], "nobody knows what was missed");
    }
}

#[tokio::test]
async fn what_one_tenant_changes_is_no_news_to_another() {
    let site = Site::guarded(&Config::default()).await;
    let session = session(&site, "ann").await;
    assert_eq!(site.send(&by("ann", &subscribe(&session, "test://one"))).await.short(), "200");
    let mut old = stream(&site, &by("ann", &get(&session, ""))).await;
    let mut new = stream(&site, &by("ann", &listen(&json!(1), &["test://one"]))).await;
    for (tenant, expected) in [("t2", &[][..]), ("t1", &["test://one"][..]), ("", &[][..])] {
        tell(&site, tenant, &["test://one"]);
        assert_eq!([heard(&mut old).await, heard(&mut new).await], [expected, expected], "{tenant}");
    }
}
