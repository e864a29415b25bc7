//! Reading the log, beside whoever writes it.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    time::Duration,
};

use async_trait::async_trait;
use rusqlite::{Connection, OpenFlags, Row as SqlRow, params, types::ValueRef};

use super::callers;
use crate::{
    Error, Hash, Head, Left, Log, Row,
    audit::{place, row},
};

/// A log in a file that is opened for each question.
#[derive(Debug)]
pub(super) struct Reader {
    path: PathBuf,
}

impl Reader {
    /// The log in this file, which must be there.
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let reader = Self { path: path.into() };
        reader.connect().map_err(|cause| Error::Open { path: path.into(), cause: cause.into() })?;
        Ok(reader)
    }

    fn connect(&self) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags)?;
        connection.busy_timeout(Duration::from_secs(1))?;
        Ok(connection)
    }

    async fn read<T: Send + 'static>(&self, read: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static) -> Result<T, Error> {
        let connection = self.connect().map_err(Error::reading)?;
        let read = tokio::task::spawn_blocking(move || read(&connection));
        read.await.map_err(Error::reading)?.map_err(Error::reading)
    }
}

#[async_trait]
impl Log for Reader {
    async fn after(&self, chain: u32, seq: u64, most: usize) -> Result<Vec<Row>, Error> {
        self.read(move |connection| after(connection, chain, seq, most)).await
    }

    async fn last(&self, most: usize) -> Result<Vec<Row>, Error> {
        self.read(move |connection| last(connection, most)).await
    }

    async fn names(&self, pseudonyms: &[String]) -> Result<HashMap<String, String>, Error> {
        let pseudonyms = pseudonyms.to_vec();
        self.read(move |connection| callers::names(connection, &pseudonyms)).await
    }

    async fn left(&self) -> Result<Left, Error> {
        self.read(left).await
    }
}

/// At most `most` rows behind a place.
pub(super) fn after(connection: &Connection, chain: u32, seq: u64, most: usize) -> rusqlite::Result<Vec<Row>> {
    let mut select = connection.prepare_cached("SELECT id, hash, line FROM audit WHERE id > ?1 ORDER BY id LIMIT ?2")?;
    select.query_map(params![row(chain, seq), count(most)], stored)?.collect()
}

fn last(connection: &Connection, most: usize) -> rusqlite::Result<Vec<Row>> {
    let mut all = Vec::new();
    let mut next = 0;
    // Each chain is found by the first row behind the one before it.
    while let Some(first) = after(connection, next, 0, 1)?.first() {
        let chain = first.chain;
        let mut select =
            connection.prepare_cached("SELECT id, hash, line FROM audit WHERE id >= ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3")?;
        let rows = select.query_map(params![row(chain, 0), row(chain + 1, 0), count(most)], stored)?;
        let mut rows = rows.collect::<rusqlite::Result<Vec<_>>>()?;
        rows.reverse();
        all.append(&mut rows);
        next = chain + 1;
    }
    Ok(all)
}

fn left(connection: &Connection) -> rusqlite::Result<Left> {
    let number = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).map(i64::unsigned_abs);
    let old = number("SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'audit_before_chain'")?;
    Ok(Left {
        intents: number("SELECT count(*) FROM audit_intents")?,
        before_chain: if old > 0 { number("SELECT count(*) FROM audit_before_chain")? } else { 0 },
        checkpoints: checkpoints(connection)?,
    })
}

/// The latest checkpoint of each chain.
pub(super) fn checkpoints(connection: &Connection) -> rusqlite::Result<Vec<Head>> {
    let mut select = connection.prepare("SELECT id, hash FROM audit_checkpoints ORDER BY id")?;
    let rows = select.query_map([], |found| Ok((found.get::<_, i64>(0)?, found.get::<_, Vec<u8>>(1)?)))?;
    let mut latest: Vec<Head> = Vec::new();
    for found in rows {
        let (id, hash) = found?;
        let (chain, seq) = place(id);
        latest.retain(|head| head.chain != chain);
        latest.push(Head { chain, seq, hash: Hash::of(&hash).unwrap_or_default() });
    }
    Ok(latest)
}

/// A row as it is, whatever somebody may have written there.
fn stored(found: &SqlRow<'_>) -> rusqlite::Result<Row> {
    let (chain, seq) = place(found.get(0)?);
    let bytes = |value: ValueRef<'_>| match value {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes.to_vec(),
        ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) => Vec::new(),
    };
    Ok(Row { chain, seq, hash: Hash::of(&bytes(found.get_ref(1)?)), line: bytes(found.get_ref(2)?) })
}

fn count(most: usize) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX)
}
