//! An identity provider that does what the test says: it publishes keys, signs whatever it is given, and answers well or badly.

mod key;
mod serve;

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::Context as _;
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

pub use self::key::{Key, encode};

/// How the issuer answers when it is asked for its keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mood {
    /// With its keys.
    #[default]
    Well,
    /// With this status and no body.
    Status(u16),
    /// With a redirect to its keys.
    Redirect,
    /// With a page for people.
    Html,
    /// With a set without keys.
    Empty,
    /// With ten megabytes.
    Huge,
    /// Not at all: the connection stays open.
    Never,
}

/// A running issuer on a loopback port. It stops with the value.
#[derive(Debug)]
pub struct Issuer {
    address: SocketAddr,
    desk: Arc<Mutex<Desk>>,
    serving: JoinHandle<()>,
}

/// What the issuer knows.
#[derive(Debug, Default)]
struct Desk {
    keys: Vec<Key>,
    mood: Mood,
    fetches: usize,
    /// The heads of the requests, as text.
    heads: Vec<String>,
    /// What stands among the keys besides.
    strangers: Vec<Value>,
}

impl Issuer {
    /// Starts an issuer that publishes these keys.
    pub async fn start(keys: Vec<Key>) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.context("no port for an issuer")?;
        let address = listener.local_addr()?;
        let desk = Arc::new(Mutex::new(Desk { keys, ..Desk::default() }));
        let serving = tokio::spawn(serve::serve(listener, desk.clone()));
        Ok(Self { address, desk, serving })
    }

    /// What its tokens say in `iss`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The heads of all requests so far.
    #[must_use]
    pub fn heads(&self) -> Vec<String> {
        self.desk().heads.clone()
    }

    /// How often its keys were asked for.
    #[must_use]
    pub fn fetches(&self) -> usize {
        self.desk().fetches
    }

    /// From now on it answers like this.
    pub fn answer(&self, mood: Mood) {
        self.desk().mood = mood;
    }

    /// From now on it publishes these keys.
    pub fn publish(&self, keys: Vec<Key>) {
        self.desk().keys = keys;
    }

    /// From now on it publishes this as well, whatever it is.
    pub fn publish_also(&self, stranger: Value) {
        self.desk().strangers.push(stranger);
    }

    /// Claims that are good at `now` (seconds) and for five minutes.
    #[must_use]
    pub fn claims(&self, audience: &str, subject: &str, now: i64) -> Value {
        json!({ "iss": self.url(), "aud": audience, "sub": subject, "iat": now, "exp": now + 300 })
    }

    fn desk(&self) -> std::sync::MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}
