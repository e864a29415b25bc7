//! Bytes to a socket and bytes back, for requests that no client would send.

use std::{net::SocketAddr, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use callgate_testkit::http::Request;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

/// How long silence may last before it counts as all there is.
const SILENCE: Duration = Duration::from_millis(800);

/// What came back.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    pub(crate) bytes: Vec<u8>,
    /// The other side hung up.
    pub(crate) closed: bool,
}

impl Heard {
    /// The statuses of all answers in it, in their order.
    pub(crate) fn statuses(&self) -> Vec<u16> {
        let text = String::from_utf8_lossy(&self.bytes);
        text.match_indices("HTTP/1.").filter_map(|(at, _)| text.get(at + 9..at + 12)?.parse().ok()).collect()
    }
}

/// Sends all of it on one connection and hears what comes, until the other side hangs up or has nothing more to say.
pub(crate) async fn exchange(address: SocketAddr, bytes: &[u8]) -> anyhow::Result<Heard> {
    let mut stream = TcpStream::connect(address).await?;
    // Who is refused early may not take all of it.
    let _ = stream.write_all(bytes).await;
    Ok(hear(&mut stream).await)
}

/// What comes on this connection, until the other side hangs up or falls silent.
pub(crate) async fn hear(stream: &mut TcpStream) -> Heard {
    let mut heard = Heard::default();
    while let Ok(read) = timeout(SILENCE, stream.read_buf(&mut heard.bytes)).await {
        // A reset is a way to hang up.
        if read.unwrap_or(0) == 0 {
            heard.closed = true;
            break;
        }
    }
    heard
}

/// A request as it stands on the wire, with the connection kept.
pub(crate) fn bytes(request: &Request, address: SocketAddr) -> Vec<u8> {
    let mut head = format!("{} {} HTTP/1.1\r\n", request.method, request.path);
    let named = |name: &str| request.headers.iter().any(|(own, _)| own.eq_ignore_ascii_case(name));
    if !named("host") {
        head += &format!("Host: {address}\r\n");
    }
    if !request.body.is_empty() && !named("content-length") && !named("transfer-encoding") {
        head += &format!("Content-Length: {}\r\n", request.body.len());
    }
    for (name, value) in &request.headers {
        head += &format!("{name}: {value}\r\n");
    }
    [head.as_bytes(), b"\r\n", &request.body].concat()
}

/// A text as a header of MCP holds it: as it is, or in base64.
pub(crate) fn header(text: &str) -> String {
    if text.bytes().all(|byte| byte.is_ascii_graphic()) { text.to_owned() } else { format!("=?base64?{}?=", STANDARD.encode(text)) }
}
