//! Programs on a connection of PostgreSQL. A read is one round trip: begin, queries and end travel together.

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use callgate_model::{Caller, Deadline, Fault, TraceParent};
use deadpool_postgres::ClientWrapper;
use futures_util::{
    StreamExt as _,
    future::{join_all, join5},
};
use tokio_postgres::{Error, Row, Statement as Prepared, types::Type};

use super::{bind::Bound, decode, faults, lease::Lease};
use crate::sql::{
    config::Returns,
    engine::Answer,
    program::{Fed, Nest, Page, Program, Statement, Values},
    reply,
    rows::{Cut, Rows},
    session::Session,
    text::Form,
};

/// How often a transaction is run that gets into the way of others.
const RUNS: u32 = 3;

/// Everything a call's statements share.
pub(super) struct Work<'a> {
    pub(super) backend: &'a str,
    pub(super) program: &'a Arc<Program>,
    pub(super) values: Values<'a>,
    pub(super) page: Page,
    pub(super) deadline: Deadline,
    pub(super) session: &'a Session,
    pub(super) caller: &'a Caller,
    /// What the statements are made for, if the call is sampled.
    pub(super) trace: Option<TraceParent>,
}

/// How much of a result is read.
#[derive(Clone, Copy)]
struct Reach {
    rows: usize,
    bytes: usize,
}

