//! The layer.

use std::sync::Arc;

use callgate_model::{Call, Fault};

use super::Circuits;
use crate::{
    Error,
    layer::{Check, Next, Opening},
};

struct CircuitBreaker {
    circuits: Arc<Circuits>,
}

pub(crate) fn open(opening: &mut Opening<'_>) -> Result<Box<dyn Check>, Error> {
    Ok(Box::new(CircuitBreaker { circuits: opening.circuits.clone() }))
}

impl Check for CircuitBreaker {
    fn check(&self, _call: &Call, next: &Next<'_>) -> Result<(), Fault> {
        let Some(backend) = next.ticket().backend else { return Ok(()) };
        self.circuits.ask(backend).inspect_err(|_| next.note("callgate.breaker.state", "open"))
    }
}
