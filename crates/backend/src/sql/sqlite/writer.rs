//! The one connection that writes, on a thread of its own. SQLite has one writer at a time; here they queue in order, with a bound,
//! instead of colliding.

use std::{path::Path, sync::Arc, time::Duration};

use callgate_model::Deadline;
use rusqlite::{Connection, OpenFlags};
use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};

use super::{
    readers::STATEMENTS,
    rows::Stop,
    watch::{Cancel, Job, STEPS, Watch},
    work::{self, Failure},
};
use crate::sql::{
    engine::{Answer, Objection},
    migrate::Script,
    program::{Program, Values},
};

/// How many writes may wait for their turn.
const QUEUE: usize = 64;

/// The way to the writer's thread.
#[derive(Debug)]
pub(super) struct Writer {
    tasks: mpsc::Sender<Task>,
}

enum Task {
    Write(Box<Write>),
    Migrate(Vec<Script>, oneshot::Sender<Result<Vec<String>, Objection>>),
}

struct Write {
    program: Arc<Program>,
    values: Values<'static>,
    until: Instant,
    job: Arc<Job>,
    reply: oneshot::Sender<Result<Answer, Failure>>,
}

/// How a write ended for the one who waited.
pub(super) enum Outcome {
    /// As the writer says.
    Told(Result<Answer, Failure>),
    /// There was no place in the queue in time.
    Full,
    /// The deadline passed; nothing was changed.
    Late,
    /// The deadline passed while the commit was on its way.
    Doubt,
    /// The writer is gone.
    Gone,
}

impl Writer {
    /// Opens the file, creating it where it is not, and starts the thread.
    pub(super) fn open(path: &Path) -> Result<Self, rusqlite::Error> {
        Self::start(Some(connect(path)?), path)
    }

    /// Starts the thread, which opens the file when there is something to write.
    pub(super) fn idle(path: &Path) -> Result<Self, rusqlite::Error> {
        Self::start(None, path)
    }

    fn start(mut connection: Option<(Connection, Arc<Watch>)>, path: &Path) -> Result<Self, rusqlite::Error> {
        let (tasks, mut queue) = mpsc::channel(QUEUE);
        let path = path.to_owned();
        let serve = move || {
            while let Some(task) = queue.blocking_recv() {
                serve(&mut connection, &path, task);
            }
        };
        std::thread::Builder::new().name("callgate-sqlite".into()).spawn(serve).map_err(|error| {
            let reason = rusqlite::ffi::Error { code: rusqlite::ErrorCode::SystemIoFailure, extended_code: 0 };
            rusqlite::Error::SqliteFailure(reason, Some(format!("the writer's thread cannot start: {error}")))
        })?;
        Ok(Self { tasks })
    }

    /// Writes, waiting at most `wait` for a place in the queue.
    pub(super) async fn write(&self, program: &Arc<Program>, values: Values<'static>, deadline: Deadline, wait: Duration) -> Outcome {
        let until = super::until(deadline);
        let Ok(place) = tokio::time::timeout_at(until.min(Instant::now() + wait), self.tasks.reserve()).await else { return Outcome::Full };
        let Ok(place) = place else { return Outcome::Gone };
        let job = Arc::new(Job::default());
        let cancel = Cancel::on_drop(job.clone());
        let (reply, answer) = oneshot::channel();
        place.send(Task::Write(Box::new(Write { program: program.clone(), values, until, job: job.clone(), reply })));
        match tokio::time::timeout_at(until, answer).await {
            Ok(Ok(told)) => {
                cancel.done();
                Outcome::Told(told)
            }
            Ok(Err(_)) => Outcome::Gone,
            Err(_) if job.cancel() => Outcome::Late,
            Err(_) => Outcome::Doubt,
        }
    }

    /// Runs scripts, each in a transaction.
    pub(super) async fn migrate(&self, scripts: Vec<Script>) -> Result<Vec<String>, Objection> {
        let gone = || Objection::new("the writer's thread has ended");
        let (reply, answer) = oneshot::channel();
        self.tasks.send(Task::Migrate(scripts, reply)).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

fn connect(path: &Path) -> rusqlite::Result<(Connection, Arc<Watch>)> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_EXRESCODE;
    let mut connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(Duration::from_secs(2))?;
    connection
        .execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = 0;")?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    let watch = Arc::new(Watch::new());
    let watching = watch.clone();
    connection.progress_handler(STEPS, Some(move || watching.is_over()))?;
    Ok((connection, watch))
}

/// Serves one task; a connection that could not leave its transaction is replaced.
fn serve(connection: &mut Option<(Connection, Arc<Watch>)>, path: &Path, task: Task) {
    let reopened = match connection.take().filter(|(connection, _)| connection.is_autocommit()) {
        Some(open) => Ok(open),
        None => connect(path),
    };
    match (task, reopened) {
        // A receiver that is gone does not want to know; the job was cancelled with it.
        (Task::Write(write), Ok((open, watch))) => {
            let told = serve_write(&open, &watch, &write);
            *connection = Some((open, watch));
            let _ = write.reply.send(told);
        }
        (Task::Migrate(scripts, reply), Ok((mut open, watch))) => {
            let _ = reply.send(super::migrate::run(&mut open, &scripts));
            *connection = Some((open, watch));
        }
        (Task::Write(write), Err(error)) => {
            let _ = write.reply.send(Err(Failure::Undone(Stop::Engine(error))));
        }
        (Task::Migrate(_, reply), Err(error)) => {
            let _ = reply.send(Err(Objection::new(error.to_string())));
        }
    }
}

fn serve_write(connection: &Connection, watch: &Watch, write: &Write) -> Result<Answer, Failure> {
    if write.job.is_cancelled() {
        return Err(Failure::Given);
    }
    watch.arm(write.until, Some(write.job.clone()));
    // Another process may hold the file; it is not waited for longer than the caller waits.
    let patience = write.until.saturating_duration_since(Instant::now());
    let told = match connection.busy_timeout(patience) {
        Ok(()) => work::write(connection, watch, &write.program, &write.values, &write.job),
        Err(error) => Err(Failure::Undone(error.into())),
    };
    watch.disarm();
    told
}
