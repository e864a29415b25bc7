//! The layer.

use std::sync::Arc;

use async_trait::async_trait;
use callgate_model::{Call, Fault, Reply};

use super::Circuits;
use crate::{
    Error,
    layer::{Layer, Next, Opening},
};

struct CircuitBreaker {
    circuits: Arc<Circuits>,
}

pub(crate) fn open(opening: &mut Opening<'_>) -> Result<Box<dyn Layer>, Error> {
    Ok(Box::new(CircuitBreaker { circuits: opening.circuits.clone() }))
}

#[async_trait]
impl Layer for CircuitBreaker {
    async fn call(&self, call: &Call, next: Next<'_>) -> Result<Reply, Fault> {
        if let Some(backend) = next.ticket().backend {
            self.circuits.ask(backend)?;
        }
        next.run(call).await
    }
}
