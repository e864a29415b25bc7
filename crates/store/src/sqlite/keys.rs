//! API keys in the file. Statements here touch one small table for microseconds, so they run where they are called.

use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Connection, ErrorCode, Row, params, types::Type};

use crate::{ApiKey, Error, Keys};

const COLUMNS: &str = "id, caller, tenant, roles, scopes, hash, created, expires, revoked";

/// The table, over a connection of its own.
#[derive(Debug)]
pub(super) struct Table(Mutex<Connection>);

impl Table {
    pub(super) fn new(connection: Connection) -> Self {
        Self(Mutex::new(connection))
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        // A statement that panicked has been rolled back when its value was dropped.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self, rest: &str, values: impl rusqlite::Params) -> rusqlite::Result<Vec<ApiKey>> {
        let connection = self.lock();
        let mut select = connection.prepare_cached(&format!("SELECT {COLUMNS} FROM api_keys {rest}"))?;
        select.query_map(values, key)?.collect()
    }
}

#[async_trait]
impl Keys for Table {
    async fn find(&self, id: &str) -> Result<Option<ApiKey>, Error> {
        let found = self.read("WHERE id = ?1", [id]);
        found.map(|mut keys| keys.pop()).map_err(Error::reading)
    }

    async fn list(&self) -> Result<Vec<ApiKey>, Error> {
        self.read("ORDER BY created, id", []).map_err(Error::reading)
    }

    async fn add(&self, key: &ApiKey) -> Result<(), Error> {
        let ApiKey { id, caller, tenant, roles, scopes, hash, created, expires, revoked } = key;
        let insert = format!("INSERT INTO api_keys ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)");
        let (created, expires, revoked) =
            (created.as_microsecond(), expires.map(Timestamp::as_microsecond), revoked.map(Timestamp::as_microsecond));
        let values = params![id, caller, tenant, list(roles), list(scopes), hash, created, expires, revoked];
        match self.lock().execute(&insert, values) {
            Ok(_) => Ok(()),
            Err(cause) if cause.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => Err(Error::Taken { id: id.clone() }),
            Err(cause) => Err(Error::writing(cause)),
        }
    }

    async fn revoke(&self, id: &str, at: Timestamp) -> Result<bool, Error> {
        let update = "UPDATE api_keys SET revoked = ?2 WHERE id = ?1 AND revoked IS NULL";
        let changed = self.lock().execute(update, params![id, at.as_microsecond()]);
        changed.map(|changed| changed > 0).map_err(Error::writing)
    }
}

fn list(names: &[String]) -> String {
    serde_json::to_string(names).expect("a list of texts always has a JSON text")
}

fn key(row: &Row<'_>) -> rusqlite::Result<ApiKey> {
    let names = |column| {
        let text: String = row.get(column)?;
        serde_json::from_str(&text).map_err(|cause| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, cause.into()))
    };
    let time = |column, at: i64| {
        Timestamp::from_microsecond(at).map_err(|cause| rusqlite::Error::FromSqlConversionFailure(column, Type::Integer, cause.into()))
    };
    let moment = |column| row.get::<_, Option<i64>>(column)?.map(|at| time(column, at)).transpose();
    Ok(ApiKey {
        id: row.get(0)?,
        caller: row.get(1)?,
        tenant: row.get(2)?,
        roles: names(3)?,
        scopes: names(4)?,
        hash: row.get(5)?,
        created: time(6, row.get(6)?)?,
        expires: moment(7)?,
        revoked: moment(8)?,
    })
}
