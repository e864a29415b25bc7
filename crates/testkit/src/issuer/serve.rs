//! The issuer's two pages: the discovery document and the keys.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use super::{Desk, Mood, key::Key};

pub(super) async fn serve(listener: TcpListener, desk: Arc<Mutex<Desk>>) {
    // They end with this future.
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(answer(stream, desk.clone()));
    }
}

async fn answer(stream: TcpStream, desk: Arc<Mutex<Desk>>) -> std::io::Result<()> {
    let url = format!("http://{}", stream.local_addr()?);
    let mut stream = BufReader::new(stream);
    let mut first = String::new();
    stream.read_line(&mut first).await?;
    let mut head = first.clone();
    while stream.read_line(&mut head).await? > 2 {}
    desk.lock().unwrap_or_else(PoisonError::into_inner).heads.push(head);
    let (status, kind, body) = if first.contains("/.well-known/openid-configuration") {
        (200, "application/json", json!({ "issuer": url, "jwks_uri": format!("{url}/keys") }).to_string())
    } else {
        match page(&desk) {
            Some(page) => page,
            None => return std::future::pending().await,
        }
    };
    let head = format!(
        "HTTP/1.1 {status} So\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nLocation: {url}/elsewhere\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await?;
    stream.flush().await
}

/// The answer to who asks for keys; `None` for none at all.
fn page(desk: &Mutex<Desk>) -> Option<(u16, &'static str, String)> {
    let mut desk = desk.lock().unwrap_or_else(PoisonError::into_inner);
    desk.fetches += 1;
    let mut keys: Vec<_> = desk.keys.iter().map(Key::public).collect();
    keys.extend(desk.strangers.iter().cloned());
    let keys = json!({ "keys": keys }).to_string();
    let json = "application/json";
    match desk.mood {
        Mood::Well => Some((200, json, keys)),
        Mood::Status(status) => Some((status, json, String::new())),
        Mood::Redirect => Some((302, json, keys)),
        Mood::Html => Some((200, "text/html", "<html><body>Sorry!</body></html>".into())),
        Mood::Empty => Some((200, json, json!({ "keys": [] }).to_string())),
        Mood::Huge => Some((200, json, format!("{}{keys}", " ".repeat(10 << 20)))),
        Mood::Never => None,
    }
}
