//! Programs on a connection of SQLite, from begin to end. All of it blocks; who calls it decides on which thread.

use rusqlite::Connection;

use super::{
    rows::{Reach, Stop, run},
    watch::{Job, Watch},
};
use crate::sql::{
    engine::Answer,
    program::{Page, Program, Values},
    reply,
    rows::Rows,
};

/// How a write ended, where it did not end well.
#[derive(Debug)]
pub(super) enum Failure {
    /// Nothing was changed.
    Undone(Stop),
    /// Nobody waits for it any more; nothing was changed.
    Given,
    /// Whether it was changed is not known.
    Unclear(rusqlite::Error),
}

/// Reads. Several queries see one state of the database.
pub(super) fn read(connection: &Connection, watch: &Watch, program: &Program, values: &Values<'_>, page: Page) -> Result<Answer, Stop> {
    let together = program.nests.iter().any(|nest| program.wants(nest, values));
    if !together {
        return queries(connection, program, values, page);
    }
    begin(connection, watch, "BEGIN")?;
    let answer = queries(connection, program, values, page);
    // The end of a transaction is never interrupted: whoever has the connection next could not begin one.
    watch.disarm();
    let ended = execute(connection, "COMMIT");
    let answer = answer?;
    ended?;
    Ok(answer)
}

fn queries(connection: &Connection, program: &Program, values: &Values<'_>, page: Page) -> Result<Answer, Stop> {
    let reach = Reach { page, rows: reach(program), bytes: program.bytes };
    let main = run(connection, &program.steps[program.answer].statement, values, reach)?;
    nests(connection, program, values, main)
}

/// How many rows of the reply are read.
fn reach(program: &Program) -> usize {
    if program.returns == crate::sql::config::Returns::Many { program.rows } else { 1 }
}

fn nests(connection: &Connection, program: &Program, values: &Values<'_>, main: Rows) -> Result<Answer, Stop> {
    let mut room = main.room();
    // Without a row there is nothing to put the others into.
    let wanted = main.count > 0;
    let mut answer = Answer { main, nests: Vec::with_capacity(program.nests.len()) };
    for nest in &program.nests {
        if !wanted || !program.wants(nest, values) {
            answer.nests.push(None);
            continue;
        }
        let rows = run(connection, &nest.statement, values, Reach { page: Page::default(), rows: nest.rows, bytes: room })?;
        room = rows.room();
        answer.nests.push(Some(rows));
    }
    Ok(answer)
}

/// Writes: everything or nothing.
pub(super) fn write(connection: &Connection, watch: &Watch, program: &Program, values: &Values<'_>, job: &Job) -> Result<Answer, Failure> {
    begin(connection, watch, "BEGIN IMMEDIATE").map_err(|error| Failure::Undone(error.into()))?;
    let done = steps(connection, program, values);
    // From here on nothing is interrupted: a transaction whose end is cut off would keep the file locked.
    watch.disarm();
    match done {
        Ok(answer) if job.commit() => commit(connection).map(|()| answer),
        Ok(_) => {
            undo(connection);
            Err(Failure::Given)
        }
        Err(stop) => {
            undo(connection);
            Err(Failure::Undone(stop))
        }
    }
}

fn steps(connection: &Connection, program: &Program, values: &Values<'_>) -> Result<Answer, Stop> {
    let mut main = Rows::default();
    for (index, step) in program.steps.iter().enumerate() {
        let is_answer = index == program.answer;
        let rows = if is_answer { reach(program) } else { 1 };
        let rows = run(connection, &step.statement, values, Reach { page: Page::default(), rows, bytes: program.bytes })?;
        step.judge(&rows)?;
        if is_answer {
            main = rows;
        }
    }
    program.settle(&main)?;
    let answer = nests(connection, program, values, main)?;
    reply::settle(program, &answer)?;
    Ok(answer)
}

fn commit(connection: &Connection) -> Result<(), Failure> {
    match execute(connection, "COMMIT") {
        Ok(()) => Ok(()),
        // Still inside the transaction: it was not committed, and it can be undone.
        Err(error) if !connection.is_autocommit() => {
            undo(connection);
            Err(Failure::Undone(error.into()))
        }
        Err(error) => Err(Failure::Unclear(error)),
    }
}

/// Begins a transaction, or leaves none: a beginning can be interrupted after it has begun.
fn begin(connection: &Connection, watch: &Watch, statement: &str) -> rusqlite::Result<()> {
    execute(connection, statement).inspect_err(|_| {
        watch.disarm();
        undo(connection);
    })
}

/// Rolls back. SQLite has done so by itself after some failures; where it cannot, the connection is replaced by the writer.
fn undo(connection: &Connection) {
    if !connection.is_autocommit() {
        // What to do when this fails is decided by whoever looks at the connection next.
        let _ = execute(connection, "ROLLBACK");
    }
}

fn execute(connection: &Connection, statement: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(statement)?.raw_execute().map(|_| ())
}
