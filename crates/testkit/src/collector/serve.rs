//! The collector's side of the connection.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use super::{Desk, Mood};

pub(super) async fn serve(listener: TcpListener, desk: Arc<Mutex<Desk>>) {
    // Ends with this task.
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(connection(stream, desk.clone()));
    }
}

async fn connection(stream: TcpStream, desk: Arc<Mutex<Desk>>) {
    let mut stream = BufReader::new(stream);
    while let Ok((head, body)) = read(&mut stream).await {
        let mood = {
            let mut desk = desk.lock().unwrap_or_else(PoisonError::into_inner);
            desk.requests += 1;
            let is_right = head.starts_with("POST /v1/traces ") && head.contains("content-type: application/x-protobuf");
            desk.heads.push(head);
            let mood = if is_right { desk.mood } else { Mood::Status(404) };
            if mood == Mood::Well {
                desk.bodies.push(body);
            }
            mood
        };
        let status = match mood {
            Mood::Well => 200,
            Mood::Status(status) => status,
            Mood::Never => std::future::pending().await,
        };
        let answer = format!("HTTP/1.1 {status} -\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n");
        if stream.get_mut().write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// One request: its head in lower case but for the first line, and its body.
async fn read(stream: &mut BufReader<TcpStream>) -> anyhow::Result<(String, Vec<u8>)> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        anyhow::ensure!(stream.read_line(&mut head).await? > 0, "the connection ended");
    }
    let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length:").map(|length| length.trim().to_owned()));
    let mut body = vec![0; length.context("no length")?.parse()?];
    stream.read_exact(&mut body).await?;
    Ok((head, body))
}
