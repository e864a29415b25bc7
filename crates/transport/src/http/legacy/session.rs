//! Sessions: opened by `initialize`, bound to their caller, over when they are ended or not used for too long.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use callgate_model::{Caller, Change, Gateway, Origin};
use tokio::{
    sync::{Mutex as AsyncMutex, broadcast::Receiver},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use super::log::{Log, Shelf};
use crate::{config, legacy::Peer, seal};

/// One session.
pub(crate) struct Session {
    pub(super) id: String,
    pub(super) caller: Arc<Caller>,
    pub(super) origin: Arc<Origin>,
    pub(super) peer: Arc<Peer>,
    /// Changes that the client was not told yet. Whoever holds it tells them.
    pub(super) board: Arc<AsyncMutex<Receiver<Change>>>,
    /// What was told on the GET stream.
    pub(super) told: Arc<Log>,
    /// Done when a newer GET stream takes over.
    pub(super) standing: Mutex<CancellationToken>,
    pub(super) ended: CancellationToken,
    streams: Mutex<Streams>,
    shelf: Arc<Shelf>,
    used: Mutex<Instant>,
    holds: AtomicU64,
}

#[derive(Default)]
struct Streams {
    last: u64,
    logs: VecDeque<Arc<Log>>,
}

impl Session {
    /// The log of a new stream.
    pub(super) fn open_log(&self, limits: &config::Sessions) -> Arc<Log> {
        let mut streams = lock(&self.streams);
        streams.last += 1;
        let log = Arc::new(Log::new(streams.last, limits, &self.shelf, self.shelf.place()));
        let finished = streams.logs.iter().filter(|log| log.finished().is_some()).count();
        if finished >= limits.streams
            && let Some(oldest) = streams.logs.iter().position(|log| log.finished().is_some())
        {
            streams.logs.remove(oldest);
        }
        // One that is not kept serves the connection it began on, and no other.
        if log.is_kept() {
            streams.logs.push_back(log.clone());
        }
        log
    }

    /// The log of the stream with this number, if it is still kept.
    pub(super) fn log(&self, number: u64) -> Option<Arc<Log>> {
        lock(&self.streams).logs.iter().find(|log| log.number == number).cloned()
    }

    /// Keeps the session from becoming idle.
    pub(super) fn hold(self: &Arc<Self>) -> Hold {
        self.holds.fetch_add(1, Ordering::Relaxed);
        Hold(self.clone())
    }

    fn touch(&self) {
        *lock(&self.used) = Instant::now();
    }

    /// Since when nothing uses it; `None` while something does.
    fn idle_since(&self) -> Option<Instant> {
        let is_idle = self.holds.load(Ordering::Relaxed) == 0 && self.peer.running.is_idle();
        is_idle.then(|| *lock(&self.used))
    }

    fn sweep(&self, now: Instant, keep: Duration) {
        lock(&self.streams).logs.retain(|log| log.finished().is_none_or(|at| now < at + keep));
    }
}

/// Somebody uses the session.
pub(super) struct Hold(pub(super) Arc<Session>);

impl Drop for Hold {
    fn drop(&mut self) {
        self.0.touch();
        self.0.holds.fetch_sub(1, Ordering::Relaxed);
    }
}

/// All sessions of a listener.
pub(crate) struct Sessions {
    limits: config::Sessions,
    shelf: Arc<Shelf>,
    table: Mutex<HashMap<String, Arc<Session>>>,
}

impl Sessions {
    /// No sessions yet.
    pub(crate) fn new(limits: &config::Sessions) -> Self {
        Self { limits: limits.clone(), shelf: Shelf::new(limits), table: Mutex::default() }
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        lock(&self.table).len()
    }

    /// Opens a session for `caller`. If the caller has as many as it may, the one that was idle longest ends; `None` if there is
    /// no room at all.
    pub(super) fn open(&self, gateway: &dyn Gateway, caller: &Arc<Caller>, peer: Arc<Peer>) -> Option<Arc<Session>> {
        let mut table = lock(&self.table);
        let own = table.values().filter(|session| session.caller.key() == caller.key());
        if own.clone().count() >= self.limits.per_caller {
            let idle = own.filter_map(|session| Some((session.idle_since()?, session.clone())));
            let (_, oldest) = idle.min_by_key(|(since, _)| *since)?;
            table.remove(&oldest.id);
            oldest.ended.cancel();
        }
        if table.len() >= self.limits.total {
            return None;
        }
        let id = seal::unguessable();
        let short = id.chars().take(8).collect();
        let session = Arc::new(Session {
            caller: caller.clone(),
            origin: Arc::new(Origin { transport: "http", revision: peer.revision.as_str(), session: Some(short), ..Origin::default() }),
            peer,
            board: Arc::new(AsyncMutex::new(gateway.notices().listen())),
            told: Arc::new(Log::new(0, &self.limits, &self.shelf, None)),
            shelf: self.shelf.clone(),
            standing: Mutex::default(),
            ended: CancellationToken::new(),
            streams: Mutex::default(),
            used: Mutex::new(Instant::now()),
            holds: AtomicU64::new(0),
            id: id.clone(),
        });
        table.insert(id, session.clone());
        Some(session)
    }

    /// The session with this id, if it is this caller's and not over.
    pub(super) fn find(&self, id: &str, caller: &Caller) -> Option<Arc<Session>> {
        let session = lock(&self.table).get(id).filter(|session| session.caller.key() == caller.key()).cloned()?;
        if session.idle_since().is_some_and(|since| since.elapsed() >= self.limits.idle.get()) {
            self.end(&session);
            return None;
        }
        session.touch();
        Some(session)
    }

    /// Ends a session: its streams close, and its id means nothing any more.
    pub(super) fn end(&self, session: &Session) {
        lock(&self.table).remove(&session.id);
        session.ended.cancel();
        session.peer.hang_up();
        session.peer.running.withdraw_all();
    }

    /// Ends the sessions that are idle for too long, and forgets streams that nobody fetched.
    pub(crate) fn sweep(&self) {
        let now = Instant::now();
        let all: Vec<_> = lock(&self.table).values().cloned().collect();
        for session in all {
            session.sweep(now, self.limits.keep.get());
            if session.idle_since().is_some_and(|since| now.duration_since(since) >= self.limits.idle.get()) {
                self.end(&session);
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
