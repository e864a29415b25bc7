//! Who comes in at all: hosts, origins, places, verbs, media types.

use serde_json::json;

use super::{POST, call, check, open};
use crate::{Config, testbed::client::Site};

fn get(path: &str, headers: &str) -> String {
    format!("GET {path} HTTP/1.1\n{headers}")
}

#[tokio::test]
async fn a_gate_on_loopback_answers_to_loopback_names_only() {
    let site = open().await;
    let port = site.address.port();
    let with = |headers: &str| get("/health/live", headers);
    let cases = [
        ("localhost", with("host: localhost"), "200"),
        ("with a port", with(&format!("host: 127.0.0.1:{port}")), "200"),
        ("IPv6", with("host: [::1]:1"), "200"),
        ("its own page", with(&format!("host: localhost\norigin: http://127.0.0.1:{port}")), "200"),
        ("another page on this machine", with("host: localhost\norigin: http://localhost:6274"), "200"),
        ("a foreign host", with("host: evil.example"), "403 -32600"),
        ("a host that begins well", with("host: localhost.evil.example"), "403 -32600"),
        ("a user in the host", with("host: localhost@evil.example"), "403 -32600"),
        ("figures of elsewhere", with("host: 10.0.0.1"), "403 -32600"),
        ("a foreign origin", with("host: localhost\norigin: https://evil.example"), "403 -32600"),
        ("an origin that begins well", with("host: localhost\norigin: http://localhost.evil.example"), "403 -32600"),
        ("no origin to speak of", with("host: localhost\norigin: null"), "403 -32600"),
        ("two origins", with("host: localhost\norigin: http://localhost\norigin: https://evil.example"), "403 -32600"),
        ("a target of elsewhere", get("http://evil.example/health/live", "host: localhost"), "403 -32600"),
        ("a foreign host, POST", call("echo", &json!({})).replace("host: localhost", "host: evil.example"), "403 -32600"),
        ("a foreign origin, DELETE", "DELETE /mcp HTTP/1.1\nhost: localhost\norigin: https://evil.example".into(), "403 -32600"),
        ("a foreign origin, OPTIONS", "OPTIONS /mcp HTTP/1.1\nhost: localhost\norigin: https://evil.example".into(), "403 -32600"),
    ];
    check(&site, &cases).await;
    let answer = site.send(&with("host: evil.example")).await;
    assert!(!answer.body.contains("evil"), "{answer:?}");
    assert_eq!(*site.script.begun.borrow(), 0);
}

#[tokio::test]
async fn browsers_may_only_read_where_the_operator_says_so() {
    let mut config = Config::default();
    config.http.origins = vec!["https://app.example".into()];
    config.http.hosts = vec!["gate.example".into(), "door.example:8443".into()];
    let site = Site::open(&config).await;
    let ask = |origin: &str| format!("OPTIONS /mcp HTTP/1.1\nhost: gate.example\norigin: {origin}\naccess-control-request-method: POST");
    let listed = site.send(&ask("https://app.example")).await;
    assert_eq!((listed.head.status, listed.head.header("access-control-allow-origin")), (204, Some("https://app.example")));
    for origin in ["https://evil.example", "http://localhost:1"] {
        let other = site.send(&ask(origin)).await;
        assert_eq!(other.head.header("access-control-allow-origin"), None, "{origin}");
        assert_ne!(other.head.status, 204, "{origin}");
    }
    let cases = [
        ("any port", get("/health/live", "host: gate.example:99"), "200"),
        ("this port", get("/health/live", "host: DOOR.example:8443"), "200"),
        ("another port", get("/health/live", "host: door.example:8444"), "403 -32600"),
    ];
    check(&site, &cases).await;
}

#[tokio::test]
async fn places_and_verbs() {
    let site = open().await;
    let host = "host: localhost";
    let cases = [
        ("alive", get("/health/live", host), "200"),
        ("ready", get("/health/ready", host), "200"),
        ("metrics", get("/metrics", host), "200"),
        ("nowhere", get("/nowhere", host), "404 -32600"),
        ("another verb", format!("PUT /mcp HTTP/1.1\n{host}"), "405 -32600"),
        ("preflight without a page", format!("OPTIONS /mcp HTTP/1.1\n{host}"), "405 -32600"),
        ("a post to a page", format!("POST /metrics HTTP/1.1\n{host}"), "405 -32600"),
        ("no session", get("/mcp", "host: localhost\naccept: text/event-stream"), "400 -32600"),
        ("no events wanted", get("/mcp", "host: localhost\naccept: application/json"), "406 -32600"),
        ("nothing to end", format!("DELETE /mcp HTTP/1.1\n{host}"), "400 -32600"),
    ];
    check(&site, &cases).await;
    let answer = site.send(&format!("PUT /mcp HTTP/1.1\n{host}")).await;
    assert_eq!(answer.head.header("allow"), Some("POST, GET, DELETE"));
    site.script.go.close();
    let unready = site.send(&get("/health/ready", host)).await;
    assert_eq!((unready.head.status, unready.body.as_str()), (503, "script: it is closed\n"));
}

#[tokio::test]
async fn media_types() {
    let site = open().await;
    let plain = "content-type: application/json\n";
    let typed = |media: &str| call("echo", &json!({})).replace(plain, media);
    let accepting = |accept: &str| call("echo", &json!({})).replace("accept: application/json, text/event-stream", accept);
    let cases = [
        ("as it should be", typed(plain), "200"),
        ("utf-8", typed("content-type: Application/JSON; charset=\"UTF-8\"\n"), "200"),
        ("text", typed("content-type: text/plain\n"), "415 -32600"),
        ("a form", typed("content-type: application/x-www-form-urlencoded\n"), "415 -32600"),
        ("none", typed(""), "415 -32600"),
        ("another charset", typed("content-type: application/json;charset=utf-7\n"), "415 -32600"),
        ("twice", typed("content-type: application/json\ncontent-type: text/plain\n"), "415 -32600"),
        ("packed", typed("content-type: application/json\ncontent-encoding: gzip\n"), "415 -32600"),
        ("anything", accepting("accept: */*"), "200"),
        ("JSON only", accepting("accept: application/json"), "200"),
        ("nothing said", accepting("x: y"), "200"),
        ("a picture", accepting("accept: image/png"), "406 -32600"),
    ];
    check(&site, &cases).await;
    let events = site.send(&accepting("accept: text/event-stream")).await;
    assert_eq!(events.head.header("content-type"), Some("text/event-stream"));
    assert!(events.body.starts_with("data: {"), "{events:?}");
    assert!(POST.contains(plain));
}
