//! News about what is on offer, for clients that asked to hear of it.

use std::sync::Arc;

use tokio::sync::broadcast;

/// How many notices a slow listener may lag behind before it is told that it missed some.
const BACKLOG: usize = 256;

/// One thing that changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The list of tools.
    Tools,
    /// The list of prompts.
    Prompts,
    /// The lists of resources and of resource templates.
    Resources,
    /// What reading this URI gives to callers of this tenant. What one tenant does is no news to another, even if both read the same.
    Resource {
        /// Whose callers may be told.
        tenant: Arc<str>,
        /// What changed.
        uri: String,
    },
}

/// The board on which changes are announced. Clones share it. The default is no board: what is announced there nobody hears.
#[derive(Clone, Debug, Default)]
pub struct Notices(Option<broadcast::Sender<Change>>);

impl Notices {
    /// An empty board.
    #[must_use]
    pub fn new() -> Self {
        Self(Some(broadcast::Sender::new(BACKLOG)))
    }

    /// Tells everyone who listens.
    pub fn announce(&self, change: Change) {
        if let Some(board) = &self.0 {
            // An error only means that nobody listens.
            let _ = board.send(change);
        }
    }

    /// Listens from now on. Without a board there is never anything to hear.
    #[must_use]
    pub fn listen(&self) -> broadcast::Receiver<Change> {
        self.0.as_ref().map_or_else(|| broadcast::Sender::new(1).subscribe(), broadcast::Sender::subscribe)
    }
}
