//! Who is recognised, what the others are told, and what happens when somebody is recognised no longer.

use callgate_config::Span;
use serde_json::json;

use super::{POST, call, check, legacy, modern, request, shake_hands, text};
use crate::{
    Config,
    config::Metrics,
    http::places::{Door, PLACES},
    testbed::{client::Site, reaches},
};

/// `request` with these credentials.
fn by(who: &str, request: &str) -> String {
    request.replacen("host: localhost\n", &format!("host: localhost\nauthorization: Bearer {who}\n"), 1)
}

fn get(path: &str, headers: &str) -> String {
    format!("GET {path} HTTP/1.1\nhost: localhost\n{headers}")
}

#[tokio::test]
async fn nobody_gets_in_without_good_credentials() {
    let site = Site::guarded(&Config::default()).await;
    let plain = call("whoami", &json!({}));
    let with = |headers: &str| plain.replacen("host: localhost\n", &format!("host: localhost\n{headers}"), 1);
    let cases = [
        ("nothing", plain.clone()),
        ("a random string", with("authorization: zzz\n")),
        ("a token that nobody knows", with("authorization: Bearer sk-fake\n")),
        ("an empty token", with("authorization: Bearer \n")),
        ("only the scheme", with("authorization: Bearer\n")),
        ("two words", with("authorization: Bearer ann bob\n")),
        ("another scheme", with("authorization: Basic YW5uOmFubg==\n")),
        ("two headers", with("authorization: Bearer ann\nauthorization: Bearer ann\n")),
        ("two keys", with("x-api-key: ann\nx-api-key: ann\n")),
        ("an empty key", with("x-api-key: \n")),
        ("token and key disagree", with("authorization: Bearer ann\nx-api-key: bob\n")),
        ("a token in the URL", plain.replacen("/mcp", "/mcp?access_token=ann", 1)),
        ("a token in the URL beside a good one", by("ann", &plain).replacen("/mcp", "/mcp?a=b&access_token=ann", 1)),
    ];
    let metadata = "resource_metadata=\"https://gate.example/.well-known/oauth-protected-resource/mcp\"";
    for (what, request) in cases {
        let answer = site.send(&request).await;
        let error = if what == "nothing" { "" } else { "error=\"invalid_token\", " };
        let expected = format!("Bearer {error}{metadata}, scope=\"read:customers write:orders\"");
        let challenge = answer.head.header("www-authenticate");
        assert_eq!((answer.head.status, challenge), (401, Some(expected.as_str())), "{what}: {answer:?}");
        assert!(answer.json().get("jsonrpc").is_none() && !answer.body.contains("sk-fake"), "{what}: {answer:?}");
    }
    assert_eq!(*site.script.begun.borrow(), 0);
    let unheard = site.script.guests.as_ref().expect("guests").unheard();
    assert_eq!(unheard.len(), 10);
    site.send(&with("authorization: zzz\nx-request-id: mine\n")).await;
    let told = site.script.guests.as_ref().expect("guests").unheard();
    assert!(told.last().is_some_and(|last| last.starts_with("mine: ")), "it is found under the id that the client was told: {told:?}");
}

#[tokio::test]
async fn the_recognised_are_served_as_themselves() {
    let site = Site::guarded(&Config::default()).await;
    let plain = call("whoami", &json!({}));
    let key = plain.replacen("host: localhost\n", "host: localhost\nx-api-key: bob\n", 1);
    let both = by("bob", &key);
    let lower = by("ann", &plain).replace("Bearer", "bearer");
    for (request, expected) in [(by("ann", &plain), "2:t1:ann"), (lower, "2:t1:ann"), (key, "2:t1:bob"), (both, "2:t1:bob")] {
        assert_eq!(text(&site.send(&request).await.json()), expected, "{request}");
    }
    let spoofed =
        json!({ "name": "whoami", "arguments": {}, "_meta": { "io.modelcontextprotocol/clientInfo": { "name": "ops", "version": "1" } } });
    let spoofed = site.send(&by("ann", &modern(&json!(1), "tools/call", &spoofed, json!({})))).await;
    assert_eq!(text(&spoofed.json()), "2:t1:ann");
    let away = site.send(&by("away", &plain)).await;
    assert_eq!((away.head.status, away.head.header("retry-after")), (503, Some("3")));
}

