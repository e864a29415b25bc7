//! One legacy client: what it said at the handshake, what it wants to hear, what it is asked, what it is waiting for.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use callgate_model::{Caller, Change, ClientCapabilities, Level, RequestId};
use callgate_protocol::{
    Ask, Id, Initialize, Response, Revision, RpcError,
    encode::{self, Notice},
};
use serde_json::Value;
use tokio::sync::oneshot;

use crate::{desk::Desk, running::Running, watched::Held};

/// What a client answers: a result, or why there is none.
type Outcome = Result<Value, RpcError>;

/// What a legacy client wants to hear of.
#[derive(Default)]
struct Watched {
    uris: HashSet<String>,
    /// What they cost; `None` before the first.
    held: Option<Held>,
}

/// A legacy client.
pub(crate) struct Peer {
    pub(crate) revision: Revision,
    pub(crate) client: ClientCapabilities,
    pub(crate) running: Arc<Running>,
    level: Mutex<Level>,
    watched: Mutex<Watched>,
    /// Who waits for which answer; `None` once the client is gone.
    asked: Mutex<Option<HashMap<Id, oneshot::Sender<Outcome>>>>,
}

impl Peer {
    /// The client that shook hands with `hello`.
    pub(crate) fn new(hello: Initialize) -> Arc<Self> {
        Arc::new(Self {
            revision: hello.revision,
            client: hello.client,
            running: Arc::default(),
            // What a client hears that never said what it wants.
            level: Mutex::new(Level::Info),
            watched: Mutex::default(),
            asked: Mutex::new(Some(HashMap::new())),
        })
    }

    /// From which level on it wants log messages.
    pub(crate) fn level(&self) -> Level {
        *lock(&self.level)
    }

    /// Does what only concerns the client itself.
    pub(crate) fn remember(&self, desk: &Desk, caller: &Arc<Caller>, ask: Ask) -> Result<(), RpcError> {
        match ask {
            Ask::Ping => Ok(()),
            Ask::SetLevel(level) => {
                *lock(&self.level) = level;
                Ok(())
            }
            Ask::Subscribe(uri) => self.watch(desk, caller, uri),
            Ask::Unsubscribe(uri) => {
                self.forget(&uri);
                Ok(())
            }
            Ask::Initialize(_) => Err(RpcError::invalid_request("the session is open already")),
            _ => Err(RpcError::new(RpcError::INTERNAL, "this request came to the wrong place")),
        }
    }

    fn watch(&self, desk: &Desk, caller: &Arc<Caller>, uri: String) -> Result<(), RpcError> {
        // Before anything looks at it.
        desk.watched.length(&uri)?;
        if !desk.gateway.may_read(caller, &uri) {
            return Err(RpcError::resource_not_found(self.revision, "there is no such resource", &uri));
        }
        let most = desk.config.listen.resources;
        let mut watched = lock(&self.watched);
        let Watched { uris, held } = &mut *watched;
        if uris.contains(&uri) {
            return Ok(());
        }
        if uris.len() >= most {
            return Err(RpcError::invalid_params(format!("no more than {most} resources can be watched; unsubscribe from one first")));
        }
        held.get_or_insert_with(|| desk.watched.hold(caller.key())).add(&uri)?;
        uris.insert(uri);
        Ok(())
    }

    fn forget(&self, uri: &str) {
        let mut watched = lock(&self.watched);
        if watched.uris.remove(uri)
            && let Some(held) = &mut watched.held
        {
            held.remove(uri);
        }
    }

    /// What to tell it about `change` on a stream of `caller`, if it wants to hear of it and may.
    pub(crate) fn notice(&self, desk: &Desk, caller: &Arc<Caller>, change: &Change) -> Option<Bytes> {
        let notice = match change {
            Change::Tools => Notice::Tools,
            Change::Prompts => Notice::Prompts,
            Change::Resources => Notice::Resources,
            Change::Resource { tenant, uri } if self.watches(uri) && desk.may_hear(caller, tenant, uri) => Notice::Resource(uri),
            Change::Resource { .. } => return None,
        };
        Some(encode::notification(&notice, None).into())
    }

    fn watches(&self, uri: &str) -> bool {
        lock(&self.watched).uris.contains(uri)
    }

    /// What to tell it on a stream of `caller` when nobody knows which changes it missed.
    pub(crate) fn missed(&self, desk: &Desk, caller: &Arc<Caller>) -> Vec<Bytes> {
        let lists = [Notice::Tools, Notice::Prompts, Notice::Resources];
        let mut all: Vec<Bytes> = lists.iter().map(|notice| encode::notification(notice, None).into()).collect();
        let watched: Vec<String> = lock(&self.watched).uris.iter().cloned().collect();
        let may_hear = watched.iter().filter(|uri| desk.may_hear(caller, caller.tenant(), uri));
        all.extend(may_hear.map(|uri| Bytes::from(encode::notification(&Notice::Resource(uri), None))));
        all
    }

    /// A place for the answer to a question that is about to be sent.
    pub(crate) fn expect_answer(&self) -> Question<'_> {
        let id = Id::Text(RequestId::fresh().as_str().into());
        let (sender, receiver) = oneshot::channel();
        if let Some(asked) = lock(&self.asked).as_mut() {
            asked.insert(id.clone(), sender);
        }
        Question { peer: self, id, receiver }
    }

    /// The client is gone: no question will be answered.
    pub(crate) fn hang_up(&self) {
        *lock(&self.asked) = None;
    }

    /// The client's answer has come. One that nobody waits for any more means nothing.
    pub(crate) fn answered(&self, response: Response) {
        if let Some(waiting) = lock(&self.asked).as_mut().and_then(|asked| asked.remove(&response.id)) {
            // The question may have been given up at this very moment.
            let _ = waiting.send(response.outcome);
        }
    }
}

/// A question to which an answer is awaited. Given up when dropped.
pub(crate) struct Question<'p> {
    peer: &'p Peer,
    id: Id,
    receiver: oneshot::Receiver<Outcome>,
}

impl Question<'_> {
    /// The id under which it is asked.
    pub(crate) fn id(&self) -> &Id {
        &self.id
    }

    /// The answer; `None` if the client is gone.
    pub(crate) async fn answer(mut self) -> Option<Outcome> {
        (&mut self.receiver).await.ok()
    }
}

impl Drop for Question<'_> {
    fn drop(&mut self) {
        if let Some(asked) = lock(&self.peer.asked).as_mut() {
            asked.remove(&self.id);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
