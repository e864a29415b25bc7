//! Migrations on SQLite: one exclusive transaction per script, which is the lock as well.

use std::time::Duration;

use rusqlite::{Connection, TransactionBehavior, params};

use crate::sql::{
    engine::Objection,
    migrate::{Script, TABLE, standing},
};

/// Another gate may be migrating the same file: it is given this long.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs the scripts that have not run yet.
pub(super) fn run(connection: &mut Connection, scripts: &[Script]) -> Result<Vec<String>, Objection> {
    let fail = |error: rusqlite::Error| Objection::new(format!("migrations cannot run: {error}"));
    connection.busy_timeout(PATIENCE).map_err(fail)?;
    connection.execute_batch(TABLE).map_err(fail)?;
    let mut done = Vec::new();
    // The lock is taken for each script, and what has run is read under it: of two gates at once, one runs a script.
    while let Some(name) = next(connection, scripts)? {
        done.push(name);
    }
    Ok(done)
}

fn next(connection: &mut Connection, scripts: &[Script]) -> Result<Option<String>, Objection> {
    let fail = |error: rusqlite::Error| Objection::new(format!("migrations cannot run: {error}"));
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Exclusive).map_err(fail)?;
    let applied: Vec<(String, String)> = transaction
        .prepare("SELECT name, checksum FROM callgate_migrations ORDER BY name")
        .and_then(|mut statement| statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect())
        .map_err(fail)?;
    let Some(script) = standing(scripts, &applied)?.into_iter().next() else { return Ok(None) };
    let broken = |error: rusqlite::Error| Objection::new(format!("migration `{}` failed and was undone: {error}", script.name));
    transaction.execute_batch(&script.sql).map_err(broken)?;
    if transaction.is_autocommit() {
        return Err(Objection::new(format!("migration `{}` ended its transaction itself", script.name)).help("leave BEGIN and COMMIT out"));
    }
    transaction
        .execute("INSERT INTO callgate_migrations (name, checksum) VALUES (?1, ?2)", params![script.name, script.checksum])
        .map_err(broken)?;
    transaction.commit().map_err(broken)?;
    Ok(Some(script.name.clone()))
}
