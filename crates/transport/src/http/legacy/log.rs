//! The events of one stream, kept for a client that loses the connection.
//!
//! A stream has one reader at a time; a newer one takes over. If more is said than is kept, the oldest events go first; the
//! newest, which in the end is the reply, never goes.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use futures_util::{Stream, stream};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::Instant,
};

use super::super::sse;
use crate::config;

/// What all logs of a listener keep together.
pub(crate) struct Shelf {
    most: usize,
    bytes: AtomicUsize,
    streams: Arc<Semaphore>,
}

impl Shelf {
    /// An empty shelf.
    pub(super) fn new(limits: &config::Sessions) -> Arc<Self> {
        let streams = Arc::new(Semaphore::new(limits.kept_streams.min(Semaphore::MAX_PERMITS)));
        Arc::new(Self { most: limits.kept.bytes(), bytes: AtomicUsize::new(0), streams })
    }

    /// There are more bytes than the operator allows.
    fn is_full(&self) -> bool {
        self.bytes.load(Ordering::Relaxed) > self.most
    }

    /// A place for one more log, if there is one.
    pub(super) fn place(&self) -> Option<OwnedSemaphorePermit> {
        self.streams.clone().try_acquire_owned().ok()
    }
}

/// The log of one stream.
pub(crate) struct Log {
    /// Unique in the session; part of each event's id.
    pub(super) number: u64,
    most: usize,
    bytes: usize,
    shelf: Arc<Shelf>,
    /// Its place among those that can be fetched again.
    place: Option<OwnedSemaphorePermit>,
    state: Mutex<State>,
    changed: watch::Sender<()>,
}

#[derive(Default)]
struct State {
    events: VecDeque<(u64, Bytes)>,
    bytes: usize,
    last: u64,
    pauses: u64,
    readers: u64,
    finished: Option<Instant>,
}

/// What a reader finds.
enum Next {
    Event(u64, Bytes),
    Nothing,
    Over,
}

impl Log {
    /// An empty log.
    pub(super) fn new(number: u64, limits: &config::Sessions, shelf: &Arc<Shelf>, place: Option<OwnedSemaphorePermit>) -> Self {
        let changed = watch::Sender::new(());
        let (most, bytes) = (limits.events.max(1), limits.bytes.bytes());
        Self { number, most, bytes, shelf: shelf.clone(), place, state: Mutex::default(), changed }
    }

    /// Writes `message` down; gives the event.
    pub(super) fn push(&self, message: &[u8]) -> Bytes {
        let mut state = self.lock();
        state.last += 1;
        let last = state.last;
        let event = sse::numbered(&self.event_id(last), message);
        state.bytes += event.len();
        self.shelf.bytes.fetch_add(event.len(), Ordering::Relaxed);
        state.events.push_back((last, event.clone()));
        while state.events.len() > 1 && (state.events.len() > self.most || state.bytes > self.bytes || self.shelf.is_full()) {
            if let Some((_, oldest)) = state.events.pop_front() {
                state.bytes -= oldest.len();
                self.shelf.bytes.fetch_sub(oldest.len(), Ordering::Relaxed);
            }
        }
        drop(state);
        self.changed.send_replace(());
        event
    }

    /// The name of event `last`; 0 is the beginning.
    pub(super) fn event_id(&self, last: u64) -> String {
        format!("{}-{last}", self.number)
    }

    /// It can be fetched again.
    pub(super) fn is_kept(&self) -> bool {
        self.place.is_some()
    }

    /// Sends the present reader away once it has read everything, if it can come back.
    pub(super) fn pause(&self) {
        self.lock().pauses += u64::from(self.is_kept());
        self.changed.send_replace(());
    }

    /// Nothing follows.
    pub(super) fn finish(&self) {
        self.lock().finished = Some(Instant::now());
        self.changed.send_replace(());
    }

    /// Since when nothing follows.
    pub(super) fn finished(&self) -> Option<Instant> {
        self.lock().finished
    }

    /// The events after number `after`, as they are kept.
    pub(super) fn kept_after(&self, after: u64) -> VecDeque<Bytes> {
        self.lock().events.iter().filter(|(number, _)| *number > after).map(|(_, event)| event.clone()).collect()
    }

    /// Everything after event number `after`, as it comes, until the stream ends, pauses, or has another reader.
    pub(super) fn read(self: &Arc<Self>, after: u64) -> impl Stream<Item = Bytes> + Send + use<> {
        let mut state = self.lock();
        state.readers += 1;
        let (reader, pauses) = (state.readers, state.pauses);
        drop(state);
        let start = (self.clone(), self.changed.subscribe(), after);
        stream::unfold(start, move |(log, mut changed, after)| async move {
            loop {
                changed.mark_unchanged();
                match log.next(after, reader, pauses) {
                    Next::Event(number, event) => return Some((event, (log, changed, number))),
                    Next::Over => return None,
                    // The log itself holds the other end.
                    Next::Nothing => changed.changed().await.ok()?,
                }
            }
        })
    }

    fn next(&self, after: u64, reader: u64, pauses: u64) -> Next {
        let state = self.lock();
        if state.readers != reader {
            return Next::Over;
        }
        match state.events.iter().find(|(number, _)| *number > after) {
            Some((number, event)) => Next::Event(*number, event.clone()),
            None if state.finished.is_some() || state.pauses != pauses => Next::Over,
            None => Next::Nothing,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        let bytes = self.lock().bytes;
        self.shelf.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }
}
