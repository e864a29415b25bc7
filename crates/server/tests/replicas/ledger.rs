//! What callers were told, against what is in the database and on record.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use anyhow::{Context as _, ensure};
use serde_json::Value;

use crate::world::{Replica, World, until};

/// What is on record about each order: by its mark, the outcomes.
async fn on_record(replica: &Replica) -> anyhow::Result<HashMap<String, Vec<String>>> {
    let lines = replica.command(&["audit", "export", "--tool", "add_order", "-c", "FOLDER"]).await?;
    let mut records: HashMap<String, Vec<String>> = HashMap::new();
    for line in lines.lines() {
        let line: Value = serde_json::from_str(line)?;
        let record = &line["record"];
        let mark = record["arguments"]["mark"].as_str().context("a record without its arguments")?;
        records.entry(mark.to_owned()).or_default().push(record["outcome"].as_str().context("no outcome")?.to_owned());
    }
    Ok(records)
}

/// Everything that was acknowledged is there once and on record, and nothing is there that is not on record.
pub(crate) async fn check_orders(world: &World, acknowledged: &[String]) -> anyhow::Result<()> {
    let client = world.client().await?;
    let open = async || Ok(client.query_one("SELECT count(*) FROM callgate_audit_intents", &[]).await?.get::<_, i64>(0) == 0);
    until("every intent becomes a record", Duration::from_secs(10), open).await?;
    let rows = client.query("SELECT mark, count(*) FROM orders GROUP BY mark", &[]).await?;
    let rows: HashMap<String, i64> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    let records = on_record(&world.replicas[0]).await?;
    println!("{} orders, {} of them acknowledged, {} on record", rows.len(), acknowledged.len(), records.len());
    for mark in acknowledged {
        ensure!(rows.get(mark) == Some(&1), "order {mark} was acknowledged and is there {:?} times", rows.get(mark));
        ensure!(records.get(mark).is_some_and(|outcomes| outcomes == &["ok"]), "order {mark}: {:?}", records.get(mark));
    }
    let acknowledged: HashSet<&String> = acknowledged.iter().collect();
    for (mark, times) in &rows {
        ensure!(*times == 1, "order {mark} is there {times} times");
        let outcomes = records.get(mark).with_context(|| format!("order {mark} is not on record"))?;
        let known = acknowledged.contains(mark) || outcomes.iter().all(|outcome| outcome == "ok" || outcome == "unclear");
        ensure!(known, "order {mark} is there, and on record as {outcomes:?}");
    }
    for (mark, outcomes) in &records {
        ensure!(rows.contains_key(mark) || !outcomes.iter().any(|outcome| outcome == "ok"), "order {mark} is on record and not there");
    }
    Ok(())
}

/// The log is whole, up to the last signed head of both.
pub(crate) async fn check_log(world: &World) -> anyhow::Result<()> {
    let heads = world.replicas.each_ref().map(|replica| replica.heads().display().to_string());
    let said = world.replicas[0].command(&["audit", "verify", "--heads", &heads[0], "--heads", &heads[1], "-c", "FOLDER"]).await?;
    ensure!(said.ends_with("ok\n") && !said.contains(" 0 signed heads"), "{said}");
    println!("{said}");
    Ok(())
}
