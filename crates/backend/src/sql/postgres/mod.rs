//! PostgreSQL: a bounded pool, statements prepared once per connection, reads in read-only transactions, and a deadline that
//! reaches the server.

mod bind;
mod connect;
mod decode;
mod faults;
mod lease;
mod migrate;
mod numeric;
mod tables;
mod work;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use callgate_model::{Caller, Deadline, Fault, TraceParent, async_trait};
use deadpool_postgres::{Object, Pool};
use tokio_postgres::{Error, Statement as Prepared};

use super::{
    column::Column,
    config,
    engine::{Answer, Connections, Engine, Objection},
    migrate::Script,
    program::{Access, Page, Parameter, Program, Statement, Values},
    session::Session,
    table::Table,
    text::Dialect,
};
use connect::Tls;
use lease::Lease;
use work::Work;

/// A PostgreSQL database.
pub(super) struct Postgres {
    name: String,
    pool: Pool,
    /// How many connections the pool has made.
    opened: Arc<AtomicU64>,
    tls: Tls,
    wait: Duration,
    session: Session,
}

/// Work that no call waits for: probes, descriptions.
const PATIENCE: Duration = Duration::from_secs(5);

impl Postgres {
    /// Connects once, to see that it can.
    pub(super) async fn open(name: &str, url: &str, pool: &config::Pool, session: &Session) -> Result<Self, Objection> {
        let wait = pool.wait.0;
        let opened = Arc::new(AtomicU64::new(0));
        let (pool, tls) = connect::pool(url, pool, opened.clone())?;
        drop(pool.get().await.map_err(|error| connect::refused(url, &error))?);
        Ok(Self { name: name.to_owned(), pool, opened, tls, wait, session: session.clone() })
    }

    async fn client(&self) -> Result<Object, Fault> {
        self.pool.get().await.map_err(|error| faults::pool(error, &self.name, self.wait))
    }

    /// A connection, by the deadline.
    async fn lease(&self, deadline: Deadline) -> Result<Lease, Fault> {
        let client = tokio::time::timeout_at(deadline.at(), self.client()).await;
        Ok(Lease::new(client.map_err(|_| Fault::timeout(deadline.span()))??, self.tls.clone()))
    }

    fn quiet(&self, error: Error) -> Fault {
        faults::fault(error, &self.name, Deadline::after(PATIENCE), |_| None)
    }

    /// Has the statement prepared once, only to learn about it; where the server cannot find out the type of a placeholder it is told.
    async fn prepared(&self, statement: &mut Statement, parameters: &[Parameter]) -> Result<Prepared, Objection> {
        let client = self.client().await.map_err(|fault| Objection::new(format!("{fault}: {}", fault.chain())))?;
        statement.types = bind::types(&statement.feeds);
        for _ in 0..=statement.feeds.len() {
            match client.prepare_typed(&statement.text, &statement.types).await {
                Ok(prepared) => return Ok(prepared),
                Err(error) => {
                    let place = unknown(&error).filter(|place| statement.types.get(*place) == Some(&tokio_postgres::types::Type::UNKNOWN));
                    let Some(place) = place else { return Err(objection(&error)) };
                    statement.types[place] = bind::told(statement.feeds[place], parameters);
                }
            }
        }
        Err(Objection::new("the types of the parameters cannot be found out").help("say them: CAST(:name AS type)"))
    }
}

/// The place of the placeholder whose type the server could not find out.
fn unknown(error: &Error) -> Option<usize> {
    let told = error.as_db_error().filter(|told| told.code().code() == "42P18" || told.code().code() == "42P08")?;
    let (_, number) = told.message().split_once("parameter $")?;
    number.trim_end_matches(|c: char| !c.is_ascii_digit()).parse::<usize>().ok()?.checked_sub(1)
}

fn objection(error: &Error) -> Objection {
    let Some(told) = error.as_db_error() else { return Objection::new(error.to_string()) };
    let objection = Objection::new(told.message());
    match told.hint() {
        Some(hint) => objection.help(hint),
        None => objection,
    }
}

#[async_trait]
impl Engine for Postgres {
    fn dialect(&self) -> Dialect {
        Dialect::Postgres
    }

    async fn describe(&self, statement: &mut Statement, parameters: &[Parameter], _access: Access) -> Result<(), Objection> {
        let prepared = self.prepared(statement, parameters).await?;
        let mut columns = Vec::with_capacity(prepared.columns().len());
        for column in prepared.columns() {
            let Some(shape) = decode::shape(column.type_()) else {
                let message = format!("column `{}` has the type {}, which has no JSON", column.name(), column.type_());
                return Err(Objection::new(message).help(format!("write CAST({} AS text) AS {0}", column.name())));
            };
            columns.push(Column::new(column.name(), shape));
        }
        statement.columns = columns;
        Ok(())
    }

    async fn run(
        &self,
        program: &Arc<Program>,
        values: Values<'_>,
        page: Page,
        deadline: Deadline,
        caller: &Caller,
        trace: Option<TraceParent>,
    ) -> Result<Answer, Fault> {
        let lease = self.lease(deadline).await?;
        let work = Work { backend: &self.name, program, values, page, deadline, session: &self.session, caller, trace };
        if program.access == Access::Write {
            return work.write(lease).await;
        }
        let read = tokio::time::timeout_at(deadline.at(), work.read(lease)).await;
        read.unwrap_or_else(|_| Err(Fault::timeout(deadline.span())))
    }

    async fn table_names(&self) -> Result<Vec<String>, Fault> {
        let client = self.client().await?;
        tables::names(&client).await.map_err(|error| self.quiet(error))
    }

    async fn table(&self, name: &str) -> Result<Option<Table>, Fault> {
        let client = self.client().await?;
        tables::table(&client, name).await.map_err(|error| self.quiet(error))
    }

    async fn migrate(&self, scripts: &[Script]) -> Result<Vec<String>, Objection> {
        let client = self.client().await.map_err(|fault| Objection::new(format!("{fault}: {}", fault.chain())))?;
        // Never goes back to the pool: the lock and its session end together.
        let client = Object::take(client);
        migrate::run(&client, scripts).await
    }

    async fn probe(&self) -> Result<(), Fault> {
        let client = self.client().await?;
        client.batch_execute("SELECT 1").await.map_err(|error| self.quiet(error))
    }

    fn connections(&self) -> Connections {
        let status = self.pool.status();
        let active = status.size.saturating_sub(status.available);
        let opened = self.opened.load(Ordering::Relaxed);
        Connections { active, idle: status.available, most: status.max_size, waiting: status.waiting, opened }
    }
}
