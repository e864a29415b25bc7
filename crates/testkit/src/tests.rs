//! The client against bytes that a server might send.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use crate::{
    Folder, Process,
    fault_proxy::{Fault, FaultProxy},
    http::Request,
};

/// Sends a request to a server that answers with exactly `bytes`; gives what the server was sent, and the body or why there is none.
async fn check(request: Request, bytes: &'static [u8]) -> (String, Result<String, String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut sent = vec![0; 4096];
        let length = stream.read(&mut sent).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        String::from_utf8(sent[..length].to_vec()).unwrap()
    });
    let answer = request.send(address).await.unwrap();
    let body = answer.text().await.map_err(|error| error.to_string());
    (server.await.unwrap().replace(&address.to_string(), "ADDRESS"), body)
}

#[tokio::test]
async fn bodies_are_delimited_three_ways() {
    let get = || Request::new("GET", "/x").header("A", "b");
    let (sent, body) = check(get(), b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc").await;
    assert_eq!(sent, "GET /x HTTP/1.1\r\nHost: ADDRESS\r\nA: b\r\nConnection: close\r\n\r\n");
    assert_eq!(body.as_deref(), Ok("abc"));
    let (_, body) = check(get(), b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n").await;
    assert_eq!(body.as_deref(), Ok("abc"));
    let (_, body) = check(get(), b"HTTP/1.1 200 OK\r\n\r\nabc").await;
    assert_eq!(body.as_deref(), Ok("abc"));
    let (_, body) = check(get(), b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc").await;
    assert_eq!(body, Err("the connection ended 2 bytes early".to_owned()));
}

#[tokio::test]
async fn the_last_message_of_a_stream_is_the_reply() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut sent = [0; 4096];
        let _ = stream.read(&mut sent).await.unwrap();
        let body = ": hello\n\nid: 1\ndata: {\"a\":1}\n\ndata: {\"b\":\ndata: 2}\n\n";
        let head = format!("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: {}\r\n\r\n", body.len());
        stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    });
    let answer = Request::post("/mcp", &serde_json::json!({})).send(address).await.unwrap();
    assert_eq!(answer.json().await.unwrap(), serde_json::json!({ "b": 2 }));
}

#[tokio::test]
async fn a_process_is_talked_to_and_ended_by_its_id() {
    let folder = Folder::with([("say.sh", "read line\necho \"heard $line\"\necho ready $NAME >&2\nread line\n")]).unwrap();
    let script = folder.path().join("say.sh").display().to_string();
    let mut process = Process::start("/bin/sh".as_ref(), &[&script], &[("NAME", "me")]).unwrap();
    process.write("hello").await.unwrap();
    assert_eq!(process.read().await.unwrap().as_deref(), Some("heard hello"));
    assert_eq!(process.told("ready").await.unwrap(), "ready me");
    process.signal("TERM").await.unwrap();
    assert!(!process.end().await.unwrap().success());
}

/// A server that answers each byte with the same, behind a proxy.
async fn echo() -> FaultProxy {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = FaultProxy::start(listener.local_addr().unwrap()).await.unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut reader, mut writer) = stream.split();
                tokio::io::copy(&mut reader, &mut writer).await
            });
        }
    });
    proxy
}

/// What comes back of `word` on this connection, or how it ended.
async fn said(stream: &mut TcpStream, word: &str) -> String {
    let mut answer = vec![0; word.len()];
    let exchange = async {
        stream.write_all(word.as_bytes()).await?;
        stream.read_exact(&mut answer).await
    };
    match tokio::time::timeout(Duration::from_millis(300), exchange).await {
        Ok(Ok(_)) => String::from_utf8_lossy(&answer).into_owned(),
        Ok(Err(error)) => error.kind().to_string(),
        Err(_) => "silence".to_owned(),
    }
}

#[tokio::test]
async fn a_proxy_does_to_a_connection_what_it_is_told() {
    let cases = [
        (Fault::None, "hello", "hello"),
        (Fault::Late(Duration::from_millis(10)), "hello", "hello"),
        (Fault::Late(Duration::from_secs(60)), "silence", "silence"),
        (Fault::Drip(Duration::from_millis(1)), "hello", "hello"),
        (Fault::Cut(3), "unexpected end of file", "unexpected end of file"),
        (Fault::Reset, "connection reset", "connection reset"),
        (Fault::Silent, "silence", "silence"),
        (Fault::Garbled, "=099:", "=099:"),
        (Fault::Refused, "unexpected end of file", "connection refused"),
    ];
    for (fault, open, new) in cases {
        let mut proxy = echo().await;
        let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
        assert_eq!(said(&mut stream, "first").await, "first");
        proxy.inflict(fault).await;
        assert_eq!(said(&mut stream, "hello").await, open, "{fault:?}, a connection that was open");
        let told = match TcpStream::connect(proxy.address()).await {
            Ok(mut stream) => said(&mut stream, "hello").await,
            Err(error) => error.kind().to_string(),
        };
        assert_eq!(told, new, "{fault:?}, a new connection");
        proxy.inflict(Fault::None).await;
        let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
        assert_eq!(said(&mut stream, "again").await, "again", "{fault:?}, when it is over");
    }
}
