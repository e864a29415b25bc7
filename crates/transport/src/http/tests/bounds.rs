//! The bounds of the wire.

use std::time::Duration;

use callgate_config::{Size, Span};
use http::Version;
use serde_json::json;
use tokio::time::{Instant, advance};

use super::{POST, call, modern, open, text};
use crate::{
    Config, Drained,
    config::Http,
    http::{
        backlog::Backlogs,
        frames::Frames,
        head::Head,
        pulse::{Pulse, Verdict},
    },
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
async fn large_bodies_have_room_for_so_much_at_once() {
    let mut config = Config::default();
    config.http.bodies = Size(150_000);
    let site = Site::open(&config).await;
    let large = |announced: usize| format!("{}content-length: {announced}\r\n\r\n{}", POST.replace('\n', "\r\n"), "x".repeat(100_000));
    let mut first = site.connect().await;
    first.raw(large(100_001).as_bytes()).await;
    // However the pieces fall, two of them do not fit.
    let mut second = site.connect().await;
    second.raw(large(100_001).as_bytes()).await;
    let (busy, held) = tokio::select! {
        answer = first.whole() => (answer, second),
        answer = second.whole() => (answer, first),
    };
    assert_eq!((busy.head.status, busy.head.header("retry-after")), (503, Some("1")));
    assert_eq!(site.send(&call("echo", &json!({}))).await.short(), "200", "small ones need none");
    drop(held);
    // The gate hears of the hang-up when it does.
    while site.send(&format!("{POST}\n{}", "x".repeat(100_000))).await.head.status == 503 {}
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
    let shown = call("echo", &json!({}));
    let (head, body) = shown.split_once("\n\n").expect("a body");
    let (head, length) = (format!("{head}\n").replace('\n', "\r\n"), body.len());
    let chunks = format!("\r\n{length:x}\r\n{body}\r\n0\r\n\r\n");
    let cases = [
        format!("content-length: 4\r\ntransfer-encoding: chunked\r\n{chunks}"),
        format!("transfer-encoding: chunked\r\ncontent-length: 4\r\n{chunks}"),
        format!("content-length: {length}\r\ncontent-length: {}\r\n\r\n{body}", length + 1),
        format!("content-length: {length}\r\nContent-Length: {length}\r\n\r\n{body}"),
        format!("transfer-encoding: chunked, identity\r\n{chunks}"),
        format!("transfer-encoding: gzip, chunked\r\n{chunks}"),
        format!("transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n{chunks}"),
        format!("transfer-encoding:\tchunked\r\n{chunks}"),
        format!("transfer-encoding: chunked                \t\r\n{chunks}"),
        format!("x: a\r\n folded\r\ncontent-length: {length}\r\n\r\n{body}"),
        format!("x: a\ny: b\r\ncontent-length: {length}\r\n\r\n{body}"),
        format!("x: a\ry: b\r\ncontent-length: {length}\r\n\r\n{body}"),
    ];
    for case in cases {
        let mut connection = site.connect().await;
        connection.raw(format!("{head}{case}{hidden}").as_bytes()).await;
        let answer = connection.whole().await;
        assert_eq!(answer.head.status, 400, "{case}: {answer:?}");
        assert!(connection.head().await.is_none(), "{case}: the connection is still open");
    }
    assert_eq!(*site.script.begun.borrow(), 0);
}

#[test]
fn a_head_is_read_in_any_pieces_and_a_body_is_none() {
    let cases = [
        ("POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n", false),
        ("\r\n\r\nPOST / HTTP/1.1\r\ntransfer-encoding: Chunked\r\n\r\n", false),
        ("POST / HTTP/1.1\r\ncontent-length: 5\r\n\r\n{\n}\ncontent-length: 5\ncontent-length: 6\n", false),
        ("POST / HTTP/1.1\r\ncontent-length: 5\r\nx: 1\r\ntransfer-encoding: chunked\r\n\r\n", true),
        ("POST / HTTP/1.1\ncontent-length: 5\r\n\r\n", true),
        ("POST / HTTP/1.1\r\ncontent-length: 5\r\n\n", true),
        ("{\n\"content-length: 5\n\n", false),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\n\n", false),
    ];
    for (text, expected) in cases {
        assert_eq!(Head::default().read(text.as_bytes()), expected, "{text}");
        let mut pieces = Head::default();
        let last = text.bytes().map(|byte| pieces.read(&[byte])).last();
        assert_eq!(last, Some(expected), "{text}, byte by byte");
    }
}

/// The beginning of an HTTP/2 connection whose client takes so many bytes of each answer.
fn preface(window: u32) -> Vec<u8> {
    let setting = [&[0, 4][..], &window.to_be_bytes()].concat();
    [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &frame(4, 0, 0, &setting)[..]].concat()
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a short frame").to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// A GET with these headers beside the ones that it needs, none of them long.
fn get(stream: u32, path: &str, more: &[(String, String)]) -> Vec<u8> {
    let needed = [(":method", "GET"), (":scheme", "http"), (":path", path), (":authority", "localhost")];
    let needed = needed.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let mut block = Vec::new();
    for (name, value) in needed.iter().chain(more) {
        block.push(0);
        for text in [name, value] {
            block.push(u8::try_from(text.len()).expect("a short text"));
            block.extend(text.bytes());
        }
    }
    frame(1, 0b101, stream, &block)
}

#[tokio::test]
async fn an_answer_that_is_not_taken_ends_an_http2_connection() {
    let mut config = Config::default();
    config.http.header_time = Span::millis(20);
    config.http.write_time = Span::millis(50);
    let site = Site::open(&config).await;
    let mut greedy = site.connect().await;
    greedy.raw(&preface(0)).await;
    greedy.raw(&get(1, "/health/live", &[])).await;
    greedy.closed().await;
    let mut fair = site.connect().await;
    fair.raw(&preface(1000)).await;
    fair.raw(&get(1, "/health/live", &[])).await;
    assert!(fair.hears(b"live").await);
}

#[tokio::test]
async fn of_all_that_read_nothing_the_one_that_holds_most_is_hung_up() {
    let mut config = Config::default();
    // Each answer is `live` and the end of a line.
    config.http.replies = Size(4 * 5);
    let site = Site::open(&config).await;
    let [mut modest, mut greedy] = [site.connect().await, site.connect().await];
    let ask = |stream| get(stream, "/health/live", &[]);
    modest.raw(&[preface(0), ask(1)].concat()).await;
    assert!(modest.hears(&[1, 4, 0, 0, 0, 1]).await, "the head of its answer");
    greedy.raw(&[preface(0), ask(1), ask(3), ask(5), ask(7)].concat()).await;
    greedy.closed().await;
    modest.raw(&frame(8, 0, 1, &1000_u32.to_be_bytes())).await;
    assert!(modest.hears(b"live").await);
    let mut reading = site.connect().await;
    for _ in 0..20 {
        reading.send("GET /health/live HTTP/1.1\nhost: localhost").await;
        assert_eq!(reading.whole().await.head.status, 200);
    }
}

#[tokio::test]
async fn too_many_headers_are_too_many_on_http2_as_well() {
    let site = small().await;
    let more: Vec<_> = (0..30).map(|index| (format!("x-{index}"), "y".to_owned())).collect();
    let mut connection = site.connect().await;
    connection.raw(&preface(1000)).await;
    connection.raw(&get(1, "/health/live", &more)).await;
    assert!(connection.hears(b"wire.http.header_count").await);
}

#[tokio::test]
async fn a_head_that_never_comes_does_not_hold_up_the_stop() {
    let mut config = Config::default();
    config.http.header_time = Span::seconds(3600);
    config.http.drain = Span::seconds(3600);
    let mut site = Site::open(&config).await;
    let mut stuck = site.connect().await;
    stuck.send("GET /health/live HTTP/1.1\nhost: localhost").await;
    assert_eq!(stuck.whole().await.head.status, 200);
    stuck.raw(b"POST /mcp HTTP/1.1\r\nhost: loc").await;
    site.stop();
    stuck.closed().await;
    assert_eq!(site.drained().await, Drained::Clean);
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
    let pulse = Pulse::new(Backlogs::new(1).open());
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

#[tokio::test]
async fn frames_that_ask_nothing_end_an_http2_connection() {
    let mut config = Config::default();
    config.http.frames = 50;
    let site = Site::open(&config).await;
    let cases = [
        ("pings", vec![], frame(6, 0, 0, &[0; 8])),
        ("settings", vec![], frame(4, 0, 0, &[])),
        ("priorities", vec![], frame(2, 0, 1, &[0, 0, 0, 0, 1])),
        ("unknown ones", vec![], frame(0x20, 0, 0, &[1])),
        ("windows", vec![], frame(8, 0, 0, &[0, 0, 0, 1])),
        ("resets", get(1, "/health/live", &[]), frame(3, 0, 1, &[0, 0, 0, 8])),
    ];
    for (what, begin, idle) in cases {
        let mut flood = site.connect().await;
        flood.raw(&[preface(65_535), begin, idle.repeat(500)].concat()).await;
        flood.closed().await;
        let mut few = site.connect().await;
        few.raw(&preface(65_535)).await;
        if what != "resets" {
            few.raw(&idle.repeat(20)).await;
        }
        few.raw(&get(1, "/health/live", &[])).await;
        assert!(few.hears(b"live").await, "{what}");
    }
}

#[test]
fn frames_are_read_in_any_pieces() {
    let ping = frame(6, 0, 0, &[0; 8]);
    let cases = [
        ("enough", [preface(1), ping.repeat(9)].concat(), false),
        ("too many", [preface(1), ping.repeat(10)].concat(), true),
        ("requests earn some", [preface(1), get(1, "/", &[]), ping.repeat(9), get(3, "/", &[]), ping.repeat(4)].concat(), false),
        ("what stands in a body is none", [preface(1), frame(0, 0, 1, &ping.repeat(20))].concat(), false),
        ("empty bodies", [preface(1), frame(0, 0, 1, &[]).repeat(10)].concat(), true),
        ("HTTP/1", [b"POST / HTTP/1.1\r\n\r\n".to_vec(), ping.repeat(20)].concat(), false),
    ];
    for (what, bytes, expected) in cases {
        assert_eq!(Frames::new(10).read(&bytes), expected, "{what}");
        let mut pieces = Frames::new(10);
        assert_eq!(bytes.iter().any(|byte| pieces.read(&[*byte])), expected, "{what}, byte by byte");
    }
    let mut taken = Frames::new(10);
    taken.wrote(512 * 20);
    assert!(!taken.read(&[preface(1), frame(8, 0, 0, &[0, 0, 0, 1]).repeat(20)].concat()), "what was sent may be taken");
}
