//! A connection of HTTP/2, over which requests of many callers are under way at the same time.

use std::net::SocketAddr;

use anyhow::Context as _;
use bytes::Bytes;
use h2::client::{ResponseFuture, SendRequest, handshake};
use tokio::{net::TcpStream, task::JoinHandle, time::timeout};

use super::{Request, Whole};
use crate::PATIENCE;

/// An open connection. It ends with the value.
#[derive(Debug)]
pub struct Multiplexed {
    address: SocketAddr,
    streams: SendRequest<Bytes>,
    driving: JoinHandle<Result<(), h2::Error>>,
}

impl Multiplexed {
    /// Opens one, without asking first whether HTTP/2 is spoken.
    pub async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        timeout(PATIENCE, async {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            let (streams, connection) = handshake(stream).await?;
            Ok(Self { address, streams, driving: tokio::spawn(connection) })
        })
        .await
        .context("no connection")?
    }

    /// Sends all requests at once, each on a stream of its own, and reads their answers as they come; they are given in the order of the
    /// requests.
    pub async fn send_all(&mut self, requests: &[&Request]) -> anyhow::Result<Vec<Whole>> {
        timeout(PATIENCE, self.exchange(requests)).await.context("no answer")?
    }

    async fn exchange(&mut self, requests: &[&Request]) -> anyhow::Result<Vec<Whole>> {
        let mut under_way = Vec::with_capacity(requests.len());
        for request in requests {
            self.streams = self.streams.clone().ready().await?;
            let (answer, mut body) = self.streams.send_request(self.head(request)?, request.body.is_empty())?;
            if !request.body.is_empty() {
                body.send_data(request.body.clone().into(), true)?;
            }
            under_way.push(tokio::spawn(read(answer)));
        }
        let mut answers = Vec::with_capacity(requests.len());
        for answer in under_way {
            answers.push(answer.await??);
        }
        Ok(answers)
    }

    fn head(&self, request: &Request) -> anyhow::Result<http::Request<()>> {
        let uri = format!("http://{}{}", self.address, request.path);
        let mut head = http::Request::builder().method(request.method.as_str()).uri(uri);
        for (name, value) in &request.headers {
            head = head.header(name, value);
        }
        Ok(head.body(())?)
    }
}

async fn read(answer: ResponseFuture) -> anyhow::Result<Whole> {
    let (head, mut rest) = answer.await?.into_parts();
    let mut body = Vec::new();
    while let Some(piece) = rest.data().await {
        let piece = piece?;
        rest.flow_control().release_capacity(piece.len())?;
        body.extend_from_slice(&piece);
    }
    Ok(Whole { status: head.status.as_u16(), body })
}

impl Drop for Multiplexed {
    fn drop(&mut self) {
        self.driving.abort();
    }
}