impl Work<'_> {
    /// Reads; several queries see one state of the database.
    pub(super) async fn read(&self, lease: Lease) -> Result<Answer, Fault> {
        let answer = self.read_on(lease.client()).await;
        if !lease.client().is_closed() {
            lease.clean();
        }
        answer
    }

    async fn read_on(&self, client: &ClientWrapper) -> Result<Answer, Fault> {
        let main = &self.program.steps[self.program.answer].statement;
        let nests: Vec<_> = self.program.nests.iter().filter(|nest| self.program.wants(nest, &self.values)).collect();
        let prepared = self.prepare(client, main).await?;
        let mut prepared_nests = Vec::with_capacity(nests.len());
        for nest in &nests {
            prepared_nests.push(self.prepare(client, &nest.statement).await?);
        }
        let isolation = if nests.is_empty() { "" } else { " ISOLATION LEVEL REPEATABLE READ" };
        let begin = format!("BEGIN{isolation} READ ONLY; {}", self.beginning());
        let introduction = self.introduction(client).await?;
        let nested =
            nests.iter().zip(&prepared_nests).map(|(nest, prepared)| self.run(client, prepared, &nest.statement, self.nested(nest)));
        // All are sent at once, in this order, and answered in this order. If the first fails, the session itself is read-only.
        // If the caller cannot be introduced, the transaction is broken and the queries in it give nothing.
        let (begun, introduced, main_rows, nested, ended) = join5(
            client.batch_execute(&begin),
            self.introduce(client, introduction.as_ref()),
            self.run(client, &prepared, main, self.reach()),
            join_all(nested),
            client.batch_execute("COMMIT"),
        )
        .await;
        begun.map_err(|error| self.fault(error, main))?;
        introduced.map_err(|error| self.fault(error, main))?;
        let main_rows = main_rows?;
        let mut nested = nested.into_iter();
        let mut rows = Vec::with_capacity(self.program.nests.len());
        for nest in &self.program.nests {
            let wanted = self.program.wants(nest, &self.values).then(|| nested.next()).flatten();
            rows.push(wanted.transpose()?);
        }
        ended.map_err(|error| self.fault(error, main))?;
        Ok(Answer { main: main_rows, nests: rows })
    }

    /// Writes: everything or nothing.
    pub(super) async fn write(&self, lease: Lease) -> Result<Answer, Fault> {
        let committing = AtomicBool::new(false);
        let until = self.deadline.at() - self.margin();
        match tokio::time::timeout_at(until, self.write_on(&lease, &committing)).await {
            Ok((answer, over)) => {
                if over {
                    lease.clean();
                }
                answer
            }
            Err(_) if committing.load(Ordering::Relaxed) => Err(unclear()),
            // The lease is dropped: the statement is cancelled, the connection closed, and with it everything is undone.
            Err(_) => Err(Fault::timeout(self.deadline.span())),
        }
    }

    /// The answer, and whether the transaction is surely over. A transaction that the server rolled back because it was in another's
    /// way has had no effect, so it is run again, a few times.
    async fn write_on(&self, lease: &Lease, committing: &AtomicBool) -> (Result<Answer, Fault>, bool) {
        let mut runs = 1;
        loop {
            match self.transaction(lease.client(), committing).await {
                (Err(fault), true) if runs < RUNS && faults::is_conflict(&fault) => runs += 1,
                ended => return ended,
            }
        }
    }

    async fn transaction(&self, client: &ClientWrapper, committing: &AtomicBool) -> (Result<Answer, Fault>, bool) {
        committing.store(false, Ordering::Relaxed);
        match self.steps(client).await {
            Ok(answer) => {
                committing.store(true, Ordering::Relaxed);
                match client.batch_execute("COMMIT").await {
                    Ok(()) => (Ok(answer), true),
                    // The server said no: it has undone everything, unless it closes the connection as it says so.
                    Err(error) if error.as_db_error().is_some() => {
                        (Err(self.fault(error, &self.program.steps[0].statement)), !client.is_closed())
                    }
                    Err(error) => (Err(unclear().because(error)), false),
                }
            }
            Err(fault) => {
                let over = client.batch_execute("ROLLBACK").await.is_ok();
                (Err(fault), over)
            }
        }
    }

    async fn steps(&self, client: &ClientWrapper) -> Result<Answer, Fault> {
        let mut prepared = Vec::with_capacity(self.program.steps.len());
        for step in &self.program.steps {
            prepared.push(self.prepare(client, &step.statement).await?);
        }
        let first = &self.program.steps[0].statement;
        let introduction = self.introduction(client).await?;
        let begin = format!("BEGIN READ WRITE; {}", self.beginning());
        client.batch_execute(&begin).await.map_err(|error| self.fault(error, first))?;
        self.introduce(client, introduction.as_ref()).await.map_err(|error| self.fault(error, first))?;
        let mut main = Rows::default();
        for (index, (step, prepared)) in self.program.steps.iter().zip(&prepared).enumerate() {
            let is_answer = index == self.program.answer;
            let reach = if is_answer { self.reach() } else { Reach { rows: 1, bytes: self.program.bytes } };
            let rows = self.run(client, prepared, &step.statement, reach).await?;
            step.judge(&rows)?;
            if is_answer {
                main = rows;
            }
        }
        self.program.settle(&main)?;
        let mut nests = Vec::with_capacity(self.program.nests.len());
        for nest in &self.program.nests {
            if !self.program.wants(nest, &self.values) {
                nests.push(None);
                continue;
            }
            let prepared = self.prepare(client, &nest.statement).await?;
            nests.push(Some(self.run(client, &prepared, &nest.statement, self.nested(nest)).await?));
        }
        let answer = Answer { main, nests };
        reply::settle(self.program, &answer)?;
        Ok(answer)
    }

    /// What every transaction begins with: its own time limit, and whose rights it has.
    fn beginning(&self) -> String {
        let patience = format!("SET LOCAL statement_timeout = {}", self.patience());
        self.session.role.as_ref().map_or_else(|| patience.clone(), |role| format!("{patience}; {role}"))
    }

    /// The statement that tells the session who is calling, if it wants to know.
    async fn introduction(&self, client: &ClientWrapper) -> Result<Option<Prepared>, Fault> {
        if self.session.statement.is_empty() {
            return Ok(None);
        }
        let types = vec![Type::TEXT; self.session.settings.len()];
        let prepared = client.prepare_typed_cached(&self.session.statement, &types).await;
        prepared.map(Some).map_err(|error| self.fault(error, &self.program.steps[0].statement))
    }

    /// Tells the session who is calling, for this transaction.
    async fn introduce(&self, client: &ClientWrapper, introduction: Option<&Prepared>) -> Result<(), Error> {
        let Some(introduction) = introduction else { return Ok(()) };
        let values: Vec<_> = self.session.settings.iter().map(|of| of.value(self.caller)).collect();
        let bound = values.iter().map(|value| Bound(Fed::Value(value.as_ref(), Form::Value)));
        let mut answer = pin!(client.query_raw(introduction, bound.collect::<Vec<_>>()).await?);
        while let Some(row) = answer.next().await {
            row?;
        }
        Ok(())
    }

    /// The statement as this connection knows it; a round trip the first time only.
    async fn prepare(&self, client: &ClientWrapper, statement: &Statement) -> Result<Prepared, Fault> {
        let prepared = client.prepare_typed_cached(&statement.text, &statement.types).await;
        prepared.map_err(|error| self.fault(error, statement))
    }

    async fn run(&self, client: &ClientWrapper, prepared: &Prepared, statement: &Statement, reach: Reach) -> Result<Rows, Fault> {
        if prepared.columns().len() != statement.columns.len() {
            return Err(Fault::internal("the columns of a table changed while the gate was running"));
        }
        let bound = statement.feeds.iter().map(|feed| Bound(Statement::fed(*feed, &self.values, self.page, reach.rows)));
        let fail = |error: Error| {
            if error.code().is_some_and(|code| matches!(code.code(), "0A000" | "26000")) {
                // The tables changed: what was prepared is prepared anew next time.
                client.statement_cache.clear();
            }
            self.fault(error, statement)
        };
        let stream = match self.trace {
            None => client.query_raw(prepared, bound.collect::<Vec<_>>()).await,
            // Not by way of the statement cache, whose key is the text: no other call has the same one.
            Some(trace) => {
                let typed: Vec<_> = bound.zip(prepared.params().iter().cloned()).collect();
                client.query_typed_raw(&commented(&statement.text, trace), typed).await
            }
        };
        let mut stream = pin!(stream.map_err(fail)?);
        let mut rows = Rows::within(reach.bytes);
        while let Some(row) = stream.next().await {
            let row = row.map_err(fail)?;
            if self.trace.is_some() && !is_of(&row, prepared) {
                client.statement_cache.clear();
                return Err(Fault::internal("the columns of a table changed while the gate was running"));
            }
            if rows.cut.is_some() {
                continue;
            }
            if rows.count >= reach.rows {
                rows.cut = Some(Cut::Count);
                continue;
            }
            rows.push(|out, room| decode::object(&row, &statement.columns, out, room)).map_err(Fault::internal)?;
        }
        rows.changed = stream.rows_affected().unwrap_or(0);
        Ok(rows)
    }

    fn reach(&self) -> Reach {
        let rows = if self.program.returns == Returns::Many { self.program.rows } else { 1 };
        Reach { rows, bytes: self.program.bytes }
    }

    fn nested(&self, nest: &Nest) -> Reach {
        Reach { rows: nest.rows, bytes: self.program.bytes }
    }

    fn fault(&self, error: Error, statement: &Statement) -> Fault {
        faults::fault(error, self.backend, self.deadline, |place| statement.feeder(place, &self.program.parameters))
    }

    /// The server's own limit for one statement in milliseconds, a little before the deadline: then the server itself gives it up and
    /// says so, which shows that it is there, and the connection goes on. What it does not end in time is cancelled.
    fn patience(&self) -> u128 {
        const MARGIN: std::time::Duration = std::time::Duration::from_millis(25);
        let margin = self.margin() + MARGIN.min(self.deadline.span() / 10);
        // Zero would be no limit at all.
        self.deadline.left().saturating_sub(margin).as_millis().max(1)
    }

    /// What is kept back of the deadline, so that "it was undone" is said in time.
    fn margin(&self) -> std::time::Duration {
        std::time::Duration::from_millis(10).min(self.deadline.span() / 10)
    }
}

/// The statement with the trace it is made for, in the form of sqlcommenter.
fn commented(text: &str, trace: TraceParent) -> String {
    // On a line of its own: the last line of the text may be a comment itself.
    format!("{text}\n/*traceparent='{trace}'*/")
}

/// Whether a row has the columns that were prepared for. What is prepared anew for one call does not fail when they have changed.
fn is_of(row: &Row, prepared: &Prepared) -> bool {
    let (found, known) = (row.columns(), prepared.columns());
    found.len() == known.len()
        && found.iter().zip(known).all(|(found, known)| found.type_() == known.type_() && found.name() == known.name())
}

fn unclear() -> Fault {
    Fault::unclear("whether this was done is not known: look before you try again")
}
