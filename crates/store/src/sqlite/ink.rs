//! Records as rows of a chain: writing a batch, and looking after what stands there.

use std::path::PathBuf;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, params};

use super::{callers, place::Place, reader, slot::Slot};
use crate::{
    Entry, Hash, Head,
    audit::{place, row, verify},
    pseudonyms::{Names, SLACK, view},
    writing::{Batch, Sink, Tended},
};

const INSERT: &str = "INSERT INTO audit (id, hash, line) VALUES (?1, ?2, ?3)";
const INTEND: &str = "INSERT INTO audit_intents (number, chain, line) VALUES (?1, ?2, ?3)";
const SETTLE: &str = "DELETE FROM audit_intents WHERE number = ?1";
const LAST: &str = "SELECT id, hash FROM audit WHERE id BETWEEN ?1 AND ?2 ORDER BY id DESC LIMIT 1";
const POINT: &str = "SELECT id, hash FROM audit_checkpoints WHERE id BETWEEN ?1 AND ?2 ORDER BY id DESC LIMIT 1";

/// How many records are removed in one transaction.
const PRUNE: usize = 1000;

/// The pen of one chain.
pub(super) struct Ink {
    connection: Connection,
    store: PathBuf,
    place: Place,
    slot: Slot,
    numbers: (i64, i64),
    head: Head,
    doubt: Doubt,
    names: Option<Names>,
    line: Vec<u8>,
}

/// What is not known about the head since an attempt failed.
enum Doubt {
    /// Nothing.
    None,
    /// Where it stands.
    Head,
    /// Whether a transaction was committed that would have moved it here.
    Commit(Head),
}

impl Ink {
    pub(super) fn new(
        connection: Connection,
        store: PathBuf,
        place: Place,
        slot: Slot,
        numbers: (i64, i64),
        names: Option<Names>,
    ) -> rusqlite::Result<Self> {
        let head = head(&connection, slot.chain)?;
        if names.is_some() {
            callers::overwrite(&connection)?;
        }
        Ok(Self { connection, store, place, slot, numbers, head, doubt: Doubt::None, names, line: Vec::with_capacity(1024) })
    }

    /// Looks where the chain stands, after a failure; `true` if the batch that failed is there nevertheless.
    fn look(&mut self) -> rusqlite::Result<bool> {
        let doubt = std::mem::replace(&mut self.doubt, Doubt::Head);
        if let (Some(names), false) = (&mut self.names, matches!(doubt, Doubt::None)) {
            names.doubt();
        }
        if let Doubt::Commit(expected) = doubt {
            let stored =
                self.connection.query_row("SELECT hash FROM audit WHERE id = ?1", [expected.row()], |row| row.get(0)).optional()?;
            if stored.as_ref().and_then(|hash: &Vec<u8>| Hash::of(hash)) == Some(expected.hash) {
                (self.head, self.doubt) = (expected, Doubt::None);
                return Ok(true);
            }
        }
        if !matches!(doubt, Doubt::None) {
            self.head = head(&self.connection, self.slot.chain)?;
        }
        self.doubt = Doubt::None;
        Ok(false)
    }

    fn put(&mut self, batch: &Batch) -> rusqlite::Result<()> {
        if self.look()? {
            return Ok(());
        }
        self.doubt = Doubt::Head;
        let Self { connection, head, line, names, .. } = self;
        let (mut next, chain) = (*head, head.chain);
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if let Some(names) = names {
            callers::learn(&transaction, names, batch)?;
        }
        let mut session = String::new();
        if !batch.intents.is_empty() {
            let mut intend = transaction.prepare_cached(INTEND)?;
            for draft in &batch.intents {
                view(names.as_ref(), &draft.record, &mut session).write(chain, 0, line);
                intend.execute(params![number(draft.number.0), chain, text(line)])?;
            }
        }
        {
            let mut insert = transaction.prepare_cached(INSERT)?;
            let mut settle = transaction.prepare_cached(SETTLE)?;
            for pending in &batch.records {
                view(names.as_ref(), &pending.record, &mut session).write(chain, next.seq + 1, line);
                next = next.then(line);
                insert.execute(params![next.row(), &next.hash.0[..], text(line)])?;
                if let Some(intent) = pending.record.intent {
                    settle.execute([number(intent.0)])?;
                }
            }
        }
        self.doubt = Doubt::Commit(next);
        transaction.commit()?;
        (self.head, self.doubt) = (next, Doubt::None);
        Ok(())
    }

    /// Writes records that the store itself makes.
    fn add(&mut self, entries: &[Entry], also: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<()>) -> rusqlite::Result<()> {
        self.look()?;
        self.doubt = Doubt::Head;
        let mut next = self.head;
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for entry in entries {
            entry.view().write(next.chain, next.seq + 1, &mut self.line);
            next = next.then(&self.line);
            transaction.execute(INSERT, params![next.row(), &next.hash.0[..], text(&self.line)])?;
        }
        also(&transaction)?;
        // If this fails, the chain's place is looked up; `Commit` is for a batch that comes again.
        transaction.commit()?;
        (self.head, self.doubt) = (next, Doubt::None);
        Ok(())
    }

