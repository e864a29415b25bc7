//! HTTP/2 in the hands of somebody who does not want an answer: frames that cost the gate more than they cost the sender.

use std::{net::SocketAddr, time::Duration};

use callgate_testkit::{
    PATIENCE,
    http::{Connection, Multiplexed, Request},
};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{Instant, timeout},
};

use crate::{
    gate::Gate,
    row::{Edit as _, call},
};

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const PRIORITY: u8 = 2;
const RESET: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const WINDOW: u8 = 8;
const CONTINUATION: u8 = 9;

const END_OF_HEADERS: u8 = 4;
const END_OF_STREAM: u8 = 1;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("it is short").to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// `POST /mcp` to this host, as its headers stand in a frame.
fn head(address: SocketAddr) -> Vec<u8> {
    let host = address.to_string();
    let length = u8::try_from(host.len()).expect("it is short");
    [&[0x83, 0x86, 0x44, 4], b"/mcp".as_slice(), &[0x41, length], host.as_bytes()].concat()
}

/// The number of the stream that a client opens as its nth.
fn stream(number: u32) -> u32 {
    2 * number + 1
}

/// What is sent behind the greeting, by what it is.
fn attacks(address: SocketAddr) -> Vec<(&'static str, Vec<u8>)> {
    let head = head(address);
    let opened = |flags| frame(HEADERS, flags, 1, &head);
    let many = |count: u32, make: &dyn Fn(u32) -> Vec<u8>| (0..count).flat_map(make).collect::<Vec<u8>>();
    let reset = |number| [frame(HEADERS, END_OF_HEADERS, stream(number), &head), frame(RESET, 0, stream(number), &[0, 0, 0, 8])].concat();
    let bad_then_error =
        |number| [frame(HEADERS, END_OF_HEADERS, stream(number), &head), frame(WINDOW, 0, stream(number), &[0; 4])].concat();
    vec![
        ("requests that are taken back at once", many(2000, &reset)),
        ("requests that make the gate take them back", many(2000, &bad_then_error)),
        ("settings", many(20_000, &|_| frame(SETTINGS, 0, 0, &[0, 4, 0, 1, 0, 0]))),
        ("empty settings", many(20_000, &|_| frame(SETTINGS, 0, 0, &[]))),
        ("pings", many(20_000, &|_| frame(PING, 0, 0, &[7; 8]))),
        ("priorities", many(20_000, &|number| frame(PRIORITY, 0, stream(number), &[0, 0, 0, 0, 7]))),
        ("headers that do not end", [opened(0), many(20_000, &|_| frame(CONTINUATION, 0, 1, &[0x40, 1, b'x', 1, b'y']))].concat()),
        ("empty headers that do not end", [opened(0), many(20_000, &|_| frame(CONTINUATION, 0, 1, &[]))].concat()),
        ("empty data", [opened(END_OF_HEADERS), many(20_000, &|_| frame(DATA, 0, 1, &[]))].concat()),
        ("data on a stream that is not open", many(2000, &|_| frame(DATA, 0, 99, b"x"))),
        (
            "a window of 2 GiB twice",
            [frame(WINDOW, 0, 0, &[0x7f, 0xff, 0xff, 0xff]), frame(WINDOW, 0, 0, &[0x7f, 0xff, 0xff, 0xff])].concat(),
        ),
        ("a frame of 16 MiB", [&[0xff, 0xff, 0xff, DATA, 0, 0, 0, 0, 1][..], &vec![0; 1 << 20]].concat()),
        (
            "a table of headers without end",
            [frame(HEADERS, END_OF_HEADERS | END_OF_STREAM, 1, &[0x3f, 0xff, 0xff, 0xff, 0xff, 0x7f])].concat(),
        ),
        ("an index that is not there", frame(HEADERS, END_OF_HEADERS | END_OF_STREAM, 1, &[0xff, 0xff, 0x7f])),
        ("a stream of the server's", frame(HEADERS, END_OF_HEADERS | END_OF_STREAM, 2, &head)),
    ]
}

