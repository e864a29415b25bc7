//! Permits that calls within calls cannot starve each other of.
//!
//! A call that waits for a call it made, while both need a permit from the same semaphore, may wait forever: all permits can be
//! held by callers. So there is one semaphore per depth. A call waits only for calls of its own depth, those only for deeper
//! ones, and the deepest for nobody; hence somebody always moves on. The price: the bound holds per depth.

use std::sync::{Arc, OnceLock};

use tokio::sync::Semaphore;

/// How many depths below the first have a semaphore of their own; the model lets calls go no deeper.
const DEEPER: usize = 4;

/// Semaphores of one size, one per depth. Those for calls within calls are made when the first such call comes.
#[derive(Debug)]
pub(crate) struct Lanes {
    size: usize,
    first: Arc<Semaphore>,
    deeper: OnceLock<[Arc<Semaphore>; DEEPER]>,
}

impl Lanes {
    pub(crate) fn new(size: usize) -> Self {
        let size = size.clamp(1, Semaphore::MAX_PERMITS);
        Self { size, first: Arc::new(Semaphore::new(size)), deeper: OnceLock::new() }
    }

    /// The semaphore for calls of this depth.
    pub(crate) fn at(&self, depth: u8) -> &Arc<Semaphore> {
        let Some(deeper) = usize::from(depth).checked_sub(1) else { return &self.first };
        let lanes = self.deeper.get_or_init(|| std::array::from_fn(|_| Arc::new(Semaphore::new(self.size))));
        &lanes[deeper.min(DEEPER - 1)]
    }

    /// How many permits are taken, in all lanes.
    pub(crate) fn taken(&self) -> usize {
        let deeper = self.deeper.get().into_iter().flatten();
        std::iter::once(&self.first).chain(deeper).map(|lane| self.size - lane.available_permits()).sum()
    }
}
