//! The bounds of the wire.

use std::time::Duration;

use callgate_config::{Size, Span};
use http::Version;
use serde_json::json;
use tokio::time::{Instant, advance};

use super::{POST, call, modern, open, text};
use crate::{
    Config,
    config::Http,
    http::pulse::{Pulse, Verdict},
    testbed::client::Site,
};

async fn small() -> Site {
    let mut config = Config::default();
    config.http.body = Size(1000);
    config.http.headers = Size::kib(8);
    config.http.header_count = 20;
    config.http.header_time = Span::millis(50);
    config.http.body_time = Span::millis(50);
    Site::open(&config).await
}

#[tokio::test]
async fn a_body_that_is_too_large_is_not_read() {
    let site = small().await;
    let mut announced = site.connect().await;
    announced.raw(format!("{}content-length: 1001\r\n\r\n", POST.replace('\n', "\r\n")).as_bytes()).await;
    assert_eq!(announced.whole().await.head.status, 413);
    let mut pieces = site.connect().await;
    pieces.raw(format!("{}transfer-encoding: chunked\r\n\r\n", POST.replace('\n', "\r\n")).as_bytes()).await;
    for _ in 0..3 {
        pieces.raw(format!("190\r\n{}\r\n", "x".repeat(400)).as_bytes()).await;
    }
    assert_eq!(pieces.whole().await.head.status, 413);
}

#[tokio::test]
async fn a_body_in_pieces_is_put_together() {
    let site = open().await;
    let request = call("echo", &json!({ "a": 1 }));
    let (head, body) = request.split_once("\n\n").expect("a body");
    let mut connection = site.connect().await;
    connection.raw(format!("{}\r\ntransfer-encoding: chunked\r\n\r\n", head.replace('\n', "\r\n")).as_bytes()).await;
    for piece in body.as_bytes().chunks(50) {
        connection.raw(format!("{:x}\r\n", piece.len()).as_bytes()).await;
        connection.raw(piece).await;
        connection.raw(b"\r\n").await;
    }
    connection.raw(b"0\r\n\r\n").await;
    assert_eq!(text(&connection.whole().await.json()), r#"{"a":1}"#);
}

#[tokio::test]
async fn headers_that_are_too_large_or_too_many_are_refused() {
    let site = small().await;
    let large = site.send(&format!("GET /health/live HTTP/1.1\nhost: localhost\nx: {}", "x".repeat(20_000))).await;
    assert_eq!(large.head.status, 431);
    let many: String = (0..30).map(|index| format!("\nx-{index}: y")).collect();
    assert_eq!(site.send(&format!("GET /health/live HTTP/1.1\nhost: localhost{many}")).await.head.status, 431);
}

#[tokio::test]
async fn slow_clients_are_cut_off() {
    let site = small().await;
    let mut silent = site.connect().await;
    assert!(silent.head().await.is_none());
    let mut stuck = site.connect().await;
    stuck.raw(b"POST /mcp HTTP/1.1\r\nhost: loc").await;
    assert!(stuck.head().await.is_none());
    let mut body = site.connect().await;
    body.raw(format!("{}content-length: 10\r\n\r\n{{", POST.replace('\n', "\r\n")).as_bytes()).await;
    assert_eq!(body.whole().await.head.status, 408);
}

#[tokio::test]
async fn ambiguous_requests_are_refused_and_nothing_hides_in_them() {
    let site = open().await;
    let hidden = call("echo", &json!({})).replace('\n', "\r\n");
    let cases = [
        "content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        "content-length: 4\r\ncontent-length: 5\r\n\r\n{}{}",
        "transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        "x: a\r\n folded\r\ncontent-length: 0\r\n\r\n",
    ];
    for case in cases {
        let mut connection = site.connect().await;
        connection.raw(format!("{}{case}{hidden}", POST.replace('\n', "\r\n")).as_bytes()).await;
        let mut statuses = Vec::new();
        while let Some(head) = connection.head().await {
            statuses.push(head.status);
            if statuses.len() > 1 {
                break;
            }
            if let Some(length) = head.header("content-length") {
                let length: usize = length.parse().expect("a length");
                if length > 0 {
                    break;
                }
            }
        }
        assert!(!statuses.contains(&200), "{case}: {statuses:?}");
    }
    assert_eq!(*site.script.begun.borrow(), 0);
}

#[tokio::test]
async fn one_address_has_only_so_many_connections() {
    let mut config = Config::default();
    config.http.per_address = 1;
    let site = Site::open(&config).await;
    let mut first = site.connect().await;
    first.send("GET /health/live HTTP/1.1\nhost: localhost").await;
    assert_eq!(first.whole().await.head.status, 200);
    let mut second = site.connect().await;
    second.send("GET /health/live HTTP/1.1\nhost: localhost").await;
    assert!(second.head().await.is_none());
    first.send(&modern(&json!(1), "tools/list", &json!({}), json!({}))).await;
    assert_eq!(first.whole().await.head.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_connection_is_judged_by_its_pulse() {
    let limits = Http::default();
    let (head, idle) = (limits.header_time.get(), limits.idle.get());
    let pulse = Pulse::new();
    assert!(matches!(pulse.verdict(&limits), Verdict::Wait(_)));
    advance(head + Duration::from_millis(2)).await;
    assert_eq!(pulse.verdict(&limits), Verdict::Cut, "its first request did not come");
    let ticket = pulse.begin(Version::HTTP_11);
    advance(idle * 2).await;
    assert!(matches!(pulse.verdict(&limits), Verdict::Wait(_)), "a request is at work");
    drop(ticket);
    let Verdict::Wait(until) = pulse.verdict(&limits) else { panic!("it has just become idle") };
    assert!(until <= Instant::now() + head, "headers may begin to arrive meanwhile");
    advance(idle).await;
    assert_eq!(pulse.verdict(&limits), Verdict::Close);
}
