//! The layer.

use std::sync::Arc;

use async_trait::async_trait;
use callgate_model::{Call, Effect, Fault, Kind, Reply};

use crate::{
    Error,
    gate::Running,
    layer::{Layer, Next, Opening},
};

struct Door {
    running: Arc<Running>,
}

pub(crate) fn open(opening: &mut Opening<'_>) -> Result<Box<dyn Layer>, Error> {
    Ok(Box::new(Door { running: opening.running.clone() }))
}

#[async_trait]
impl Layer for Door {
    async fn call(&self, call: &Call, next: Next<'_>) -> Result<Reply, Fault> {
        if call.depth == 0 && self.running.is_closing() {
            return Err(closing());
        }
        tokio::select! {
            biased;
            result = next.run(call) => result,
            () = self.running.cancelled() => Err(cut_off(call)),
        }
    }
}

/// The refusal of a call that has not begun.
pub(crate) fn closing() -> Fault {
    Fault::new(Kind::Unavailable, "this server is closing: nothing was done, so try again in a moment")
}

fn cut_off(call: &Call) -> Fault {
    let writes = call.found.tool().is_some_and(|tool| tool.effect != Effect::Read);
    if writes {
        Fault::unclear("this server closed before the change was known to be made: look before you try again")
    } else {
        Fault::new(Kind::Unavailable, "this server closed before the answer was there: try again in a moment")
    }
}