#[tokio::test]
async fn a_stranger_is_refused_before_the_body_and_after_the_host() {
    let site = Site::guarded(&Config::default()).await;
    let mut announced = site.connect().await;
    announced.raw(format!("{}content-length: 1000\r\n\r\n", POST.replace('\n', "\r\n")).as_bytes()).await;
    assert_eq!(announced.whole().await.head.status, 401);
    let evil = site.send(&call("echo", &json!({})).replace("host: localhost", "host: evil.example")).await;
    assert_eq!((evil.head.status, evil.head.header("www-authenticate")), (403, None));
}

#[tokio::test]
async fn only_public_places_answer_strangers() {
    let site = Site::guarded(&Config::default()).await;
    for place in &PLACES {
        for verb in ["GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"] {
            let request = format!("{verb} {} HTTP/1.1\nhost: localhost\naccept: text/event-stream", place.path);
            let status = site.send(&request).await.head.status;
            let expected = match (place.door, verb) {
                (Door::Anyone(_), "GET") => 200,
                (Door::Anyone(_), _) => 405,
                (Door::Endpoint | Door::Operators(_), _) => 401,
            };
            assert_eq!(status, expected, "{verb} {}", place.path);
        }
    }
    let open: Vec<_> = PLACES.iter().filter(|place| matches!(place.door, Door::Anyone(_))).map(|place| place.path).collect();
    let expected = ["/health/live", "/health/ready", "/.well-known/oauth-protected-resource/mcp", "/.well-known/oauth-protected-resource"];
    assert_eq!(open, expected, "a place for everyone is a decision");
    check(&site, &[("nowhere", get("/nowhere", ""), "404 -32600")]).await;
}

#[tokio::test]
async fn metadata_says_where_tokens_come_from() {
    let site = Site::guarded(&Config::default()).await;
    let expected = json!({
        "resource": "https://gate.example/mcp", "bearer_methods_supported": ["header"],
        "authorization_servers": ["https://id.example"], "scopes_supported": ["read:customers", "write:orders"],
    });
    for path in ["/.well-known/oauth-protected-resource/mcp", "/.well-known/oauth-protected-resource"] {
        assert_eq!(site.send(&get(path, "")).await.json(), expected);
        assert_eq!(super::open().await.send(&get(path, "")).await.head.status, 404, "without authentication there is none");
    }
}

#[tokio::test]
async fn pages_for_operators_are_for_operators() {
    let asked = |who: &str| get("/metrics", &format!("x-api-key: {who}"));
    let site = Site::guarded(&Config::default()).await;
    let cases = [("an operator", asked("ops"), "200"), ("a caller", asked("ann"), "403"), ("a stranger", asked("eve"), "401")];
    check(&site, &cases).await;
    site.script.go.close();
    for (who, expected) in [("x: y", "not ready\n"), ("x-api-key: ann", "not ready\n"), ("x-api-key: ops", "script: it is closed\n")] {
        let answer = site.send(&get("/health/ready", who)).await;
        assert_eq!((answer.head.status, answer.body.as_str()), (503, expected), "{who}");
    }
    for metrics in [Metrics::Loopback, Metrics::Public] {
        let mut config = Config::default();
        config.http.metrics = metrics;
        assert_eq!(Site::guarded(&config).await.send(&get("/metrics", "")).await.head.status, 200);
    }
}

