//! News about what is on offer, for clients that asked to hear of it.

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
    /// What reading this URI gives.
    Resource(String),
}

/// The board on which changes are announced. Clones share it.
#[derive(Clone, Debug)]
pub struct Notices(broadcast::Sender<Change>);

impl Notices {
    /// An empty board.
    #[must_use]
    pub fn new() -> Self {
        Self(broadcast::Sender::new(BACKLOG))
    }

    /// Tells everyone who listens.
    pub fn announce(&self, change: Change) {
        // An error only means that nobody listens.
        let _ = self.0.send(change);
    }

    /// Listens from now on.
    #[must_use]
    pub fn listen(&self) -> broadcast::Receiver<Change> {
        self.0.subscribe()
    }
}

impl Default for Notices {
    fn default() -> Self {
        Self::new()
    }
}
