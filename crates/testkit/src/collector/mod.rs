//! A collector of traces that does what the test says: it takes OTLP over HTTP, reads it with the official definitions, and answers
//! well, badly or not at all.

mod serve;
mod tree;

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context as _, bail};
use tokio::{
    net::TcpListener,
    task::JoinHandle,
    time::{Instant, sleep},
};

pub use self::tree::Span;
use crate::PATIENCE;

/// How the collector answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mood {
    /// It takes what it gets.
    #[default]
    Well,
    /// With this status.
    Status(u16),
    /// Not at all: the connection stays open.
    Never,
}

/// A running collector on a loopback port. It stops with the value.
#[derive(Debug)]
pub struct Collector {
    address: SocketAddr,
    desk: Arc<Mutex<Desk>>,
    serving: JoinHandle<()>,
}

/// What the collector knows.
#[derive(Debug, Default)]
struct Desk {
    mood: Mood,
    requests: usize,
    /// The heads of the requests, as text.
    heads: Vec<String>,
    /// The bodies that were taken.
    bodies: Vec<Vec<u8>>,
}

impl Collector {
    /// Starts one.
    pub async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.context("no port for a collector")?;
        let address = listener.local_addr()?;
        let desk = Arc::new(Mutex::new(Desk::default()));
        let serving = tokio::spawn(serve::serve(listener, desk.clone()));
        Ok(Self { address, desk, serving })
    }

    /// Where it takes traces.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on it answers like this.
    pub fn answer(&self, mood: Mood) {
        self.desk().mood = mood;
    }

    /// How often it was asked.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.desk().requests
    }

    /// The heads of all requests so far.
    #[must_use]
    pub fn heads(&self) -> Vec<String> {
        self.desk().heads.clone()
    }

    /// Every byte it has taken so far.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        self.desk().bodies.concat()
    }

    /// All spans it has taken so far.
    pub fn spans(&self) -> anyhow::Result<Vec<Span>> {
        tree::spans(&self.desk().bodies)
    }

    /// Waits until it has taken a trace, and gives its spans. Those of one call come together.
    pub async fn trace(&self, id: &str) -> anyhow::Result<Vec<Span>> {
        let until = Instant::now() + PATIENCE;
        loop {
            let mut spans = self.spans()?;
            spans.retain(|span| span.trace == id);
            if !spans.is_empty() {
                return Ok(spans);
            }
            if Instant::now() >= until {
                bail!("no trace `{id}` came; it was asked {} times", self.requests());
            }
            sleep(Duration::from_millis(10)).await;
        }
    }

    fn desk(&self) -> std::sync::MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.serving.abort();
    }
}
