//! The layer.

use std::sync::Arc;

use async_trait::async_trait;
use callgate_model::{Call, Fault, Reply};

use super::Authority;
use crate::{
    Error,
    layer::{Layer, Next, Opening},
};

struct Authorize {
    authority: Arc<Authority>,
}

pub(crate) fn open(opening: &mut Opening<'_>) -> Result<Box<dyn Layer>, Error> {
    Ok(Box::new(Authorize { authority: opening.authority.clone() }))
}

#[async_trait]
impl Layer for Authorize {
    async fn call(&self, call: &Call, next: Next<'_>) -> Result<Reply, Fault> {
        self.authority.decide(call, next.ticket().tool, next.judgement())?;
        next.run(call).await
    }
}
