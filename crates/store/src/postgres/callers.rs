//! Whose a pseudonym is, in the database.
//!
//! What a gate remembers holds under a count of forgotten callers. The statement that writes a batch does nothing if the count has
//! moved; then the pen asks anew. Only a batch whose statement had begun when a caller was forgotten is written under the name from
//! before, which by then is nobody's.

use std::{borrow::Cow, collections::HashMap, fmt, time::Duration};

use async_trait::async_trait;
use deadpool_postgres::Pool;
use futures_util::future::try_join_all;
use jiff::Timestamp;
use tokio_postgres::{Client, GenericClient, Row, Statement};

use super::trouble::{Trouble, within};
use crate::{
    Error,
    pseudonyms::{Callers, Names},
    writing::Batch,
};

const TIMES: &str = "SELECT times FROM callgate_audit_forgotten";
const MAKE: &str = "\
    INSERT INTO callgate_audit_callers AS known (tenant, caller, pseudonym, used) VALUES ($1, $2, $3, $4) \
    ON CONFLICT (tenant, caller) DO UPDATE SET used = greatest(known.used, excluded.used) \
    RETURNING pseudonym";
const FIND: &str = "SELECT pseudonym, caller FROM callgate_audit_callers WHERE pseudonym = ANY ($1)";
const FORGET: &str = "\
    WITH gone AS (DELETE FROM callgate_audit_callers WHERE tenant = $1 AND caller = $2 RETURNING pseudonym), \
    counted AS (UPDATE callgate_audit_forgotten SET times = times + 1 WHERE EXISTS (SELECT FROM gone)) \
    SELECT pseudonym FROM gone";
/// A gate that uses a row just now holds its lock: such a row is not old.
const SWEEP: &str = "\
    WITH old AS (SELECT pseudonym FROM callgate_audit_callers WHERE used < $1 LIMIT 1000 FOR UPDATE SKIP LOCKED), \
    gone AS (DELETE FROM callgate_audit_callers WHERE pseudonym IN (SELECT pseudonym FROM old) RETURNING 1), \
    counted AS (UPDATE callgate_audit_forgotten SET times = times + 1 WHERE EXISTS (SELECT FROM gone)) \
    SELECT count(*) FROM gone";

/// Forgets callers, over connections that the table of keys has too.
pub(super) struct Table {
    pub(super) pool: Pool,
    pub(super) patience: Duration,
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Table(…)")
    }
}

#[async_trait]
impl Callers for Table {
    async fn forget(&self, tenant: &str, caller: &str) -> Result<Option<String>, Error> {
        let forget = async {
            let client = self.pool.get().await?;
            let gone = client.query_opt(FORGET, &[&kept(tenant), &kept(caller)]).await?;
            Ok(gone.map(|row| row.try_get(0)).transpose()?)
        };
        within(self.patience, forget).await.map_err(Error::writing)
    }
}

/// The statement that asks for a pseudonym, on this connection.
pub(super) async fn prepare(client: &Client) -> Result<Statement, Trouble> {
    Ok(client.prepare(MAKE).await?)
}

/// How often somebody was forgotten. Asked before names are: a count that is too old is noticed when the batch is written.
pub(super) async fn times(client: &Client) -> Result<i64, Trouble> {
    Ok(client.query_one(TIMES, &[]).await?.try_get(0)?)
}

/// Makes sure that `names` knows everybody in the batch. What is stored here is committed before the batch is written.
pub(super) async fn learn(client: &mut Client, make: &Statement, names: &mut Names, batch: &Batch) -> Result<(), Trouble> {
    let wanted = names.wanted(batch);
    if wanted.is_empty() {
        return Ok(());
    }
    let transaction = client.transaction().await?;
    // All are on their way at once, and the server takes them in this order: gates that ask for the same callers wait for each other
    // and never in a circle.
    let ask = async |tenant: Cow<'_, str>, caller: Cow<'_, str>, fresh: &str, used: i64| {
        transaction.query_one(make, &[&tenant, &caller, &fresh, &used]).await
    };
    let rows = try_join_all(wanted.iter().map(|one| ask(kept(one.caller.tenant()), kept(one.caller.id()), &one.fresh, one.used)));
    let rows: Vec<Row> = rows.await?;
    transaction.commit().await?;
    for (one, row) in wanted.iter().zip(rows) {
        names.learn(one, row.try_get(0)?);
    }
    Ok(())
}

/// Forgets some of the callers without any call since `keep`; says whether there were any.
pub(super) async fn sweep(client: &Client, keep: Timestamp) -> Result<bool, Trouble> {
    let keep = keep.as_microsecond();
    let old = "SELECT EXISTS (SELECT FROM callgate_audit_callers WHERE used < $1)";
    if !client.query_one(old, &[&keep]).await?.try_get::<_, bool>(0)? {
        return Ok(false);
    }
    Ok(client.query_one(SWEEP, &[&keep]).await?.try_get::<_, i64>(0)? > 0)
}

/// Who is behind these pseudonyms, as far as the database says; nobody in tables of an earlier version.
pub(super) async fn names(client: &impl GenericClient, pseudonyms: &[String]) -> Result<HashMap<String, String>, Trouble> {
    let is_there = "SELECT to_regclass('callgate_audit_callers') IS NOT NULL";
    if !client.query_one(is_there, &[]).await?.try_get(0)? {
        return Ok(HashMap::new());
    }
    let rows = client.query(FIND, &[&pseudonyms]).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// A name as PostgreSQL can keep it: it knows no text with a zero in it.
fn kept(name: &str) -> Cow<'_, str> {
    if name.contains('\0') { name.replace('\0', "\u{fffd}").into() } else { name.into() }
}
