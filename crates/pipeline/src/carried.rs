//! What one gate hands to the gate that takes its place.
//!
//! Nobody gets anything back because a configuration was read again: a backend that is down stays down, and what was counted without
//! the other replicas stays counted. A call that kept failing is looked at again: it may be what the operator has mended. Quotas themselves, and kept replies that replicas share, are in
//! what replicas share, which all gates of a process have in common. What has other numbers now begins anew, and so does a backend that is
//! declared in another way: that one may be what the operator has mended.

use std::{fmt, sync::Arc};

use callgate_model::BackendName;
use callgate_store::shared::Memory;

use crate::circuit_breaker::Circuit;

/// State that outlives a configuration.
#[derive(Clone, Default)]
pub struct Carried {
    /// One for each backend.
    pub(crate) circuits: Vec<Standing>,
    /// What is counted while what replicas share is away.
    pub(crate) alone: Option<Arc<Memory>>,
}

/// A circuit, and which backend it is about.
#[derive(Clone)]
pub(crate) struct Standing {
    pub(crate) backend: BackendName,
    /// A digest of what is declared about the backend, if that is known.
    pub(crate) declared: Option<[u8; 32]>,
    pub(crate) circuit: Arc<Circuit>,
}

impl fmt::Debug for Carried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Carried").field("circuits", &self.circuits.len()).finish_non_exhaustive()
    }
}
