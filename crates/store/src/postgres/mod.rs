//! A store in PostgreSQL, for gates that have replicas: all of them write to it at once, and any of them may be killed.
//!
//! Each gate writes a chain of its own over one connection (`pen`), on a thread of its own. What makes the chain its own is an advisory
//! lock of that connection, so it is free again as soon as the server knows that the connection has ended. A gate whose connection
//! broke off connects anew, finds out whether its last batch was committed, and goes on in the first chain that is free.
//!
//! The log has the two states of every log. *Healthy*: the last batch was committed. *Failing*: it was not, and a connection made anew
//! did not help; the batch is kept and tried again every quarter of a second.
//!
//! API keys and readers have a few connections of their own, each of which waits for no longer than `store.statement`.

mod callers;
mod connect;
mod ink;
mod keys;
mod pen;
mod reader;
mod schema;
mod sheet;
mod trouble;

use std::{
    fmt,
    sync::{Arc, Mutex},
    thread::JoinHandle,
};

use async_trait::async_trait;
use futures_util::future::{BoxFuture, FutureExt as _};

use crate::{
    Audit, Backlog, Callers, Error, Intent, Keys, Log, Opened, Opening, Pending, Read, Record, Store, Written,
    pseudonyms::Names,
    writing::{self, Queue, Upkeep},
};

pub(crate) use connect::check;

use self::{connect::Server, ink::Ink, reader::Reader, trouble::Trouble};

/// A store in PostgreSQL. Dropping it writes what is left and ends its connections.
struct Postgres {
    queue: Arc<Queue>,
    callers: callers::Table,
    keys: keys::Table,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postgres").field("queue", &self.queue).finish_non_exhaustive()
    }
}

/// The row of this kind.
pub(crate) fn open<'a>(opening: &'a Opening<'a>) -> BoxFuture<'a, Opened> {
    async move { Postgres::open(opening).await.map(|store| Arc::new(store) as Arc<dyn Store>) }.boxed()
}

/// Reading the log of this kind.
pub(crate) fn log<'a>(opening: &'a Opening<'a>) -> BoxFuture<'a, Read> {
    async move {
        let server = Server::of(opening.config).map_err(Error::server)?;
        Ok(Box::new(Reader::open(&server).await?) as Box<dyn Log>)
    }
    .boxed()
}

impl Postgres {
    /// Connects, makes the tables if they are missing, and starts the thread that writes.
    async fn open(opening: &Opening<'_>) -> Result<Self, Error> {
        let server = Server::of(opening.config).map_err(Error::server)?;
        let pool = server.pool(KEYS).map_err(Error::server)?;
        let callers = callers::Table { pool: pool.clone(), patience: server.patience() };
        let keys = keys::Table::new(pool, server.patience());
        let queue = Arc::new(Queue::new(opening.config.linger.get()));
        let (upkeep, writing) = (opening.upkeep.within(opening.folder), queue.clone());
        // The pen has a runtime of its own, which no thread of this one may wait for.
        let writer = tokio::task::spawn_blocking(move || start(&server, &upkeep, writing)).await.map_err(Error::server)??;
        Ok(Self { queue, callers, keys, writer: Mutex::new(Some(writer)) })
    }
}

/// How many connections look API keys up.
const KEYS: usize = 4;

fn start(server: &Server, upkeep: &Upkeep, queue: Arc<Queue>) -> Result<JoinHandle<()>, Error> {
    let ink = Ink::new(server, queue.numbers(), upkeep.pseudonyms.as_ref().map(Names::new))?;
    writing::start(ink, upkeep, queue).map_err(Error::server)
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.queue.close();
        let writer = self.writer.get_mut().map(Option::take).unwrap_or_default();
        if let Some(writer) = writer {
            // A writer that panicked has said so itself.
            let _ = writer.join();
        }
    }
}

impl Store for Postgres {
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
impl Audit for Postgres {
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
