//! A connection that stays open, so that requests of many callers can go over one.

use std::net::SocketAddr;

use anyhow::Context as _;
use serde_json::Value;
use tokio::{
    io::{AsyncWriteExt as _, BufReader},
    net::TcpStream,
    time::timeout,
};

use super::{Answer, Request};
use crate::PATIENCE;

/// An open connection.
#[derive(Debug)]
pub struct Connection {
    address: SocketAddr,
    stream: BufReader<TcpStream>,
}

/// An answer that was read to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whole {
    /// The status code.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

impl Whole {
    /// The body as JSON.
    pub fn json(&self) -> anyhow::Result<Value> {
        serde_json::from_slice(&self.body).with_context(|| format!("`{}` is no JSON", String::from_utf8_lossy(&self.body)))
    }
}

impl Connection {
    /// Opens one.
    pub async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = timeout(PATIENCE, TcpStream::connect(address)).await.context("no connection")??;
        stream.set_nodelay(true)?;
        Ok(Self { address, stream: BufReader::new(stream) })
    }

    /// Sends a request and reads its answer. After an error, or if this is dropped halfway, the connection is of no more use.
    pub async fn send(&mut self, request: &Request) -> anyhow::Result<Whole> {
        let mut answers = self.send_all(&[request]).await?;
        answers.pop().context("no answer")
    }

    /// Sends requests one behind the other without waiting, and reads their answers, which come in the same order.
    pub async fn send_all(&mut self, requests: &[&Request]) -> anyhow::Result<Vec<Whole>> {
        timeout(PATIENCE, self.exchange(requests)).await.context("no answer")?
    }

    async fn exchange(&mut self, requests: &[&Request]) -> anyhow::Result<Vec<Whole>> {
        let bytes: Vec<u8> = requests.iter().flat_map(|request| request.bytes(self.address, "")).collect();
        self.stream.write_all(&bytes).await?;
        let mut answers = Vec::with_capacity(requests.len());
        for _ in requests {
            let mut answer = Answer::read(&mut self.stream).await?;
            while answer.more().await? {}
            answers.push(Whole { status: answer.status, body: answer.buffer });
        }
        Ok(answers)
    }
}
