//! Streams of notices to modern clients: `subscriptions/listen`.
//!
//! The first message says what is granted; after it come only changes that were asked for. A listener who was too slow to hear
//! everything is told that everything may have changed, rather than nothing.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use callgate_model::Change;
use callgate_protocol::{
    Filter, RpcError,
    encode::{self, Notice},
};
use tokio::sync::broadcast::{Receiver, error::RecvError};

use crate::{desk::Desk, exchange::Answer, fault, visit::Visit};

/// One listener.
pub(crate) struct Stream {
    desk: Arc<Desk>,
    visit: Visit,
    granted: Filter,
    board: Receiver<Change>,
    waiting: VecDeque<Bytes>,
    is_over: bool,
    _seat: Seat,
}

impl Stream {
    /// Begins to listen to what is asked for and can be given.
    pub(crate) fn open(desk: &Arc<Desk>, visit: Visit, filter: Filter) -> Result<Self, Answer> {
        let Some(seat) = desk.seats.take(visit.caller.key()) else {
            let error = RpcError::new(RpcError::INTERNAL, "too many streams are open; close one first");
            return Err(fault::refuse(&visit.frame(&desk.gateway.identity()), error));
        };
        let board = desk.gateway.notices().listen();
        let granted = grant(|uri| desk.gateway.may_read(&visit.caller, uri), filter, desk.config.listen.resources);
        let first = encode::notification(&Notice::Acknowledged(&granted), Some(&visit.id));
        let waiting = VecDeque::from([Bytes::from(first)]);
        Ok(Self { desk: desk.clone(), visit, granted, board, waiting, is_over: false, _seat: seat })
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
            Change::Resource(uri) if self.granted.uris.contains(uri) => Notice::Resource(uri),
            _ => return None,
        };
        Some(encode::notification(&notice, Some(&self.visit.id)).into())
    }

    fn missed(&mut self) {
        let lists = [Change::Tools, Change::Prompts, Change::Resources];
        let resources = self.granted.uris.iter().cloned().map(Change::Resource);
        let all: Vec<_> = lists.into_iter().chain(resources).filter_map(|change| self.notice(&change)).collect();
        self.waiting.extend(all);
    }

    fn end(&mut self) {
        self.is_over = true;
        self.waiting.push_back(self.visit.frame(&self.desk.gateway.identity()).listen_end().into());
    }
}

/// The part of `filter` that can be had: resources only if they may be read, and each once. To look at one is to decide about it, so no more
/// are looked at than could be granted.
fn grant(may_read: impl Fn(&str) -> bool, filter: Filter, most: usize) -> Filter {
    let mut uris: Vec<String> = Vec::new();
    for uri in filter.uris.into_iter().take(most) {
        if !uris.contains(&uri) && may_read(&uri) {
            uris.push(uri);
        }
    }
    Filter { uris, ..filter }
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