#[tokio::test]
async fn a_session_is_its_callers_alone() {
    let site = Site::guarded(&Config::default()).await;
    let hello = json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "t", "version": "1" } });
    let opened = site.send(&by("ann", &format!("{POST}\n{}", request(0, "initialize", &hello)))).await;
    let session = opened.head.header("mcp-session-id").expect("a session").to_owned();
    let ping = legacy(&session, &request(1, "ping", &json!({})));
    let stream = get("/mcp", &format!("accept: text/event-stream\nmcp-session-id: {session}"));
    let end = format!("DELETE /mcp HTTP/1.1\nhost: localhost\nmcp-session-id: {session}");
    let guess = legacy("0123456789", &request(1, "ping", &json!({})));
    let unknown = site.send(&by("bob", &guess)).await;
    for (what, request) in [("a ping", &ping), ("a stream", &stream), ("the end", &end)] {
        let foreign = site.send(&by("bob", request)).await;
        assert_eq!(foreign.short(), "404 -32600", "{what}");
        assert_eq!(foreign.json()["error"], unknown.json()["error"], "{what}");
        assert_eq!(site.send(request).await.head.status, 401, "{what}");
    }
    assert_eq!(site.send(&by("ann", &ping)).await.short(), "200");
    assert_eq!(site.send(&by("ann", &end)).await.short(), "204");
}

/// A stream of notices for `who`.
fn listen(who: &str) -> String {
    by(who, &modern(&json!(1), "subscriptions/listen", &json!({ "notifications": { "toolsListChanged": true } }), json!({})))
}

#[tokio::test]
async fn streams_end_when_their_caller_is_not_recognised_any_more() {
    let mut config = Config::default();
    config.proof.recheck = Span::millis(20);
    config.proof.grace = Span::millis(20);
    let site = Site::guarded(&config).await;
    let mut ann = site.connect().await;
    ann.send(&listen("ann")).await;
    assert_eq!(ann.head().await.expect("an answer").status, 200);
    ann.message().await.expect("what is granted");
    let mut brief = site.connect().await;
    brief.send(&listen("brief")).await;
    assert_eq!(brief.head().await.expect("an answer").status, 200);
    brief.messages().await;
    site.script.announce(callgate_model::Change::Tools);
    assert_eq!(ann.message().await.expect("a notice")["method"], "notifications/tools/list_changed");
    site.script.guests.as_ref().expect("guests").revoke("ann");
    assert!(ann.message().await.is_none(), "the stream of a revoked caller goes on");
    assert_eq!(site.send(&listen("ann")).await.head.status, 401);
}

#[tokio::test]
async fn a_call_does_not_outlive_its_callers_proof() {
    let mut config = Config::default();
    config.proof.grace = Span::millis(20);
    let site = Site::guarded(&config).await;
    let answer = site.send(&by("brief", &call("left", &json!({})))).await;
    let left: u64 = text(&answer.json()).parse().expect("milliseconds");
    assert!(left <= 20, "{left}");
    let answer = site.send(&by("ann", &call("left", &json!({})))).await;
    assert!(text(&answer.json()).parse::<u64>().expect("milliseconds") > 20);
}

#[tokio::test]
async fn a_token_that_does_not_reach_is_told_what_would() {
    let site = Site::guarded(&Config::default()).await;
    let expected = "Bearer error=\"insufficient_scope\", \
         resource_metadata=\"https://gate.example/.well-known/oauth-protected-resource/mcp\", scope=\"read:customers read:orders\"";
    let hello = json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "t", "version": "1" } });
    let opened = site.send(&by("ann", &format!("{POST}\n{}", request(0, "initialize", &hello)))).await;
    let session = opened.head.header("mcp-session-id").expect("a session").to_owned();
    let scopes = json!({ "name": "fail", "arguments": { "kind": "scopes" } });
    for request in [call("fail", &json!({ "kind": "scopes" })), legacy(&session, &request(1, "tools/call", &scopes))] {
        let answer = site.send(&by("ann", &request)).await;
        assert_eq!((answer.head.status, answer.head.header("www-authenticate")), (403, Some(expected)), "{answer:?}");
        assert_eq!(answer.json()["error"]["data"]["scopes"], json!(["read:customers", "read:orders"]));
    }
}

