//! Records as rows: writing a batch, reading the tail.

use jiff::Timestamp;
use rusqlite::{Connection, Row, TransactionBehavior, params};

use crate::{Entry, Pending, Record, audit::micros};

const INSERT: &str = "INSERT INTO audit (at, request, depth, caller, transport, revision, session, traceparent, sort, name, \
    backend, effect, arguments, outcome, duration) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)";

const TAIL: &str = "SELECT seq, at, request, depth, caller, transport, revision, session, traceparent, sort, name, backend, \
    effect, arguments, outcome, duration FROM audit ORDER BY seq DESC LIMIT ?1";

/// Writes all of `batch` or nothing.
pub(super) fn write(connection: &mut Connection, batch: &[Pending]) -> rusqlite::Result<()> {
    if batch.is_empty() {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    {
        let mut insert = transaction.prepare_cached(INSERT)?;
        for pending in batch {
            let Record { at, request, depth, caller, origin, subject, arguments, outcome, duration } = &pending.record;
            insert.execute(params![
                at.as_microsecond(),
                request.as_str(),
                depth,
                caller.id().as_ref(),
                origin.transport,
                origin.revision,
                origin.session,
                origin.traceparent,
                subject.sort,
                subject.name,
                subject.backend.as_ref().map(|name| name.as_str()),
                subject.effect.map(|effect| effect.as_str()),
                arguments,
                outcome,
                // SQLite's integers are signed; no call lasts 300,000 years.
                i64::try_from(micros(*duration)).unwrap_or(i64::MAX),
            ])?;
        }
    }
    transaction.commit()
}

/// The last entries, oldest first.
pub(super) fn tail(connection: &Connection, last: usize) -> rusqlite::Result<Vec<Entry>> {
    let mut select = connection.prepare(TAIL)?;
    let limit = i64::try_from(last).unwrap_or(i64::MAX);
    let mut entries = select.query_map([limit], entry)?.collect::<Result<Vec<_>, _>>()?;
    entries.reverse();
    Ok(entries)
}

fn entry(row: &Row<'_>) -> rusqlite::Result<Entry> {
    Ok(Entry {
        seq: row.get(0)?,
        at: Timestamp::from_microsecond(row.get(1)?).unwrap_or_default(),
        request: row.get(2)?,
        depth: row.get(3)?,
        caller: row.get(4)?,
        transport: row.get(5)?,
        revision: row.get(6)?,
        session: row.get(7)?,
        traceparent: row.get(8)?,
        sort: row.get(9)?,
        name: row.get(10)?,
        backend: row.get(11)?,
        effect: row.get(12)?,
        arguments: row.get(13)?,
        outcome: row.get(14)?,
        duration: u64::try_from(row.get::<_, i64>(15)?).unwrap_or_default(),
    })
}
