//! The connections that read. Each is opened read-only, may only query, and is watched.

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use rusqlite::{Connection, OpenFlags};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

use super::watch::{STEPS, Watch};
use crate::sql::engine::Connections;

/// How many prepared statements a connection keeps.
pub(super) const STATEMENTS: usize = 256;

/// A bounded set of connections that read.
#[derive(Debug)]
pub(super) struct Readers {
    path: PathBuf,
    size: usize,
    idle: Duration,
    lifetime: Duration,
    places: Arc<Semaphore>,
    free: Mutex<Vec<Reader>>,
    waiting: AtomicUsize,
    opened: AtomicU64,
}

/// One who waits for a reader, counted until it is dropped.
struct Waiting<'r>(&'r AtomicUsize);

impl<'r> Waiting<'r> {
    fn new(count: &'r AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// One connection that reads.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) connection: Connection,
    pub(super) watch: Arc<Watch>,
    opened: Instant,
    used: Instant,
}

/// A reader on loan. It goes back when this is dropped.
#[derive(Debug)]
pub(super) struct Loan {
    reader: Option<Reader>,
    readers: Arc<Readers>,
    _place: OwnedSemaphorePermit,
}

impl Readers {
    /// At most `size` connections to the file at `path`.
    pub(super) fn new(path: PathBuf, size: usize, idle: Duration, lifetime: Duration) -> Self {
        let (places, free) = (Arc::new(Semaphore::new(size)), Mutex::new(Vec::with_capacity(size)));
        Self { path, size, idle, lifetime, places, free, waiting: AtomicUsize::new(0), opened: AtomicU64::new(0) }
    }

    /// Borrows a reader; waits at most `wait` for one. `None` if there was none in time.
    pub(super) async fn borrow(self: &Arc<Self>, wait: Duration) -> rusqlite::Result<Option<Loan>> {
        let place = match self.places.clone().try_acquire_owned() {
            Ok(place) => Some(place),
            Err(_) => self.wait(wait).await,
        };
        let Some(place) = place else { return Ok(None) };
        let now = Instant::now();
        let reader = match self.fresh(now) {
            Some(reader) => reader,
            None => self.open(now)?,
        };
        Ok(Some(Loan { reader: Some(reader), readers: self.clone(), _place: place }))
    }

    /// Waits for a place.
    async fn wait(&self, most: Duration) -> Option<OwnedSemaphorePermit> {
        let _waiting = Waiting::new(&self.waiting);
        // The semaphore is never closed; a closed one would mean the same: no place.
        tokio::time::timeout(most, self.places.clone().acquire_owned()).await.ok()?.ok()
    }

    /// The reader used last, if it is not too old. Others that are too old go on this occasion.
    fn fresh(&self, now: Instant) -> Option<Reader> {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let is_fresh = |reader: &Reader| now.duration_since(reader.opened) < self.lifetime && now.duration_since(reader.used) < self.idle;
        loop {
            let reader = free.pop()?;
            if is_fresh(&reader) {
                return Some(reader);
            }
        }
    }

    /// Opens one and sees whether it is a database.
    pub(super) fn look(&self) -> rusqlite::Result<()> {
        let reader = self.open(Instant::now())?;
        reader.connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
        self.free.lock().unwrap_or_else(PoisonError::into_inner).push(reader);
        Ok(())
    }

    fn open(&self, now: Instant) -> rusqlite::Result<Reader> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_EXRESCODE;
        let mut connection = Connection::open_with_flags(&self.path, flags)?;
        connection
            .execute_batch("PRAGMA query_only = 1; PRAGMA trusted_schema = 0; PRAGMA temp_store = MEMORY; PRAGMA busy_timeout = 50;")?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        let watch = Arc::new(Watch::new());
        let watching = watch.clone();
        connection.progress_handler(STEPS, Some(move || watching.is_over()))?;
        self.opened.fetch_add(1, Ordering::Relaxed);
        Ok(Reader { connection, watch, opened: now, used: now })
    }

    /// Closes what is at rest: after the tables changed, statements are prepared anew.
    pub(super) fn reset(&self) {
        self.free.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// How many there are.
    pub(super) fn connections(&self) -> Connections {
        let idle = self.free.lock().unwrap_or_else(PoisonError::into_inner).len();
        let active = self.size - self.places.available_permits();
        let (waiting, opened) = (self.waiting.load(Ordering::Relaxed), self.opened.load(Ordering::Relaxed));
        Connections { active, idle, most: self.size, waiting, opened }
    }
}

impl Loan {
    /// The reader.
    pub(super) fn reader(&mut self) -> &mut Reader {
        self.reader.as_mut().expect("the reader leaves only when the loan is dropped")
    }
}

impl Drop for Loan {
    fn drop(&mut self) {
        let Some(mut reader) = self.reader.take() else { return };
        reader.watch.disarm();
        // A transaction that is still open was given up: such a connection is not used again.
        if reader.connection.is_autocommit() {
            reader.used = Instant::now();
            self.readers.free.lock().unwrap_or_else(PoisonError::into_inner).push(reader);
        }
    }
}
