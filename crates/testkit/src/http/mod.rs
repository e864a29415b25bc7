//! A raw HTTP/1.1 client: nothing added that the test did not say but `Host` and the length. Usually there is one connection per
//! request; a [`Connection`] stays open, and a [`Multiplexed`] one speaks HTTP/2.

mod connection;
mod multiplexed;

use std::net::SocketAddr;

use anyhow::{Context as _, bail};
use serde_json::Value;
use tokio::{
    io::{AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
    time::timeout,
};

pub use self::{
    connection::{Connection, Whole},
    multiplexed::Multiplexed,
};
use crate::PATIENCE;

/// A request. `Host` is the address unless a header says otherwise.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// `GET`, `POST`, …
    pub method: String,
    /// With its leading slash.
    pub path: String,
    /// In the order in which they are sent.
    pub headers: Vec<(String, String)>,
    /// Empty for none.
    pub body: Vec<u8>,
}

impl Request {
    /// A request without a body.
    #[must_use]
    pub fn new(method: &str, path: &str) -> Self {
        Self { method: method.into(), path: path.into(), ..Self::default() }
    }

    /// A `POST` of JSON that accepts JSON and event streams, as MCP clients send it.
    #[must_use]
    pub fn post(path: &str, body: &Value) -> Self {
        let request = Self { body: body.to_string().into_bytes(), ..Self::new("POST", path) };
        request.header("Content-Type", "application/json").header("Accept", "application/json, text/event-stream")
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sends it to `address` and reads the head of the answer. Dropping the answer hangs up.
    pub async fn send(&self, address: SocketAddr) -> anyhow::Result<Answer> {
        timeout(PATIENCE, self.exchange(address)).await.context("no answer")?
    }

    async fn exchange(&self, address: SocketAddr) -> anyhow::Result<Answer> {
        let mut stream = TcpStream::connect(address).await.with_context(|| format!("cannot connect to {address}"))?;
        stream.write_all(&self.bytes(address, "Connection: close\r\n")).await?;
        Answer::read(BufReader::new(stream)).await
    }

    /// The request as it is sent, with one more line in its head.
    fn bytes(&self, address: SocketAddr, line: &str) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.path);
        let named = |name: &str| self.headers.iter().any(|(own, _)| own.eq_ignore_ascii_case(name));
        if !named("host") {
            head += &format!("Host: {address}\r\n");
        }
        if !self.body.is_empty() && !named("content-length") {
            head += &format!("Content-Length: {}\r\n", self.body.len());
        }
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        [head.as_bytes(), line.as_bytes(), b"\r\n", &self.body].concat()
    }
}

/// An answer whose body is still to be read from its connection.
#[derive(Debug)]
pub struct Answer<S = BufReader<TcpStream>> {
    /// The status code.
    pub status: u16,
    /// The headers in the order in which they came; names in lower case.
    pub headers: Vec<(String, String)>,
    stream: S,
    left: Left,
    /// Decoded bytes that have not been given out.
    buffer: Vec<u8>,
}

/// How the rest of the body is delimited.
#[derive(Debug)]
enum Left {
    Bytes(usize),
    Chunks,
    UntilClose,
    Nothing,
}

