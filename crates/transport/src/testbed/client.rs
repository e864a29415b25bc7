//! An HTTP client that does what it is told, right or wrong: it sends text and reads answers piece by piece.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinHandle,
    time::timeout,
};

use super::Script;
use crate::{Config, Drained, http, tls::Tls};

/// No answer of a test takes longer.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// A gate that listens on loopback.
pub(crate) struct Site {
    pub(crate) script: Arc<Script>,
    pub(crate) address: std::net::SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    serving: JoinHandle<std::io::Result<Drained>>,
}

impl Site {
    pub(crate) async fn open(config: &Config) -> Self {
        Self::of(Script::new(), config, None).await
    }

    /// A site that asks everyone who they are.
    pub(crate) async fn guarded(config: &Config) -> Self {
        Self::of(Script::guarded(), config, None).await
    }

    /// A site that follows this script, by TLS if there is one.
    pub(crate) async fn of(script: Arc<Script>, config: &Config, tls: Option<Tls>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (stop, stopped) = oneshot::channel::<()>();
        let (gateway, config) = (script.clone(), config.clone());
        let serving = tokio::spawn(async move {
            let shutdown = async {
                let _ = stopped.await;
            };
            http::serve(listener, gateway, &config, tls, shutdown).await
        });
        Self { script, address, stop: Some(stop), serving }
    }

    pub(crate) fn stop(&mut self) {
        self.stop.take();
    }

    pub(crate) async fn drained(self) -> Drained {
        drop(self.stop);
        timeout(PATIENCE, self.serving).await.expect("in time").expect("no panic").expect("no error")
    }

    pub(crate) async fn connect(&self) -> Connection {
        Connection::of(TcpStream::connect(self.address).await.expect("a connection"))
    }

    /// One request on a connection of its own.
    pub(crate) async fn send(&self, request: &str) -> Answer {
        let mut connection = self.connect().await;
        connection.send(request).await;
        connection.whole().await
    }
}

/// One connection.
pub(crate) struct Connection {
    stream: Box<dyn Stream>,
    read: Vec<u8>,
}

/// What bytes go over, both ways.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// Status and headers.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
}

impl Head {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) head: Head,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// `200`, `400 -32602`, or `200 isError`: what a client decides by.
    pub(crate) fn short(&self) -> String {
        let status = self.head.status;
        let Ok(body) = serde_json::from_str::<Value>(&self.body) else { return status.to_string() };
        match (&body["error"]["code"], &body["result"]["isError"]) {
            (Value::Number(code), _) => format!("{status} {code}"),
            (_, Value::Bool(true)) => format!("{status} isError"),
            _ => status.to_string(),
        }
    }
}

impl Connection {
    /// A connection over `stream`.
    pub(crate) fn of(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> Self {
        Self { stream: Box::new(stream), read: Vec::new() }
    }

    /// Sends `request`; line ends are put right, and a body gets its length unless the request says something about it.
    pub(crate) async fn send(&mut self, request: &str) {
        let (head, body) = request.split_once("\n\n").unwrap_or((request, ""));
        let mut text = head.trim_end().replace('\n', "\r\n");
        let lower = head.to_ascii_lowercase();
        if !lower.contains("content-length:") && !lower.contains("transfer-encoding:") {
            text.push_str(&format!("\r\ncontent-length: {}", body.len()));
        }
        text.push_str("\r\n\r\n");
        text.push_str(body);
        self.raw(text.as_bytes()).await;
    }

    pub(crate) async fn raw(&mut self, bytes: &[u8]) {
        // The gate may have hung up already; the answer says so.
        let _ = self.stream.write_all(bytes).await;
        let _ = self.stream.flush().await;
    }

    async fn more(&mut self) -> usize {
        let read = timeout(PATIENCE, self.stream.read_buf(&mut self.read)).await.expect("the gate says something in time");
        read.unwrap_or(0)
    }

    async fn until(&mut self, mark: &str) -> Option<String> {
        loop {
            if let Some(at) = self.read.windows(mark.len()).position(|window| window == mark.as_bytes()) {
                let text = String::from_utf8(self.read.drain(..at).collect()).expect("text");
                self.read.drain(..mark.len());
                return Some(text);
            }
            if self.more().await == 0 {
                return None;
            }
        }
    }

    async fn exactly(&mut self, length: usize) -> String {
        while self.read.len() < length {
            assert!(self.more().await > 0, "the body broke off");
        }
        String::from_utf8(self.read.drain(..length).collect()).expect("text")
    }

    /// Waits until the gate has hung up.
    pub(crate) async fn closed(&mut self) {
        while self.more().await > 0 {}
    }

    /// Waits until these bytes come; `false` if the gate hung up before.
    pub(crate) async fn hears(&mut self, bytes: &[u8]) -> bool {
        while !self.read.windows(bytes.len()).any(|window| window == bytes) {
            if self.more().await == 0 {
                return false;
            }
        }
        true
    }

    /// Status and headers; `None` if the gate hung up.
    pub(crate) async fn head(&mut self) -> Option<Head> {
        let head = self.until("\r\n\r\n").await?;
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|status| status.parse().ok()).expect("a status");
        let headers = lines.filter_map(|line| line.split_once(": ")).map(|(key, value)| (key.to_ascii_lowercase(), value.into())).collect();
        Some(Head { status, headers })
    }

    /// The next chunk; `None` after the last.
    pub(crate) async fn chunk(&mut self) -> Option<String> {
        let length = usize::from_str_radix(&self.until("\r\n").await?, 16).expect("a length");
        let chunk = self.exactly(length).await;
        self.until("\r\n").await?;
        (length > 0).then_some(chunk)
    }

    /// The next event that says something; `None` at the end of the stream. Gives its fields as they came.
    pub(crate) async fn event(&mut self) -> Option<String> {
        // Comments that keep the stream alive are no answer.
        let event = async {
            loop {
                let chunk = self.chunk().await?;
                if !chunk.starts_with(':') {
                    return Some(chunk.trim_end().to_owned());
                }
            }
        };
        timeout(PATIENCE, event).await.expect("the gate says something in time")
    }

    /// The message of the next event.
    pub(crate) async fn message(&mut self) -> Option<Value> {
        let event = self.event().await?;
        let data = event.lines().find_map(|line| line.strip_prefix("data: "));
        Some(data.map_or_else(|| json!(event), |data| serde_json::from_str(data).expect("JSON on one line")))
    }

    /// All messages that are still to come.
    pub(crate) async fn messages(&mut self) -> Vec<Value> {
        let mut messages = Vec::new();
        while let Some(message) = self.message().await {
            messages.push(message);
        }
        messages
    }

    /// The rest of an answer whose length is known, or of a stream.
    pub(crate) async fn whole(&mut self) -> Answer {
        let Some(head) = self.head().await else {
            return Answer { head: Head { status: 0, headers: Vec::new() }, body: String::new() };
        };
        let body = match head.header("content-length") {
            Some(length) => self.exactly(length.parse().expect("a length")).await,
            None if head.header("transfer-encoding").is_some() => {
                let mut body = String::new();
                while let Some(chunk) = self.chunk().await {
                    body.push_str(&chunk);
                }
                body
            }
            None => String::new(),
        };
        Answer { head, body }
    }
}