    /// Makes records of the intents in `chain` that are not of this process.
    fn recover(&mut self, chain: u32) -> rusqlite::Result<()> {
        let (first, end) = self.numbers;
        let left: Vec<(i64, String)> = {
            let mut select = self
                .connection
                .prepare("SELECT number, line FROM audit_intents WHERE chain = ?1 AND NOT (number >= ?2 AND number < ?3)")?;
            select.query_map(params![chain, first, end], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?
        };
        if left.is_empty() {
            return Ok(());
        }
        let entries: Vec<_> = left.iter().filter_map(|(_, line)| Some(Entry::parse(line)?.unclear())).collect();
        tracing::warn!(records = entries.len(), "calls of a gate that ended are on record as unclear");
        self.add(&entries, |transaction| {
            let mut settle = transaction.prepare_cached(SETTLE)?;
            left.iter().try_for_each(|(number, _)| settle.execute([number]).map(drop))
        })
    }

    /// The same for all chains that nobody writes.
    fn recover_all(&mut self) -> Result<(), String> {
        let told = |cause: rusqlite::Error| cause.to_string();
        let chains: Vec<u32> = {
            let mut select = self.connection.prepare("SELECT DISTINCT chain FROM audit_intents").map_err(told)?;
            select.query_map([], |row| row.get(0)).and_then(Iterator::collect).map_err(told)?
        };
        for chain in chains {
            let guard = if chain == self.slot.chain { None } else { Slot::of(&self.store, chain).map_err(|cause| cause.to_string())? };
            if chain == self.slot.chain || guard.is_some() {
                self.recover(chain).map_err(told)?;
            }
        }
        Ok(())
    }

    /// Removes some of what is from before `keep`: records, and whose the pseudonyms were that nobody uses any more.
    fn age(&mut self, now: Timestamp, keep: Timestamp) -> rusqlite::Result<Tended> {
        let swept = keep.checked_sub(SLACK).map_or(Ok(false), |keep| callers::sweep(&mut self.connection, keep))?;
        let pruned = self.prune(now, keep)?;
        Ok(if swept { Tended::Partly } else { pruned })
    }

    /// Removes some of the oldest records of this chain from before `keep`.
    fn prune(&mut self, now: Timestamp, keep: Timestamp) -> rusqlite::Result<Tended> {
        let chain = self.slot.chain;
        let Some(point) = self.older(chain, keep)? else { return Ok(Tended::Done) };
        let mut points = reader::checkpoints(&self.connection)?;
        points.retain(|other| other.chain != chain);
        points.push(point);
        self.add(&[verify::attest(&points, now)], |transaction| {
            transaction.execute("INSERT INTO audit_checkpoints (id, hash) VALUES (?1, ?2)", params![point.row(), &point.hash.0[..]])?;
            transaction.execute("DELETE FROM audit WHERE id BETWEEN ?1 AND ?2", [row(chain, 0), point.row()]).map(drop)
        })?;
        Ok(Tended::Partly)
    }

    /// The last of the oldest records that are all from before `keep`. The head itself stays.
    fn older(&self, chain: u32, keep: Timestamp) -> rusqlite::Result<Option<Head>> {
        let oldest = reader::after(&self.connection, chain, 0, PRUNE)?.into_iter();
        let old = oldest.take_while(|row| {
            let entry = std::str::from_utf8(&row.line).ok().and_then(Entry::parse);
            row.chain == chain && row.seq < self.head.seq && entry.is_some_and(|entry| entry.at < keep)
        });
        Ok(old.last().and_then(|row| Some(Head { chain, seq: row.seq, hash: row.hash? })))
    }
}

impl Sink for Ink {
    /// The place is asked first: what is written twice is two records, what is written to a file that is gone is none.
    fn write(&mut self, batch: &Batch) -> Result<(), String> {
        self.place.check()?;
        self.put(batch).map_err(|cause| cause.to_string())
    }

    fn head(&self) -> Head {
        self.head
    }

    fn tend(&mut self, now: Timestamp, keep: Option<Timestamp>) -> Result<Tended, String> {
        self.place.check()?;
        self.recover_all()?;
        keep.map_or(Ok(Tended::Done), |keep| self.age(now, keep)).map_err(|cause| cause.to_string())
    }
}

/// Where the chain stands.
fn head(connection: &Connection, chain: u32) -> rusqlite::Result<Head> {
    let range = [row(chain, 0), row(chain + 1, 0) - 1];
    for select in [LAST, POINT] {
        let found = connection.query_row(select, range, |row| Ok((row.get(0)?, row.get::<_, Vec<u8>>(1)?))).optional()?;
        if let Some((id, hash)) = found {
            let hash = Hash::of(&hash).ok_or(rusqlite::Error::IntegralValueOutOfRange(1, id))?;
            return Ok(Head { chain, seq: place(id).1, hash });
        }
    }
    Ok(Head::start(chain))
}

fn text(line: &[u8]) -> &str {
    std::str::from_utf8(line).expect("a line is made of texts")
}

/// SQLite's integers are signed; intents are numbered within them.
fn number(intent: u64) -> i64 {
    i64::try_from(intent).unwrap_or(i64::MAX)
}
