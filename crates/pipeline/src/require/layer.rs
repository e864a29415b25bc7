//! The layer.

use std::sync::Arc;

use async_trait::async_trait;
use callgate_model::{Call, Fault, Reply};

use crate::{
    Error,
    authorize::Authority,
    layer::{Layer, Next, Opening},
};

struct Require {
    authority: Arc<Authority>,
}

pub(crate) fn open(opening: &mut Opening<'_>) -> Result<Box<dyn Layer>, Error> {
    Ok(Box::new(Require { authority: opening.authority.clone() }))
}

#[async_trait]
impl Layer for Require {
    async fn call(&self, call: &Call, next: Next<'_>) -> Result<Reply, Fault> {
        self.authority.meet(call, next.ticket().tool, next.judgement())?;
        next.run(call).await
    }
}
