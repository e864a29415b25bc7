//! A store in one SQLite file.
//!
//! One thread owns the connection that writes. It takes whatever has gathered, writes it in one transaction and waits for the
//! disk once (`synchronous=FULL`), so that many calls share the cost. Triggers refuse to change or remove a row.
//!
//! The log has two states. *Healthy*: the last transaction was committed. *Failing*: it was not; the batch is kept and tried
//! again every quarter of a second, and the first success makes the log healthy again.
//!
//! A process writes one chain of the log, which is its own as long as it holds the chain's lock (`slot`). Usually there is one; a
//! command beside a running gate writes the next.
//!
//! A file that is removed or replaced under the gate can still be written to, and nobody would ever read it. So that no record goes
//! there in silence, the log fails from then on (`place`); it is healthy again when the file is back, or after a start anew.

mod callers;
mod ink;
mod keys;
mod place;
mod reader;
mod schema;
mod slot;

use std::{
    fs,
    path::Path,
    sync::{Arc, Mutex},
    thread::JoinHandle,
};

use async_trait::async_trait;
use futures_util::future::{BoxFuture, FutureExt as _};
use rusqlite::{Connection, OpenFlags};

use crate::{
    Audit, Backlog, Callers, Config, Error, Intent, Keys, Log, Opened, Opening, Pending, Read, Record, Store, Written,
    pseudonyms::Names,
    writing::{self, Queue, Upkeep},
};

#[cfg(test)]
pub(crate) use schema::FIRST;

use self::{ink::Ink, place::Place, reader::Reader, slot::Slot};

/// A store in one SQLite file. Dropping it writes what is left and closes the file.
#[derive(Debug)]
pub struct Sqlite {
    queue: Arc<Queue>,
    callers: callers::Table,
    keys: keys::Table,
    writer: Mutex<Option<JoinHandle<()>>>,
}

/// The row of this kind.
pub(crate) fn open<'a>(opening: &'a Opening<'a>) -> BoxFuture<'a, Opened> {
    async move { Sqlite::open(opening.config, &opening.upkeep, opening.folder).map(|store| Arc::new(store) as Arc<dyn Store>) }.boxed()
}

/// Reading the log of this kind.
pub(crate) fn log<'a>(opening: &'a Opening<'a>) -> BoxFuture<'a, Read> {
    let path = opening.folder.join(&opening.config.path);
    async move { Reader::open(&path).map(|reader| Box::new(reader) as Box<dyn Log>) }.boxed()
}

impl Sqlite {
    /// Opens the file, makes it if it is missing, and starts the thread that writes.
    pub fn open(config: &Config, upkeep: &Upkeep, folder: &Path) -> Result<Self, Error> {
        let path = folder.join(&config.path);
        let failed = |cause: Box<dyn std::error::Error + Send + Sync>| Error::Open { path: path.clone(), cause };
        create(&path).map_err(|cause| failed(cause.into()))?;
        let mut connection = connect(&path, config).map_err(|cause| failed(cause.into()))?;
        schema::migrate(&mut connection, &path)?;
        let keys = keys::Table::new(connect(&path, config).map_err(|cause| failed(cause.into()))?);
        let queue = Arc::new(Queue::new(config.linger.get()));
        let place = Place::of(&path).map_err(|cause| failed(cause.into()))?;
        let slot = Slot::first(&path).map_err(|cause| failed(cause.into()))?;
        let names = upkeep.pseudonyms.as_ref().map(Names::new);
        let ink = Ink::new(connection, path.clone(), place, slot, queue.numbers(), names).map_err(|cause| failed(cause.into()))?;
        let writer = writing::start(ink, &upkeep.within(folder), queue.clone()).map_err(|cause| failed(cause.into()))?;
        let callers = callers::Table { path: path.clone(), config: config.clone() };
        Ok(Self { queue, callers, keys, writer: Mutex::new(Some(writer)) })
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        self.queue.close();
        let writer = self.writer.get_mut().map(Option::take).unwrap_or_default();
        if let Some(writer) = writer {
            // A writer that panicked has said so itself.
            let _ = writer.join();
        }
    }
}

impl Store for Sqlite {
    fn audit(&self) -> &dyn Audit {
        self
    }

    fn callers(&self) -> &dyn Callers {
        &self.callers
    }

    fn keys(&self) -> &dyn Keys {
        &self.keys
    }
}

#[async_trait]
impl Audit for Sqlite {
    fn append(&self, pending: Pending) {
        self.queue.push(pending);
    }

    fn intend(&self, record: Record) -> (Intent, Written) {
        self.queue.intend(record)
    }

    fn is_failing(&self) -> bool {
        self.queue.is_failing()
    }

    fn failure(&self) -> Option<String> {
        self.queue.failure()
    }

    fn backlog(&self) -> Backlog {
        self.queue.backlog()
    }

    async fn flush(&self) {
        // An error means that the writer has ended, and it ends only when nothing is left to write.
        let _ = self.queue.flush().await;
    }
}

/// Makes the file and its folder. The audit log is nobody's business but the owner's.
fn create(path: &Path) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut options = fs::OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

fn connect(path: &Path, config: &Config) -> rusqlite::Result<Connection> {
    const PAGE: i64 = 4096;
    let wal = i64::try_from(config.wal.0).unwrap_or(i64::MAX);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(std::time::Duration::from_secs(1))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "wal_autocheckpoint", (wal / PAGE).max(1))?;
    connection.pragma_update(None, "journal_size_limit", wal)?;
    // A replaced row is a removed row: without this, REPLACE would pass the trigger by.
    connection.pragma_update(None, "recursive_triggers", "ON")?;
    Ok(connection)
}
