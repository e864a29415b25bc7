//! Which requests of a client are being answered, so that it can take one back by its id.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use callgate_protocol::{Id, RpcError};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// The running requests of one session or process.
#[derive(Default)]
pub(crate) struct Running(Mutex<HashMap<Id, CancellationToken>>);

/// The place of one running request; leaving it is dropping it.
pub(crate) struct Seat {
    running: Arc<Running>,
    id: Id,
    token: CancellationToken,
}

impl Running {
    /// Takes a place for `id`, unless it is taken or all `most` places are.
    pub(crate) fn enter(self: &Arc<Self>, id: &Id, most: usize) -> Result<Seat, RpcError> {
        let mut running = self.lock();
        if running.contains_key(id) {
            return Err(RpcError::invalid_request("this `id` is still in use by a request that has not been answered"));
        }
        if running.len() >= most {
            return Err(RpcError::new(RpcError::INTERNAL, format!("{most} requests are running already; send fewer at once")));
        }
        let token = CancellationToken::new();
        running.insert(id.clone(), token.clone());
        Ok(Seat { running: self.clone(), id: id.clone(), token })
    }

    /// The client takes the request back; an id that is not running means nothing.
    pub(crate) fn withdraw(&self, id: &Id) {
        if let Some(token) = self.lock().get(id) {
            token.cancel();
        }
    }

    /// The client is gone, and with it the wish for every reply.
    pub(crate) fn withdraw_all(&self) {
        self.lock().values().for_each(CancellationToken::cancel);
    }

    /// Nothing is running.
    pub(crate) fn is_idle(&self) -> bool {
        self.lock().is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Id, CancellationToken>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// Done when the client takes the request back.
    pub(crate) fn withdrawn(&self) -> WaitForCancellationFutureOwned {
        self.token.clone().cancelled_owned()
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.running.lock().remove(&self.id);
    }
}
