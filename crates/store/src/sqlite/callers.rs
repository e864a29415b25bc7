//! Whose a pseudonym is, in the file. A name that is removed is overwritten, here and in the write-ahead log.

use std::{collections::HashMap, path::PathBuf};

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, params};

use super::connect;
use crate::{
    Config, Error,
    pseudonyms::{Callers, Names},
    writing::Batch,
};

const TIMES: &str = "SELECT times FROM audit_forgotten";
const MAKE: &str = "\
    INSERT INTO audit_callers (tenant, caller, pseudonym, used) VALUES (?1, ?2, ?3, ?4) \
    ON CONFLICT (tenant, caller) DO UPDATE SET used = max(used, excluded.used) RETURNING pseudonym";
const FIND: &str = "SELECT caller FROM audit_callers WHERE pseudonym = ?1";
const FORGET: &str = "DELETE FROM audit_callers WHERE tenant = ?1 AND caller = ?2 RETURNING pseudonym";
const COUNT: &str = "UPDATE audit_forgotten SET times = times + 1";
/// So many at once, so that others get at the file in between.
const SWEEP: &str = "DELETE FROM audit_callers WHERE pseudonym IN (SELECT pseudonym FROM audit_callers WHERE used < ?1 LIMIT 1000)";

/// Forgets callers, over a connection that is made for it.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) path: PathBuf,
    pub(super) config: Config,
}

#[async_trait]
impl Callers for Table {
    async fn forget(&self, tenant: &str, caller: &str) -> Result<Option<String>, Error> {
        forget(self, tenant, caller).map_err(Error::writing)
    }
}

fn forget(table: &Table, tenant: &str, caller: &str) -> rusqlite::Result<Option<String>> {
    let mut connection = connect(&table.path, &table.config)?;
    overwrite(&connection)?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let gone = transaction.query_row(FORGET, [tenant, caller], |row| row.get(0)).optional()?;
    if gone.is_some() {
        transaction.execute(COUNT, [])?;
    }
    transaction.commit()?;
    // Pages from before stand in the write-ahead log. Somebody who reads just now keeps them there; then a later fold takes them, and
    // the caller is forgotten all the same.
    let _ = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    Ok(gone)
}

/// What this connection removes is overwritten with zeros.
pub(super) fn overwrite(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "secure_delete", "ON")
}

/// Makes sure, in the transaction that writes the batch, that `names` knows everybody in it.
pub(super) fn learn(transaction: &Transaction<'_>, names: &mut Names, batch: &Batch) -> rusqlite::Result<()> {
    names.as_of(transaction.prepare_cached(TIMES)?.query_row([], |row| row.get(0))?);
    for wanted in names.wanted(batch) {
        let values = params![wanted.caller.tenant(), wanted.caller.id(), wanted.fresh, wanted.used];
        let pseudonym = transaction.prepare_cached(MAKE)?.query_row(values, |row| row.get(0))?;
        names.learn(&wanted, pseudonym);
    }
    Ok(())
}

/// Forgets some of the callers without any call since `keep`; says whether there were any.
pub(super) fn sweep(connection: &mut Connection, keep: Timestamp) -> rusqlite::Result<bool> {
    let old = "SELECT EXISTS (SELECT 1 FROM audit_callers WHERE used < ?1)";
    if !connection.query_row(old, [keep.as_microsecond()], |row| row.get(0))? {
        return Ok(false);
    }
    overwrite(connection)?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let gone = transaction.execute(SWEEP, [keep.as_microsecond()])?;
    if gone > 0 {
        transaction.execute(COUNT, [])?;
    }
    transaction.commit()?;
    Ok(gone > 0)
}

/// Who is behind these pseudonyms, as far as the file says; nobody in the file of an earlier version.
pub(super) fn names(connection: &Connection, pseudonyms: &[String]) -> rusqlite::Result<HashMap<String, String>> {
    let is_there = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'audit_callers')";
    if !connection.query_row(is_there, [], |row| row.get(0))? {
        return Ok(HashMap::new());
    }
    let mut find = connection.prepare(FIND)?;
    let mut names = HashMap::new();
    for pseudonym in pseudonyms {
        if let Some(name) = find.query_row([pseudonym], |row| row.get(0)).optional()? {
            names.insert(pseudonym.clone(), name);
        }
    }
    Ok(names)
}
