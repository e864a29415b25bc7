//! The layer.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use callgate_model::{Call, Effect, Fault, Kind, Reply};
use prometheus_client::metrics::counter::Counter;

use crate::{
    Error,
    gate::Running,
    layer::{Layer, Next, Opening},
};

/// When it makes sense to come back to a gate that has too many calls under way.
const BUSY: Duration = Duration::from_secs(1);

struct Door {
    most: usize,
    shed: Counter,
    running: Arc<Running>,
}

pub(crate) fn open(opening: &mut Opening<'_>) -> Result<Box<dyn Layer>, Error> {
    let shed = Counter::default();
    opening.registry.register("mcp_calls_shed", "Calls refused at the door because too many were under way", shed.clone());
    Ok(Box::new(Door { most: opening.settings.calls.most, shed, running: opening.running.clone() }))
}

#[async_trait]
impl Layer for Door {
    async fn call(&self, call: &Call, next: Next<'_>) -> Result<Reply, Fault> {
        if call.depth == 0 && self.running.is_closing() {
            return Err(closing());
        }
        // The count holds this call too. What a call calls in turn was let in with it.
        if call.depth == 0 && self.running.count() > self.most {
            self.shed.inc();
            return Err(Fault::overloaded("this server", BUSY));
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
    Fault::new(Kind::Unavailable { retry_after: None }, "this server is closing: nothing was done, so try again in a moment")
}

fn cut_off(call: &Call) -> Fault {
    let writes = call.found.tool().is_some_and(|tool| tool.effect != Effect::Read);
    if writes {
        Fault::unclear("this server closed before the change was known to be made: look before you try again")
    } else {
        Fault::new(Kind::Unavailable { retry_after: None }, "this server closed before the answer was there: try again in a moment")
    }
}
