//! What a call may say before its reply: progress and log messages.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Severity of a log message, as in syslog; later is worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names are those of RFC 5424")]
pub enum Level {
    Debug,
    Info,
    Notice,
    Warning,
    Error,
    Critical,
    Alert,
    Emergency,
}

/// One thing said before the reply.
#[derive(Clone, Debug, PartialEq)]
pub enum Signal {
    /// How far the work is.
    Progress {
        /// Grows with each signal.
        progress: f64,
        /// What `progress` grows towards, if known.
        total: Option<f64>,
        /// What is being done.
        message: Option<String>,
    },
    /// A message for whoever watches the client's log.
    Log {
        /// How bad it is.
        level: Level,
        /// Which part speaks.
        logger: Option<String>,
        /// Any JSON.
        data: Value,
    },
    /// The client may drop the connection now and fetch the rest later. Only some legacy clients can; others never notice.
    Pause,
}

/// Where signals go. Whoever made the call decides whether anybody listens.
#[derive(Clone, Debug, Default)]
pub struct Outlet(Option<Arc<tokio::sync::mpsc::Sender<Signal>>>);

impl Outlet {
    /// Signals go into `sender`; its capacity is the bound on how far a call can run ahead of a slow reader.
    #[must_use]
    pub fn new(sender: tokio::sync::mpsc::Sender<Signal>) -> Self {
        Self(Some(Arc::new(sender)))
    }

    /// Nobody listens.
    #[must_use]
    pub fn closed() -> Self {
        Self(None)
    }

    /// Says `signal` if anybody listens; waits while the reader is behind.
    pub async fn send(&self, signal: Signal) {
        if let Some(sender) = &self.0 {
            // A reader that has left is not the call's concern: the reply will not find it either.
            let _ = sender.send(signal).await;
        }
    }
}
