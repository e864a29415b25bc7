//! What was decided about one call.

use std::sync::{Arc, Mutex, PoisonError};

use super::standing::Standing;

/// Who the caller is to this gate, and which rule decided. Lives as long as the call.
#[derive(Debug)]
pub(crate) struct Judgement {
    pub(super) standing: Arc<Standing>,
    reason: Mutex<Option<Arc<str>>>,
}

impl Judgement {
    pub(crate) fn new(standing: Arc<Standing>) -> Self {
        Self { standing, reason: Mutex::default() }
    }

    /// The same caller, nothing decided yet.
    pub(crate) fn renewed(&self) -> Self {
        Self::new(self.standing.clone())
    }

    /// Notes which rule decided; of several the last has decided.
    pub(crate) fn note(&self, reason: Arc<str>) {
        // A panic in here leaves the slot as it was.
        *self.reason.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason);
    }

    /// Which rule decided, for the record; `None` if none was asked.
    pub(crate) fn reason(&self) -> Option<Arc<str>> {
        self.reason.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