#[tokio::test]
async fn not_now_is_said_by_status_header_and_sentence() {
    let site = super::open().await;
    for (kind, status, seconds) in [("limited", 429, "7"), ("overloaded", 503, "1"), ("down", 503, "3")] {
        let answer = site.send(&call("fail", &json!({ "kind": kind }))).await;
        assert_eq!((answer.head.status, answer.head.header("retry-after")), (status, Some(seconds)));
        assert_eq!(answer.json()["result"]["isError"], true, "the model reads it");
        let session = shake_hands(&site, "2025-11-25", &json!({})).await;
        let legacy = legacy(&session, &request(1, "tools/call", &json!({ "name": "fail", "arguments": { "kind": kind } })));
        let answer = site.send(&legacy).await;
        assert_eq!((answer.short().as_str(), answer.head.header("retry-after")), ("200 isError", Some(seconds)));
    }
    reaches(&site.script.finished, 6).await;
}

#[tokio::test]
async fn what_one_caller_was_given_is_nothing_to_another() {
    let config = Config { page: 3, ..Config::default() };
    let site = Site::guarded(&config).await;
    let list = |cursor: &serde_json::Value| modern(&json!(1), "tools/list", &json!({ "cursor": cursor }), json!({}));
    let first = site.send(&by("ann", &modern(&json!(1), "tools/list", &json!({}), json!({})))).await.json();
    let cursor = &first["result"]["nextCursor"];
    let guess = site.send(&by("bob", &list(&json!("AAAA")))).await.json();
    assert_eq!(site.send(&by("bob", &list(cursor))).await.json()["error"], guess["error"]);
    assert_eq!(site.send(&by("ann", &list(cursor))).await.short(), "200");
    let ask = |more: &serde_json::Value| {
        let mut params = json!({ "name": "ask", "arguments": {} });
        params.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        modern(&json!(1), "tools/call", &params, json!({ "elicitation": {} }))
    };
    let asked = site.send(&by("ann", &ask(&json!({})))).await.json();
    let answered = |state: &serde_json::Value| {
        ask(&json!({ "requestState": state, "inputResponses": { "name": { "action": "accept", "content": { "n": "Ann" } } } }))
    };
    let forged = site.send(&by("bob", &answered(&json!("AAAA")))).await.json();
    let state = &asked["result"]["requestState"];
    assert!(state.is_string(), "{asked}");
    assert_eq!(site.send(&by("bob", &answered(state))).await.json()["error"], forged["error"]);
    assert_eq!(site.send(&by("ann", &answered(state))).await.short(), "200");
}

#[tokio::test]
async fn requests_are_counted_by_verb_place_and_status() {
    let site = super::open().await;
    for request in [get("/health/live", ""), get("/made-up", ""), "BREW /made-up HTTP/1.1\nhost: localhost".to_owned()] {
        site.send(&request).await;
    }
    let text = site.send(&get("/metrics", "")).await.body;
    for (method, route, status) in [("GET", "/health/live", "200"), ("GET", "other", "404"), ("other", "other", "404")] {
        let labels = format!("{{method=\"{method}\",route=\"{route}\",status=\"{status}\"");
        let counted = format!("http_request_duration_seconds_count{labels}}} 1\n");
        let last = format!("http_request_duration_seconds_bucket{labels},le=\"+Inf\"}} 1\n");
        assert!(text.contains(&counted) && text.contains(&last), "{method} {route}: {text}");
    }
    assert!(text.starts_with("script_up 1\n") && text.contains("\nhttp_connections "), "{text}");
    assert!(!text.contains("made-up") && !text.contains("BREW"), "{text}");
}
