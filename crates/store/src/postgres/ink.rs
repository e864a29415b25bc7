//! The log as the thread that writes sees it: batches, and looking after what stands there.

use jiff::Timestamp;
use tokio::runtime::{Builder, Runtime};

use super::{Trouble, callers, connect::Server, pen::Pen, reader, schema, schema::lock, sheet::Sheet, trouble::within};
use crate::{
    Entry, Error, Head,
    audit::{row, verify},
    pseudonyms::{Names, SLACK},
    writing::{Batch, Sink, Tended},
};

/// Who has left intents there, other than this gate.
const OWNERS: &str = "SELECT DISTINCT (number >> 40)::int FROM callgate_audit_intents WHERE NOT (number >= $1 AND number < $2)";
const LEFT: &str = "SELECT number, line FROM callgate_audit_intents WHERE number >> 40 = $1 ORDER BY number LIMIT $2";

/// How many records are made or removed in one transaction.
const MOST: usize = 1000;

/// A pen, and the runtime in which it lives. It belongs to the thread that writes.
pub(super) struct Ink {
    pen: Pen,
    names: Option<Names>,
    numbers: (i64, i64),
    runtime: Runtime,
}

impl Ink {
    /// Makes the tables and takes the first free chain. Called where a thread may wait.
    pub(super) fn new(server: &Server, numbers: (i64, i64), names: Option<Names>) -> Result<Self, Error> {
        let runtime = Builder::new_current_thread().enable_all().build().map_err(Error::server)?;
        let owner = i32::try_from(numbers.0 >> 40).unwrap_or(i32::MAX);
        let mut pen = Pen::new(server.clone(), owner);
        let opened = runtime.block_on(async {
            let mut link = server.connect().await?;
            within(server.patience(), schema::migrate(&mut link.client)).await?;
            link.close().await;
            within(pen.patience(), pen.ready()).await
        });
        opened.map_err(Error::server)?;
        Ok(Self { pen, names, numbers, runtime })
    }
}

impl Sink for Ink {
    fn write(&mut self, batch: &Batch) -> Result<(), String> {
        let Self { pen, names, runtime, .. } = self;
        runtime.block_on(put(pen, names.as_mut(), batch)).map_err(|cause| cause.to_string())
    }

    fn head(&self) -> Head {
        self.pen.head()
    }

    fn tend(&mut self, now: Timestamp, keep: Option<Timestamp>) -> Result<Tended, String> {
        let Self { pen, runtime, numbers, .. } = self;
        let tended = runtime.block_on(async {
            let tended = within(pen.patience(), tend(pen, *numbers, now, keep)).await;
            if tended.is_err() {
                pen.lose().await;
            }
            tended
        });
        tended.map_err(|cause| cause.to_string())
    }
}

/// Writes a batch. A connection that was found dead is replaced at once, and nobody hears of it.
async fn put(pen: &mut Pen, mut names: Option<&mut Names>, batch: &Batch) -> Result<(), Trouble> {
    let was_held = pen.is_held();
    match attempt(pen, names.as_deref_mut(), batch).await {
        // A server that says nothing says nothing the second time.
        Err(Trouble::Silent(most)) => Err(Trouble::Silent(most)),
        Err(_) if was_held => attempt(pen, names, batch).await,
        first => first,
    }
}

async fn attempt(pen: &mut Pen, names: Option<&mut Names>, batch: &Batch) -> Result<(), Trouble> {
    let most = pen.patience();
    let written = match names {
        None => within(most, pen.write(|head| Sheet::of(head, batch, None))).await,
        Some(names) => within(most, pen.write_named(names, batch)).await,
    };
    if written.is_err() {
        pen.lose().await;
    }
    written
}

async fn tend(pen: &mut Pen, numbers: (i64, i64), now: Timestamp, keep: Option<Timestamp>) -> Result<Tended, Trouble> {
    pen.ready().await?;
    let (session, _) = pen.held()?;
    let owners = session.link.client.query(OWNERS, &[&numbers.0, &numbers.1]).await?;
    for owner in owners {
        recover(pen, owner.try_get(0)?).await?;
    }
    match keep {
        Some(keep) => age(pen, now, keep).await,
        None => Ok(Tended::Done),
    }
}

/// Makes records of the intents of a gate, unless it lives: then it holds its lock.
async fn recover(pen: &mut Pen, owner: i32) -> Result<(), Trouble> {
    let (session, head) = pen.held()?;
    let transaction = session.link.client.transaction().await?;
    let is_dead = transaction.query_one("SELECT pg_try_advisory_xact_lock($1, $2)", &[&lock::OWNER, &owner]).await?;
    if !is_dead.try_get::<_, bool>(0)? {
        return Ok(transaction.rollback().await?);
    }
    let left = transaction.query(LEFT, &[&i64::from(owner), &count(MOST)]).await?;
    let mut entries = Vec::with_capacity(left.len());
    for row in &left {
        let entry = Entry::parse(row.try_get(1)?).ok_or(Trouble::Damaged("an intent"))?;
        entries.push(entry.unclear());
    }
    let settled = left.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
    let sheet = Sheet::made(head, &entries, settled);
    sheet.write(&transaction, &session.write).await?;
    transaction.commit().await?;
    if !entries.is_empty() {
        tracing::warn!(records = entries.len(), "calls of a gate that ended are on record as unclear");
    }
    pen.moved(sheet.end);
    Ok(())
}

/// Removes some of what is from before `keep`: records, and whose the pseudonyms were that nobody uses any more.
async fn age(pen: &mut Pen, now: Timestamp, keep: Timestamp) -> Result<Tended, Trouble> {
    let (session, _) = pen.held()?;
    let swept = match keep.checked_sub(SLACK) {
        Ok(keep) => callers::sweep(&session.link.client, keep).await?,
        Err(_) => false,
    };
    let pruned = prune(pen, now, keep).await?;
    Ok(if swept { Tended::Partly } else { pruned })
}

/// Removes some of the oldest records of this chain from before `keep`.
async fn prune(pen: &mut Pen, now: Timestamp, keep: Timestamp) -> Result<Tended, Trouble> {
    let (session, head) = pen.held()?;
    let client = &mut session.link.client;
    let oldest = reader::after(client, head.chain, 0, MOST).await?.into_iter();
    let old = oldest.take_while(|row| {
        let entry = std::str::from_utf8(&row.line).ok().and_then(Entry::parse);
        row.chain == head.chain && row.seq < head.seq && entry.is_some_and(|entry| entry.at < keep)
    });
    let point = old.last().and_then(|row| Some(Head { chain: row.chain, seq: row.seq, hash: row.hash? }));
    let Some(point) = point else { return Ok(Tended::Done) };
    let mut points = reader::checkpoints(client).await?;
    points.retain(|other| other.chain != point.chain);
    points.push(point);
    let sheet = Sheet::made(head, &[verify::attest(&points, now)], Vec::new());
    let transaction = client.transaction().await?;
    sheet.write(&transaction, &session.write).await?;
    let shorten = "INSERT INTO callgate_audit_checkpoints (id, hash) VALUES ($1, $2)";
    transaction.execute(shorten, &[&point.row(), &point.hash.0.to_vec()]).await?;
    transaction.execute("DELETE FROM callgate_audit WHERE id BETWEEN $1 AND $2", &[&row(point.chain, 0), &point.row()]).await?;
    transaction.commit().await?;
    pen.moved(sheet.end);
    Ok(Tended::Partly)
}

fn count(most: usize) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX)
}
