//! Reading the log, beside the gates that write it.

use std::collections::HashMap;

use async_trait::async_trait;
use deadpool_postgres::Pool;
use tokio_postgres::{GenericClient, Row as SqlRow};

use super::{
    callers,
    connect::Server,
    trouble::{Trouble, within},
};
use crate::{
    Error, Hash, Head, Left, Log, Row,
    audit::{place, row},
};

/// A log on a server.
pub(super) struct Reader {
    pool: Pool,
    patience: std::time::Duration,
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Reader(…)")
    }
}

impl Reader {
    /// The log on this server, which must answer.
    pub(super) async fn open(server: &Server) -> Result<Self, Error> {
        let reader = Self { pool: server.pool(1).map_err(Error::server)?, patience: server.patience() };
        drop(reader.pool.get().await.map_err(|cause| Error::server(Trouble::Pool(cause)))?);
        Ok(reader)
    }
}

#[async_trait]
impl Log for Reader {
    async fn after(&self, chain: u32, seq: u64, most: usize) -> Result<Vec<Row>, Error> {
        let read = within(self.patience, async { after(&**self.pool.get().await?, chain, seq, most).await });
        read.await.map_err(Error::reading)
    }

    async fn last(&self, most: usize) -> Result<Vec<Row>, Error> {
        within(self.patience, async { last(&**self.pool.get().await?, most).await }).await.map_err(Error::reading)
    }

    async fn names(&self, pseudonyms: &[String]) -> Result<HashMap<String, String>, Error> {
        within(self.patience, async { callers::names(&**self.pool.get().await?, pseudonyms).await }).await.map_err(Error::reading)
    }

    async fn left(&self) -> Result<Left, Error> {
        within(self.patience, async { left(&**self.pool.get().await?).await }).await.map_err(Error::reading)
    }
}

/// At most `most` rows behind a place.
pub(super) async fn after(client: &impl GenericClient, chain: u32, seq: u64, most: usize) -> Result<Vec<Row>, Trouble> {
    let select = "SELECT id, hash, line FROM callgate_audit WHERE id > $1 ORDER BY id LIMIT $2";
    let rows = client.query(select, &[&row(chain, seq), &count(most)]).await?;
    rows.iter().map(stored).collect()
}

async fn last(client: &impl GenericClient, most: usize) -> Result<Vec<Row>, Trouble> {
    let mut all = Vec::new();
    let mut next = 0;
    // Each chain is found by the first row behind the one before it.
    while let Some(chain) = after(client, next, 0, 1).await?.first().map(|first| first.chain) {
        let select = "SELECT id, hash, line FROM callgate_audit WHERE id >= $1 AND id < $2 ORDER BY id DESC LIMIT $3";
        let rows = client.query(select, &[&row(chain, 0), &row(chain + 1, 0), &count(most)]).await?;
        for row in rows.iter().rev() {
            all.push(stored(row)?);
        }
        next = chain + 1;
    }
    Ok(all)
}

async fn left(client: &impl GenericClient) -> Result<Left, Trouble> {
    let intents: i64 = client.query_one("SELECT count(*) FROM callgate_audit_intents", &[]).await?.try_get(0)?;
    Ok(Left { intents: intents.unsigned_abs(), before_chain: 0, checkpoints: checkpoints(client).await? })
}

/// The latest checkpoint of each chain.
pub(super) async fn checkpoints(client: &impl GenericClient) -> Result<Vec<Head>, Trouble> {
    let select = "SELECT DISTINCT ON (id >> 40) id, hash FROM callgate_audit_checkpoints ORDER BY id >> 40, id DESC";
    let point = |found: &SqlRow| {
        let (chain, seq) = place(found.try_get(0)?);
        Ok(Head { chain, seq, hash: Hash::of(found.try_get(1)?).unwrap_or_default() })
    };
    client.query(select, &[]).await?.iter().map(point).collect()
}

/// A row as it is, whatever somebody may have written there.
fn stored(found: &SqlRow) -> Result<Row, Trouble> {
    let (chain, seq) = place(found.try_get(0)?);
    let line: &str = found.try_get(2)?;
    Ok(Row { chain, seq, hash: Hash::of(found.try_get(1)?), line: line.as_bytes().to_vec() })
}

fn count(most: usize) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX)
}
