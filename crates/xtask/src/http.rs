//! As much HTTP as it takes to see whether a server is alive.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    time::Duration,
};

use anyhow::{Context, Result};

/// A port of the loopback interface that nobody uses now.
pub(crate) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// The server at `port` answers `GET path` with 200.
pub(crate) fn answers(port: u16, path: &str) -> bool {
    get(port, path).is_ok_and(|reply| reply.starts_with("HTTP/1.1 200"))
}

fn get(port: u16, path: &str) -> Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n")?;
    let mut reply = String::new();
    stream.read_to_string(&mut reply)?;
    Ok(reply)
}

/// The body of the answer to a request; `head` is the method, the path, and further lines of the head.
pub(crate) fn body(port: u16, head: &str, body: &str) -> Result<String> {
    let (request, fields) = head.split_once("\r\n").map_or((head, String::new()), |(request, fields)| (request, format!("{fields}\r\n")));
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    // HTTP/1.0 knows no chunks, so that the body is what follows the head.
    write!(stream, "{request} HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\n{fields}Content-Length: {}\r\n\r\n{body}", body.len())?;
    let mut reply = String::new();
    stream.read_to_string(&mut reply)?;
    let (_, body) = reply.split_once("\r\n\r\n").context("an answer has a head")?;
    Ok(body.to_owned())
}
