//! SQLite: reads run where the call is, as long as they are short; writes queue for one thread.
//!
//! A read is given a millisecond on the worker it arrives on. If that is not enough it is interrupted and run again on a thread where
//! it may take what the call's deadline allows, and its statement goes there straight away for a while. Most reads never leave.

mod faults;
mod migrate;
mod readers;
mod rows;
mod tables;
mod watch;
mod work;
mod writer;

use std::{path::PathBuf, sync::Arc, time::Duration};

use callgate_model::{Caller, Deadline, Fault, TraceParent, async_trait};
use rusqlite::ErrorCode;
use tokio::time::Instant;

use super::{
    column::{Column, Shape},
    config::Pool,
    engine::{Answer, Connections, Engine, Objection},
    migrate::Script,
    program::{Access, Page, Parameter, Program, Statement, Values, keep},
    table::Table,
    text::Dialect,
};
use readers::{Loan, Readers};
use rows::Stop;
use watch::{Cancel, Job};
use work::Failure;
use writer::{Outcome, Writer};

/// What is kept back of a deadline, so that it is SQLite that gives the work up and there is time to say so.
const MARGIN: Duration = Duration::from_millis(10);

/// By when work is given up.
fn until(deadline: Deadline) -> Instant {
    deadline.at() - MARGIN.min(deadline.span() / 10)
}

/// How long a read may stay on the worker it arrived on.
const SHORT: Duration = Duration::from_millis(1);

/// A SQLite database.
#[derive(Debug)]
pub(super) struct Sqlite {
    name: String,
    readers: Arc<Readers>,
    writer: Writer,
    wait: Duration,
}

impl Sqlite {
    /// Opens the file at `path`; it is made if it is not there, and so is the folder it lies in.
    pub(super) fn open(name: &str, path: PathBuf, pool: &Pool) -> Result<Self, Objection> {
        if let Some(folder) = path.parent().filter(|folder| !folder.exists()) {
            // Only the last folder: a path that is wrong further up is a mistake. What cannot be made shows when the file is opened.
            let _ = std::fs::create_dir(folder);
        }
        let writer = Writer::open(&path).map_err(|error| {
            let help = "the folder must be writable; the file is made if it is not there";
            Objection::new(format!("cannot open `{}`: {error}", path.display())).help(help)
        })?;
        let readers = Readers::new(path, pool.size as usize, pool.idle.0, pool.lifetime.0);
        Ok(Self { name: name.to_owned(), readers: Arc::new(readers), writer, wait: pool.wait.0 })
    }

    /// Opens the file at `path` only to look at it: nothing about it is changed, not even how it keeps its journal.
    pub(super) fn look(name: &str, path: PathBuf, pool: &Pool) -> Result<Self, Objection> {
        let shown = path.display().to_string();
        let cannot = |error: rusqlite::Error| Objection::new(format!("cannot open `{shown}`: {error}"));
        let writer = Writer::idle(&path).map_err(cannot)?;
        let readers = Readers::new(path, pool.size as usize, pool.idle.0, pool.lifetime.0);
        readers.look().map_err(cannot)?;
        Ok(Self { name: name.to_owned(), readers: Arc::new(readers), writer, wait: pool.wait.0 })
    }

    async fn borrow(&self, deadline: Deadline) -> Result<Loan, Fault> {
        let wait = self.wait.min(deadline.left());
        let loan = self.readers.borrow(wait).await.map_err(|error| faults::engine(error, &self.name, deadline))?;
        loan.ok_or_else(|| Fault::overloaded(&self.name, self.wait))
    }

