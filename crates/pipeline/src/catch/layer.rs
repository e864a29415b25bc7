//! The layer.

use std::panic::AssertUnwindSafe;

use async_trait::async_trait;
use callgate_model::{Call, Fault, Reply};
use futures_util::FutureExt as _;
use prometheus_client::metrics::counter::Counter;

use crate::{
    Error,
    layer::{Layer, Next, Opening},
};

struct Catch {
    panics: Counter,
}

pub(crate) fn open(opening: &mut Opening<'_>) -> Result<Box<dyn Layer>, Error> {
    let panics = Counter::default();
    opening.registry.register("mcp_panics", "Calls that ended in a panic", panics.clone());
    Ok(Box::new(Catch { panics }))
}

#[async_trait]
impl Layer for Catch {
    async fn call(&self, call: &Call, next: Next<'_>) -> Result<Reply, Fault> {
        // Checks are made when the rest is told to run, so that is done inside as well.
        let rest = async { next.run(call).await };
        // Unwind safety: the call's own state is dropped, and what calls share is behind locks and atomics.
        AssertUnwindSafe(rest).catch_unwind().await.unwrap_or_else(|_| {
            self.panics.inc();
            Err(Fault::internal("the call panicked; the panic hook has said where"))
        })
    }
}
