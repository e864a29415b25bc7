//! Streams of notices to modern clients: `subscriptions/listen`.
//!
//! The first message says what is granted; after it come only changes that were asked for. A listener who was too slow to hear
//! everything is told that everything may have changed, rather than nothing.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use callgate_model::{Caller, Change};
use callgate_protocol::{
    Filter, Id, Revision, RpcError,
    encode::{self, Frame, Notice},
};
use tokio::sync::broadcast::{Receiver, error::RecvError};

use crate::{desk::Desk, exchange::Answer, fault, visit::Visit, watched::Held};

/// One listener.
pub(crate) struct Stream {
    desk: Arc<Desk>,
    /// Of what was asked for, only what is needed for as long as the stream is open: the message may have been a large one.
    revision: Revision,
    id: Id,
    caller: Arc<Caller>,
    granted: Filter,
    board: Receiver<Change>,
    waiting: VecDeque<Bytes>,
    is_over: bool,
    _seat: Seat,
    _held: Held,
}

impl Stream {
    /// Begins to listen to what is asked for and can be given.
    pub(crate) fn open(desk: &Arc<Desk>, visit: Visit, filter: Filter) -> Result<Self, Answer> {
        let refuse = |error| fault::refuse(&visit.frame(&desk.gateway.identity()), error);
        let Some(seat) = desk.seats.take(visit.caller.key()) else {
            return Err(refuse(RpcError::new(RpcError::INTERNAL, "too many streams are open; close one first")));
        };
        let board = desk.gateway.notices().listen();
        let (granted, held) = grant(desk, &visit, filter).map_err(refuse)?;
        let Visit { revision, id, caller, .. } = visit;
        let first = encode::notification(&Notice::Acknowledged(&granted), Some(&id));
        let waiting = VecDeque::from([Bytes::from(first)]);
        let desk = desk.clone();
        Ok(Self { desk, revision, id, caller, granted, board, waiting, is_over: false, _seat: seat, _held: held })
    }

    /// The next message; `None` after the last one, which is sent when the gate stops.
    pub(crate) async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(message) = self.waiting.pop_front() {
                return Some(message);
            }
            if self.is_over {
                return None;
            }
            tokio::select! {
                biased;
                change = self.board.recv() => match change {
                    Ok(change) => self.waiting.extend(self.notice(&change)),
                    Err(RecvError::Lagged(_)) => self.missed(),
                    Err(RecvError::Closed) => self.end(),
                },
                () = self.desk.stop.cancelled() => self.end(),
            }
        }
    }

    fn notice(&self, change: &Change) -> Option<Bytes> {
        let notice = match change {
            Change::Tools if self.granted.tools => Notice::Tools,
            Change::Prompts if self.granted.prompts => Notice::Prompts,
            Change::Resources if self.granted.resources => Notice::Resources,
            Change::Resource { tenant, uri } if self.granted.uris.contains(uri) && self.desk.may_hear(&self.caller, tenant, uri) => {
                Notice::Resource(uri)
            }
            _ => return None,
        };
        Some(encode::notification(&notice, Some(&self.id)).into())
    }

    fn missed(&mut self) {
        let lists = [Change::Tools, Change::Prompts, Change::Resources];
        let tenant = self.caller.tenant();
        let resources = self.granted.uris.iter().map(|uri| Change::Resource { tenant: tenant.clone(), uri: uri.clone() });
        let all: Vec<_> = lists.into_iter().chain(resources).filter_map(|change| self.notice(&change)).collect();
        self.waiting.extend(all);
    }

    fn end(&mut self) {
        self.is_over = true;
        let identity = self.desk.gateway.identity();
        let frame = Frame { revision: self.revision, id: &self.id, identity: &identity };
        self.waiting.push_back(frame.listen_end().into());
    }
}

/// The part of `filter` that can be had: resources only if they may be read, and each once. To look at one is to decide about it, so no more
/// are looked at than could be granted. What is kept for the stream is paid for.
fn grant(desk: &Desk, visit: &Visit, filter: Filter) -> Result<(Filter, Held), RpcError> {
    let mut held = desk.watched.hold(visit.caller.key());
    if let Id::Text(id) = &visit.id {
        held.add(id)?;
    }
    let mut uris: Vec<String> = Vec::new();
    for uri in filter.uris.into_iter().take(desk.config.listen.resources) {
        desk.watched.length(&uri)?;
        if !uris.contains(&uri) && desk.gateway.may_read(&visit.caller, &uri) {
            held.add(&uri)?;
            uris.push(uri);
        }
    }
    Ok((Filter { uris, ..filter }, held))
}

/// Seats for what may wait or listen for long: so many in all, so many for each caller.
pub(crate) struct Seats {
    per_caller: usize,
    total: usize,
    taken: Mutex<HashMap<Arc<str>, usize>>,
}

/// One seat, free again when dropped.
pub(crate) struct Seat {
    seats: Arc<Seats>,
    caller: Arc<str>,
}

impl Seats {
    /// As many seats as the operator allows.
    pub(crate) fn new(per_caller: usize, total: usize) -> Arc<Self> {
        Arc::new(Self { per_caller, total, taken: Mutex::default() })
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).values().sum()
    }

    /// A seat for one more of `caller`, if there is one.
    pub(crate) fn take(self: &Arc<Self>, caller: &Arc<str>) -> Option<Seat> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.values().sum::<usize>() >= self.total || taken.get(caller).is_some_and(|count| *count >= self.per_caller) {
            return None;
        }
        *taken.entry(caller.clone()).or_default() += 1;
        Some(Seat { seats: self.clone(), caller: caller.clone() })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&self.caller) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.caller);
            }
        }
    }
}
