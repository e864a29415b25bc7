//! HTTP/1.1 as far as a load generator needs it: one request out, one reply in, on a connection that stays open.

use std::net::SocketAddr;

use anyhow::{Context, Result, bail, ensure};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// One call, ready to be sent as it is.
pub(crate) struct Ask {
    /// Whom it is about.
    pub(crate) id: String,
    bytes: Vec<u8>,
}

impl Ask {
    /// A call of `tool` in the modern era, with all headers that the era asks for.
    pub(crate) fn new(server: SocketAddr, tool: &str, key: Option<&str>, id: &str) -> Self {
        let revision = "2026-07-28";
        let body = json!({
            "jsonrpc": "2.0",
            "id": 1,
            "method": "tools/call",
            "params": {
                "name": tool,
                "arguments": { "customer_id": id },
                "_meta": {
                    "io.modelcontextprotocol/protocolVersion": revision,
                    "io.modelcontextprotocol/clientInfo": { "name": "bench", "version": "1.0.0" },
                    "io.modelcontextprotocol/clientCapabilities": {}
                }
            }
        })
        .to_string();
        let key = key.map_or_else(String::new, |key| format!("Authorization: Bearer {key}\r\n"));
        let bytes = format!(
            "POST /mcp HTTP/1.1\r\nHost: {server}\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\n\
             MCP-Protocol-Version: {revision}\r\nMcp-Method: tools/call\r\nMcp-Name: {tool}\r\n{key}Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        Self { id: id.to_owned(), bytes: bytes.into_bytes() }
    }
}

/// A connection.
pub(crate) struct Client {
    stream: TcpStream,
    /// What was read and not used yet.
    buffer: Vec<u8>,
}

impl Client {
    pub(crate) async fn connect(server: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(server).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(16 * 1024) })
    }

    /// Sends a call; the body of the reply.
    pub(crate) async fn call(&mut self, ask: &Ask) -> Result<String> {
        self.stream.write_all(&ask.bytes).await?;
        let head = self.through(b"\r\n\r\n").await?.to_ascii_lowercase();
        ensure!(head.starts_with("http/1.1 200"), "{head}");
        match header(&head, "content-length") {
            Some(length) => self.take(length.parse()?).await,
            None if header(&head, "transfer-encoding") == Some("chunked") => self.chunks().await,
            None => bail!("a reply without a length: {head}"),
        }
    }

    async fn chunks(&mut self) -> Result<String> {
        let mut body = String::new();
        loop {
            let line = self.through(b"\r\n").await?;
            let length = usize::from_str_radix(line.trim(), 16).context("the length of a chunk")?;
            let chunk = self.take(length + 2).await?;
            if length == 0 {
                return Ok(body);
            }
            body.push_str(&chunk[..length]);
        }
    }

    /// Everything up to and with `end`.
    async fn through(&mut self, end: &[u8]) -> Result<String> {
        loop {
            if let Some(at) = self.buffer.windows(end.len()).position(|window| window == end) {
                return self.take(at + end.len()).await;
            }
            self.more().await?;
        }
    }

    async fn take(&mut self, length: usize) -> Result<String> {
        while self.buffer.len() < length {
            self.more().await?;
        }
        let rest = self.buffer.split_off(length);
        Ok(String::from_utf8(std::mem::replace(&mut self.buffer, rest))?)
    }

    async fn more(&mut self) -> Result<()> {
        let read = self.stream.read_buf(&mut self.buffer).await?;
        ensure!(read > 0, "the server closed the connection");
        Ok(())
    }
}

/// A header's value; names and values are in lower case.
fn header<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    head.lines().filter_map(|line| line.split_once(':')).find(|(found, _)| *found == name).map(|(_, value)| value.trim())
}
