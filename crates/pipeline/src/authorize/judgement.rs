//! What was decided about one call.

use std::sync::{Arc, Mutex, PoisonError};

use callgate_model::Fault;

use super::standing::Standing;

/// Who the caller is to this gate, and which rule decided. Lives as long as the call.
#[derive(Debug)]
pub(crate) struct Judgement {
    pub(super) standing: Arc<Standing>,
    reason: Mutex<Option<Arc<str>>>,
    refused: Option<Box<Fault>>,
}

impl Judgement {
    pub(crate) fn new(standing: Arc<Standing>) -> Self {
        Self { standing, reason: Mutex::default(), refused: None }
    }

    /// The same for a call that may have been refused before it came to the gate.
    pub(crate) fn refused(self, fault: Option<Box<Fault>>) -> Self {
        Self { refused: fault, ..self }
    }

    /// Why the call was refused before it came to the gate. It is put on record and goes no further.
    pub(crate) fn refusal(&self) -> Option<&Fault> {
        self.refused.as_deref()
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
