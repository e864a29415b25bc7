//! Listening to what replicas tell each other.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use tokio::sync::broadcast::{self, error::RecvError};

/// How many notices a listener may be behind before it has missed some.
const BEHIND: usize = 1024;

/// What a listener hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// A message.
    Message(Bytes),
    /// There may have been messages that this listener will never hear: the connection was lost and is back, or it was too slow.
    Missed,
}

/// One listener on one channel.
pub struct Subscription {
    notices: broadcast::Receiver<Notice>,
    /// So that the channel outlives whoever opened it, and `next` waits instead of failing.
    _channel: broadcast::Sender<Notice>,
}

impl Subscription {
    /// The next notice. Dropping the future loses none.
    pub async fn next(&mut self) -> Notice {
        match self.notices.recv().await {
            Ok(notice) => notice,
            Err(RecvError::Lagged(_)) => Notice::Missed,
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Subscription")
    }
}

/// All channels that somebody has listened to.
#[derive(Clone, Debug, Default)]
pub(super) struct Channels(Arc<Mutex<HashMap<String, broadcast::Sender<Notice>>>>);

impl Channels {
    /// Listens to a channel.
    pub(super) fn subscribe(&self, channel: &str) -> Subscription {
        let sender = self.lock().entry(channel.to_owned()).or_insert_with(|| broadcast::channel(BEHIND).0).clone();
        Subscription { notices: sender.subscribe(), _channel: sender }
    }

    /// Tells everybody who listens to a channel.
    pub(super) fn tell(&self, channel: &str, message: Bytes) {
        if let Some(sender) = self.lock().get(channel) {
            // That nobody listens any more is fine.
            let _ = sender.send(Notice::Message(message));
        }
    }

    /// Tells everybody who listens to a channel that they may have missed something.
    pub(super) fn miss(&self, channel: &str) {
        if let Some(sender) = self.lock().get(channel) {
            let _ = sender.send(Notice::Missed);
        }
    }

    /// The names of all channels that somebody has listened to.
    pub(super) fn names(&self) -> Vec<String> {
        self.lock().keys().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, broadcast::Sender<Notice>>> {
        // Nothing under this lock can panic halfway through a change.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