/// Whether the gate hangs up on who sends this, within this time.
async fn hangs_up(address: SocketAddr, bytes: &[u8], patience: Duration) -> bool {
    let mut connection = TcpStream::connect(address).await.unwrap();
    connection.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
    connection.write_all(&frame(SETTINGS, 0, 0, &[])).await.unwrap();
    let (mut from, mut to) = connection.split();
    let mut heard = vec![0; 64 * 1024];
    let reading = async { while from.read(&mut heard).await.is_ok_and(|read| read > 0) {} };
    // Who is hung up on cannot write to the end.
    let writing = async {
        let _ = to.write_all(bytes).await;
        std::future::pending::<()>().await;
    };
    timeout(patience, async {
        tokio::select! { () = reading => {}, () = writing => {} }
    })
    .await
    .is_ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames() {
    let mut gate = Gate::start().await;
    let token = gate.token("ann", "acme", "");
    let request = call("kept_note", &json!({})).bearer(&token).header("X-Request-ID", "meanwhile");
    let few = frame(PING, 0, 0, &[7; 8]).repeat(10);
    assert!(!hangs_up(gate.address, &few, Duration::from_millis(300)).await, "a few pings are no attack");
    let mut other = Connection::open(gate.address).await.unwrap();
    for (name, bytes) in attacks(gate.address) {
        assert!(hangs_up(gate.address, &bytes, PATIENCE).await, "{name}: the connection stays open");
        let begun = Instant::now();
        assert_eq!(other.send(&request).await.unwrap().status, 200, "{name}: others are served");
        assert!(begun.elapsed() < Duration::from_secs(1), "{name}: others wait {:?}", begun.elapsed());
        gate.owe("meanwhile", "ok", 1);
    }
    drop(other);
    gate.settles("http_connections", 1).await;
    // Those of the requests that came so far had nobody's credentials.
    gate.excuse("unauthenticated");
    gate.end().await;
}

/// What HTTP/2 lets a client say twice, and what it says of its body that is not so. Nothing of it is called.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_that_say_two_things() {
    let mut gate = Gate::start().await;
    let token = gate.token("ann", "acme", "write:notes");
    let good = call("add_note", &json!({ "text": "a" })).bearer(&token).header("X-Request-ID", "two-things");
    let with = |name: &str, value: &str| good.clone().header(name, value);
    let (length, own) = (good.body.len(), gate.address.to_string());
    let before = gate.ran().await;
    for (name, request, expected) in [
        ("another host", with("Host", "evil.example"), Some(403)),
        ("two hosts", with("Host", &own).header("Host", "evil.example"), Some(403)),
        ("a page elsewhere", with("Origin", "https://evil.example"), Some(403)),
        ("two tokens", with("Authorization", "Bearer x"), Some(401)),
        ("another name", with("Mcp-Name", "my_notes"), Some(400)),
        ("two slashes", Request { path: "//evil.example/mcp".into(), ..good.clone() }, Some(404)),
        ("a shorter body", with("Content-Length", "3"), None),
        ("a longer body", with("Content-Length", &(length + 9).to_string()), None),
        ("two lengths", with("Content-Length", &length.to_string()).header("Content-Length", "3"), None),
        ("a length with a sign", with("Content-Length", &format!("+{length}")), None),
    ] {
        let mut connection = Multiplexed::open(gate.address).await.unwrap();
        let status = connection.send_all(&[&request]).await.map(|answers| answers[0].status).ok();
        assert_eq!(status, expected, "{name}");
    }
    assert_eq!(gate.ran().await, before);
    gate.owe("two-things", "unauthenticated", 1);
    gate.owe("two-things", "bad_request", 1);
    let mut connection = Multiplexed::open(gate.address).await.unwrap();
    let answers = connection.send_all(&[&with("Host", &own), &good]).await.unwrap();
    assert!(answers.iter().all(|answer| answer.status == 200), "the same twice is no lie");
    gate.owe("two-things", "ok", 2);
    gate.end().await;
}
