//! Migrations on PostgreSQL: an advisory lock around all, a transaction around each.

use tokio_postgres::{Client, Error};

use crate::sql::{
    engine::Objection,
    migrate::{Script, TABLE, standing},
};

/// The number of the lock: any number would do, as long as all gates have the same.
const LOCK: i64 = 0x6361_6c6c_6761_7465;

/// Runs the scripts that have not run yet. Closing the connection gives the lock back, whatever happens.
pub(super) async fn run(client: &Client, scripts: &[Script]) -> Result<Vec<String>, Objection> {
    let fail = |error: Error| Objection::new(format!("migrations cannot run: {}", told(&error)));
    client.batch_execute("SET lock_timeout = '60s'").await.map_err(fail)?;
    client.execute("SELECT pg_advisory_lock($1)", &[&LOCK]).await.map_err(fail)?;
    client.batch_execute("SET lock_timeout = 0").await.map_err(fail)?;
    client.batch_execute(&format!("BEGIN READ WRITE; {TABLE}; COMMIT")).await.map_err(fail)?;
    let rows = client.query("SELECT name, checksum FROM callgate_migrations ORDER BY name", &[]).await.map_err(fail)?;
    let applied: Vec<(String, String)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    let mut done = Vec::new();
    for script in standing(scripts, &applied)? {
        apply(client, script).await?;
        done.push(script.name.clone());
    }
    Ok(done)
}

async fn apply(client: &Client, script: &Script) -> Result<(), Objection> {
    let broken = |error: Error| Objection::new(format!("migration `{}` failed and was undone: {}", script.name, told(&error)));
    client.batch_execute("BEGIN READ WRITE").await.map_err(broken)?;
    // If the script ends the transaction itself, what follows is not allowed to write: the session is read-only.
    client.batch_execute(&script.sql).await.map_err(broken)?;
    let written = "INSERT INTO callgate_migrations (name, checksum) VALUES ($1, $2)";
    client.execute(written, &[&script.name, &script.checksum]).await.map_err(broken)?;
    client.batch_execute("COMMIT").await.map_err(broken)
}

fn told(error: &Error) -> String {
    error.as_db_error().map_or_else(|| error.to_string(), |told| told.message().to_owned())
}