impl<S: AsyncBufRead + Unpin> Answer<S> {
    async fn read(mut stream: S) -> anyhow::Result<Self> {
        let line = line(&mut stream).await?;
        let status = line.split(' ').nth(1).and_then(|code| code.parse().ok());
        let status = status.with_context(|| format!("`{line}` is no status line"))?;
        let mut headers = Vec::new();
        loop {
            let line = self::line(&mut stream).await?;
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(':').with_context(|| format!("`{line}` is no header"))?;
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let mut answer = Self { status, headers, stream, left: Left::UntilClose, buffer: Vec::new() };
        answer.left = match (answer.header("transfer-encoding"), answer.header("content-length")) {
            _ if matches!(status, 204 | 304) => Left::Nothing,
            (Some("chunked"), _) => Left::Chunks,
            (_, Some(length)) => Left::Bytes(length.parse()?),
            _ => Left::UntilClose,
        };
        Ok(answer)
    }

    /// The value of a header; the name in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// The whole body.
    pub async fn body(mut self) -> anyhow::Result<Vec<u8>> {
        timeout(PATIENCE, async {
            while self.more().await? {}
            anyhow::Ok(())
        })
        .await
        .context("the body does not end")??;
        Ok(self.buffer)
    }

    /// The whole body as text.
    pub async fn text(self) -> anyhow::Result<String> {
        Ok(String::from_utf8(self.body().await?)?)
    }

    /// The reply in the body: the JSON itself, or the last message of an event stream.
    pub async fn json(self) -> anyhow::Result<Value> {
        let stream = self.header("content-type").is_some_and(|kind| kind.starts_with("text/event-stream"));
        if !stream {
            let body = self.text().await?;
            return serde_json::from_str(&body).with_context(|| format!("`{body}` is no JSON"));
        }
        let mut answer = self;
        let mut last = None;
        while let Some(event) = answer.event().await? {
            if !event.data.is_empty() {
                last = Some(serde_json::from_str(&event.data)?);
            }
        }
        last.context("the stream had no message")
    }

    /// The next event of an event stream; `None` at its end. Comments are passed over.
    pub async fn event(&mut self) -> anyhow::Result<Option<Event>> {
        timeout(PATIENCE, self.next_event()).await.context("no event")?
    }

    async fn next_event(&mut self) -> anyhow::Result<Option<Event>> {
        loop {
            while let Some(end) = self.buffer.windows(2).position(|pair| pair == b"\n\n") {
                let block: Vec<u8> = self.buffer.drain(..end + 2).collect();
                let event = Event::parse(&String::from_utf8(block)?);
                if event != Event::default() {
                    return Ok(Some(event));
                }
            }
            if !self.more().await? {
                return Ok(None);
            }
        }
    }

    /// Reads another piece of the body; `false` at its end.
    async fn more(&mut self) -> anyhow::Result<bool> {
        match self.left {
            Left::Nothing | Left::Bytes(0) => Ok(false),
            Left::Bytes(left) => {
                let mut piece = vec![0; left.min(64 * 1024)];
                let read = self.stream.read(&mut piece).await?;
                if read == 0 {
                    bail!("the connection ended {left} bytes early");
                }
                self.buffer.extend(&piece[..read]);
                self.left = Left::Bytes(left - read);
                Ok(true)
            }
            Left::Chunks => {
                let size = usize::from_str_radix(line(&mut self.stream).await?.trim(), 16).context("no chunk size")?;
                let mut piece = vec![0; size];
                self.stream.read_exact(&mut piece).await?;
                self.buffer.extend(piece);
                line(&mut self.stream).await?;
                if size == 0 {
                    self.left = Left::Nothing;
                }
                Ok(size > 0)
            }
            Left::UntilClose => Ok(self.stream.read_buf(&mut self.buffer).await? > 0),
        }
    }
}

async fn line(stream: &mut (impl AsyncBufRead + Unpin)) -> anyhow::Result<String> {
    let mut line = String::new();
    if stream.read_line(&mut line).await? == 0 {
        bail!("the connection ended");
    }
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// One event of an event stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// `id:`
    pub id: Option<String>,
    /// `event:`
    pub name: Option<String>,
    /// `data:`, its lines joined.
    pub data: String,
    /// `retry:`
    pub retry: Option<String>,
}

impl Event {
    fn parse(block: &str) -> Self {
        let mut event = Self::default();
        let mut data = Vec::new();
        for line in block.lines() {
            let (field, value) = line.split_once(':').unwrap_or((line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                "id" => event.id = Some(value.into()),
                "event" => event.name = Some(value.into()),
                "retry" => event.retry = Some(value.into()),
                "data" => data.push(value),
                _ => {}
            }
        }
        event.data = data.join("\n");
        event
    }
}
