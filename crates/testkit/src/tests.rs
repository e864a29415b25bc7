//! The client against bytes that a server might send.

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use crate::{Folder, Process, http::Request};

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
