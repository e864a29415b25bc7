//! API keys in the database: what one gate adds or revokes, the others find.

use std::{fmt, time::Duration};

use async_trait::async_trait;
use deadpool_postgres::Pool;
use jiff::Timestamp;
use tokio_postgres::{Row, types::ToSql};

use super::trouble::{Trouble, within};
use crate::{ApiKey, Error, Keys};

const COLUMNS: &str = "id, caller, tenant, roles, scopes, hash, created, expires, revoked";

/// The table, over connections of its own.
pub(super) struct Table {
    pool: Pool,
    patience: Duration,
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Table(…)")
    }
}

impl Table {
    pub(super) fn new(pool: Pool, patience: Duration) -> Self {
        Self { pool, patience }
    }

    async fn read(&self, rest: &str, values: &[&(dyn ToSql + Sync)]) -> Result<Vec<ApiKey>, Error> {
        let read = async {
            let client = self.pool.get().await?;
            let select = client.prepare_cached(&format!("SELECT {COLUMNS} FROM callgate_api_keys {rest}")).await?;
            client.query(&select, values).await?.iter().map(key).collect::<Result<_, Trouble>>()
        };
        within(self.patience, read).await.map_err(Error::reading)
    }

    async fn change(&self, statement: &str, values: &[&(dyn ToSql + Sync)]) -> Result<u64, Trouble> {
        within(self.patience, async { Ok(self.pool.get().await?.execute(statement, values).await?) }).await
    }
}

#[async_trait]
impl Keys for Table {
    async fn find(&self, id: &str) -> Result<Option<ApiKey>, Error> {
        Ok(self.read("WHERE id = $1", &[&id]).await?.pop())
    }

    async fn list(&self) -> Result<Vec<ApiKey>, Error> {
        self.read("ORDER BY created, id", &[]).await
    }

    async fn add(&self, key: &ApiKey) -> Result<(), Error> {
        let ApiKey { id, caller, tenant, roles, scopes, hash, created, expires, revoked } = key;
        let insert = format!("INSERT INTO callgate_api_keys ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)");
        let (created, expires, revoked) =
            (created.as_microsecond(), expires.map(Timestamp::as_microsecond), revoked.map(Timestamp::as_microsecond));
        match self.change(&insert, &[id, caller, tenant, roles, scopes, hash, &created, &expires, &revoked]).await {
            Ok(_) => Ok(()),
            Err(cause) if cause.is_taken() => Err(Error::Taken { id: id.clone() }),
            Err(cause) => Err(Error::writing(cause)),
        }
    }

    async fn revoke(&self, id: &str, at: Timestamp) -> Result<bool, Error> {
        let update = "UPDATE callgate_api_keys SET revoked = $2 WHERE id = $1 AND revoked IS NULL";
        let changed = self.change(update, &[&id, &at.as_microsecond()]).await;
        changed.map(|changed| changed > 0).map_err(Error::writing)
    }
}

fn key(row: &Row) -> Result<ApiKey, Trouble> {
    let time = |at: i64| Timestamp::from_microsecond(at).map_err(|_| Trouble::Damaged("the time of a key"));
    let moment = |column| row.try_get::<_, Option<i64>>(column)?.map(time).transpose();
    Ok(ApiKey {
        id: row.try_get(0)?,
        caller: row.try_get(1)?,
        tenant: row.try_get(2)?,
        roles: row.try_get(3)?,
        scopes: row.try_get(4)?,
        hash: row.try_get(5)?,
        created: time(row.try_get(6)?)?,
        expires: moment(7)?,
        revoked: moment(8)?,
    })
}