    async fn read(&self, program: &Arc<Program>, values: Values<'_>, page: Page, deadline: Deadline) -> Result<Answer, Fault> {
        let mut loan = self.borrow(deadline).await?;
        let pace = &program.steps[program.answer].statement.pace;
        if !pace.is_slow() {
            let reader = loan.reader();
            let now = Instant::now();
            let whole = until(deadline) <= now + SHORT;
            reader.watch.arm((now + SHORT).min(until(deadline)), None);
            match work::read(&reader.connection, &reader.watch, program, &values, page) {
                Err(Stop::Engine(error)) if !whole && error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted) => pace.slow(),
                done => return done.map_err(|stop| faults::fault(stop, &self.name, deadline)),
            }
        }
        self.read_apart(loan, program, keep(&values), page, deadline).await
    }

    /// Reads on a thread for work that blocks.
    async fn read_apart(
        &self,
        mut loan: Loan,
        program: &Arc<Program>,
        values: Values<'static>,
        page: Page,
        deadline: Deadline,
    ) -> Result<Answer, Fault> {
        let job = Arc::new(Job::default());
        let cancel = Cancel::on_drop(job.clone());
        let apart = program.clone();
        let run = move || {
            let reader = loan.reader();
            let begin = Instant::now();
            reader.watch.arm(until(deadline), Some(job));
            let answer = work::read(&reader.connection, &reader.watch, &apart, &values, page);
            if answer.is_ok() && begin.elapsed() < SHORT / 2 {
                apart.steps[apart.answer].statement.pace.quick();
            }
            answer
        };
        let done = tokio::task::spawn_blocking(run).await;
        cancel.done();
        done.map_err(Fault::internal)?.map_err(|stop| faults::fault(stop, &self.name, deadline))
    }

    async fn write(&self, program: &Arc<Program>, values: Values<'_>, deadline: Deadline) -> Result<Answer, Fault> {
        const UNCLEAR: &str = "whether this was done is not known: look before you try again";
        match self.writer.write(program, keep(&values), deadline, self.wait).await {
            Outcome::Told(Ok(answer)) => Ok(answer),
            Outcome::Told(Err(Failure::Undone(stop))) => Err(faults::fault(stop, &self.name, deadline)),
            Outcome::Told(Err(Failure::Unclear(error))) => Err(Fault::unclear(UNCLEAR).because(error)),
            Outcome::Doubt => Err(Fault::unclear(UNCLEAR)),
            // It waits for other writes or works itself, in this process: nothing is away.
            Outcome::Told(Err(Failure::Given)) | Outcome::Late => Err(Fault::ended(deadline.span())),
            Outcome::Full => Err(Fault::overloaded(&self.name, self.wait)),
            Outcome::Gone => Err(Fault::unavailable(&self.name).because("the writer's thread has ended")),
        }
    }

    fn prepared(connection: &rusqlite::Connection, statement: &Statement, access: Access) -> Result<Vec<Column>, Objection> {
        let prepared = connection.prepare(&statement.text).map_err(|error| Objection::new(reason(&error)))?;
        if access == Access::Read && !prepared.readonly() {
            return Err(Objection::new("the statement writes, which a `read` tool cannot").help("set `effect: write` if it shall"));
        }
        if prepared.parameter_count() > statement.feeds.len() {
            return Err(Objection::new("a placeholder is not a parameter of this tool; write `:name`"));
        }
        let shape = |kind: Option<&str>| Shape::declared(kind.unwrap_or_default());
        Ok(prepared.columns().map(|column| Column::new(column.name(), shape(column.decl_type()))).collect())
    }
}

/// SQLite's own words, without the position inside our text.
fn reason(error: &rusqlite::Error) -> String {
    match error {
        rusqlite::Error::SqlInputError { msg, .. } => msg.clone(),
        rusqlite::Error::SqliteFailure(_, Some(message)) => message.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests;

/// Work that no call waits for: probes, descriptions.
fn patience() -> Deadline {
    Deadline::after(Duration::from_secs(5))
}

#[async_trait]
impl Engine for Sqlite {
    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    async fn describe(&self, statement: &mut Statement, _parameters: &[Parameter], access: Access) -> Result<(), Objection> {
        let mut loan = self.borrow(patience()).await.map_err(|fault| Objection::new(format!("{fault}: {}", fault.chain())))?;
        statement.columns = Self::prepared(&loan.reader().connection, statement, access)?;
        Ok(())
    }

    async fn run(
        &self,
        program: &Arc<Program>,
        values: Values<'_>,
        page: Page,
        deadline: Deadline,
        _caller: &Caller,
        _trace: Option<TraceParent>,
    ) -> Result<Answer, Fault> {
        match program.access {
            Access::Read => self.read(program, values, page, deadline).await,
            Access::Write => self.write(program, values, deadline).await,
        }
    }

    async fn table_names(&self) -> Result<Vec<String>, Fault> {
        let mut loan = self.borrow(patience()).await?;
        tables::names(&loan.reader().connection).map_err(|error| faults::engine(error, &self.name, patience()))
    }

    async fn table(&self, name: &str) -> Result<Option<Table>, Fault> {
        let mut loan = self.borrow(patience()).await?;
        tables::table(&loan.reader().connection, name).map_err(|error| faults::engine(error, &self.name, patience()))
    }

    async fn migrate(&self, scripts: &[Script]) -> Result<Vec<String>, Objection> {
        let done = self.writer.migrate(scripts.to_vec()).await?;
        self.readers.reset();
        Ok(done)
    }

    async fn probe(&self) -> Result<(), Fault> {
        let mut loan = self.borrow(patience()).await?;
        let read = loan.reader().connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()));
        read.map_err(|error| faults::engine(error, &self.name, patience()))
    }

    fn connections(&self) -> Connections {
        self.readers.connections()
    }
}
