//! What `verify` says about logs that somebody has changed, and what of them cannot be changed in silence.

use std::{fs, path::Path};

use aws_lc_rs::digest::{SHA256, digest};
use rusqlite::{Connection, params};

use super::{Slots, config, opened, reading, record, upkeep, written};
use crate::{
    Name, Opening, Upkeep, open, read_heads,
    verify::{Report, verify},
};

/// A log of five records and the heads of a gate that ended properly.
async fn five(folder: &Path) -> Connection {
    let (store, slots) = (opened(Name::Sqlite, folder).await, Slots::new());
    for name in ["a", "b", "c", "d", "e"] {
        written(store.as_ref(), &slots, record(name)).await;
    }
    drop(store);
    file(folder)
}

/// The file, with nothing that keeps anybody from changing it.
fn file(folder: &Path) -> Connection {
    let file = Connection::open(folder.join("deep/er/gate.db")).expect("a file");
    let triggers: Vec<String> = {
        let mut select = file.prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'").expect("a statement");
        select.query_map([], |row| row.get(0)).expect("rows").map(|name| name.expect("a name")).collect()
    };
    for name in triggers {
        file.execute_batch(&format!("DROP TRIGGER {name}")).expect("a trigger");
    }
    file
}

async fn checked(folder: &Path) -> Report {
    let keys = upkeep().heads.keys().expect("keys");
    let heads = read_heads(&folder.join("heads.jsonl"), &keys).expect("heads");
    verify(reading(folder).await.as_ref(), &heads).await.expect("a report")
}

fn said(report: &Report) -> String {
    report.broken.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// A person can check a record with nothing but SHA-256.
#[tokio::test]
async fn a_hash_is_that_of_the_one_before_and_the_line() {
    let folder = tempfile::tempdir().expect("a folder");
    drop(five(folder.path()).await);
    let rows = reading(folder.path()).await.after(0, 0, 2).await.expect("rows");
    let mut before = "0".repeat(64);
    for row in rows {
        let line = String::from_utf8(row.line).expect("a text");
        before = digest(&SHA256, format!("{before}{line}").as_bytes()).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(row.hash.expect("a hash").to_string(), before);
    }
    let first = reading(folder.path()).await.after(0, 0, 1).await.expect("rows").remove(0);
    assert_eq!(
        String::from_utf8(first.line).expect("a text"),
        concat!(
            r#"{"chain":0,"seq":1,"at":1700000000123456,"request":"r-1","tenant":"local","caller":"local","proof":"local","#,
            r#""transport":"http","revision":"2026-07-28","traceparent":"00-1-2-01","sort":"tool","name":"a","backend":"shop","#,
            r#""effect":"write","arguments":{"a":1},"outcome":"ok","duration":321}"#
        )
    );
}

#[tokio::test]
async fn a_log_that_nobody_changed_is_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    drop(five(folder.path()).await);
    let report = checked(folder.path()).await;
    assert_eq!((said(&report).as_str(), report.records, report.intents), ("", 5, 0));
    assert!(report.heads > 0 && report.chains[0].seq == 5);
}

#[tokio::test]
async fn any_changed_byte_of_any_record_is_found() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = five(folder.path()).await;
    for seq in 1..=5 {
        for column in ["hash", "line"] {
            let get = format!("SELECT CAST({column} AS BLOB) FROM audit WHERE id = ?1");
            let whole: Vec<u8> = file.query_row(&get, [seq], |row| row.get(0)).expect("a value");
            let kind = if column == "hash" { "BLOB" } else { "TEXT" };
            let put = format!("UPDATE audit SET {column} = CAST(?1 AS {kind}) WHERE id = ?2");
            for index in 0..whole.len() {
                let mut changed = whole.clone();
                changed[index] ^= 1;
                file.execute(&put, params![changed, seq]).expect("a change");
                let report = checked(folder.path()).await;
                let expected = format!("chain 0, record {seq}: does not hash to what is stored: it was changed");
                assert_eq!(said(&report), expected, "{column} byte {index}");
            }
            file.execute(&put, params![whole, seq]).expect("a change");
        }
    }
    assert_eq!(said(&checked(folder.path()).await), "");
}

/// What somebody does to the table, and what is said about it.
#[tokio::test]
async fn removed_added_and_moved_records_are_found() {
    const CHANGED: &str = "does not hash to what is stored: it was changed";
    const MISSING: &str = "is missing, and later records are there";
    let cases = [
        ("DELETE FROM audit WHERE id = 1", 1, MISSING),
        ("DELETE FROM audit WHERE id = 3", 3, MISSING),
        ("DELETE FROM audit WHERE id > 3", 4, "is missing: a signed head says that the chain had come this far"),
        ("DELETE FROM audit", 1, "is missing: a signed head says that the chain had come this far"),
        ("INSERT INTO audit SELECT 6, hash, line FROM audit WHERE id = 5", 6, CHANGED),
        ("UPDATE audit SET id = 7 WHERE id = 5", 5, MISSING),
        ("UPDATE audit SET id = 99 WHERE id = 2; UPDATE audit SET id = 2 WHERE id = 3; UPDATE audit SET id = 3 WHERE id = 99", 2, CHANGED),
        (
            "INSERT INTO audit_checkpoints SELECT id, hash FROM audit WHERE id = 2; DELETE FROM audit WHERE id <= 2",
            2,
            "is said to have been removed by age, and no record of the gate says so",
        ),
    ];
    for (change, seq, why) in cases {
        let folder = tempfile::tempdir().expect("a folder");
        five(folder.path()).await.execute_batch(change).expect(change);
        assert_eq!(said(&checked(folder.path()).await), format!("chain 0, record {seq}: {why}"), "{change}");
    }
}

#[tokio::test]
async fn yesterdays_file_is_found() {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, aside) = (folder.path().join("deep/er/gate.db"), folder.path().join("yesterday.db"));
    drop(five(folder.path()).await);
    fs::copy(&path, &aside).expect("a copy");
    let store = opened(Name::Sqlite, folder.path()).await;
    written(store.as_ref(), &Slots::new(), record("f")).await;
    drop(store);
    fs::copy(&aside, &path).expect("a copy");
    assert_eq!(said(&checked(folder.path()).await), "chain 0, record 6: is missing: a signed head says that the chain had come this far");
    // A gate that goes on from there writes another record in its place.
    let store = opened(Name::Sqlite, folder.path()).await;
    written(store.as_ref(), &Slots::new(), record("g")).await;
    drop(store);
    assert!(said(&checked(folder.path()).await).starts_with("chain 0, record 6: is not the one that a signed head names"));
}

#[tokio::test]
async fn a_head_that_somebody_made_up_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    drop(five(folder.path()).await);
    let (path, keys) = (folder.path().join("heads.jsonl"), upkeep().heads.keys().expect("keys"));
    let text = fs::read_to_string(&path).expect("a file");
    fs::write(&path, text.replace("\"seq\":5", "\"seq\":4")).expect("a file");
    let refused = read_heads(&path, &keys).expect_err("a signature").to_string();
    assert!(refused.contains("is not signed with this key"), "{refused}");
    fs::write(&path, text + "{\"chain\":0,\"se").expect("a file");
    assert_eq!(read_heads(&path, &keys).expect("the whole lines").last().expect("a head").seq, 5);
}

/// Two processes beside each other write a chain each, and both are checked.
#[tokio::test]
async fn every_writer_has_its_chain() {
    let folder = tempfile::tempdir().expect("a folder");
    let (one, two, slots) = (opened(Name::Sqlite, folder.path()).await, opened(Name::Sqlite, folder.path()).await, Slots::new());
    for round in ["a", "b"] {
        written(one.as_ref(), &slots, record(round)).await;
        written(two.as_ref(), &slots, record(round)).await;
    }
    drop((one, two));
    let report = checked(folder.path()).await;
    let places: Vec<_> = report.chains.iter().map(|head| (head.chain, head.seq)).collect();
    assert_eq!((said(&report).as_str(), places), ("", vec![(0, 2), (1, 2)]));
}

/// Records that are old enough go, the chain still verifies, and everything else stays where it is.
#[tokio::test]
async fn records_that_are_old_enough_are_removed() {
    let folder = tempfile::tempdir().expect("a folder");
    drop(five(folder.path()).await);
    let keep = |seconds| Upkeep { keep: Some(callgate_config::Span::seconds(seconds)), ..upkeep() };
    for (seconds, first) in [(100, 1), (99, 5)] {
        let store = open(&Opening { config: &config(Name::Sqlite), upkeep: keep(seconds), folder: folder.path() }).await.expect("a store");
        // The first batch is what makes the writer look around.
        written(store.as_ref(), &Slots::new(), crate::Record { at: upkeep().clock.now(), ..record("f") }).await;
        drop(store);
        let rows = reading(folder.path()).await.after(0, 0, 1).await.expect("rows");
        assert!(rows[0].seq >= first, "{seconds}: {}", rows[0].seq);
        assert_eq!(said(&checked(folder.path()).await), "", "{seconds}");
    }
    let file = Connection::open(folder.path().join("deep/er/gate.db")).expect("a file");
    let refused = opened(Name::Sqlite, folder.path()).await;
    drop(refused);
    assert!(file.execute("DELETE FROM audit_checkpoints", []).is_ok(), "the triggers of this file were dropped above");
    assert!(said(&checked(folder.path()).await).contains("is missing, and later records are there"));
}

/// What version 1 wrote stays, beside the chain.
#[tokio::test]
async fn records_from_before_the_chain_are_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir_all(folder.path().join("deep/er")).expect("a folder");
    let file = Connection::open(folder.path().join("deep/er/gate.db")).expect("a file");
    file.execute_batch(crate::sqlite::FIRST).expect("tables");
    file.execute_batch(
        "CREATE TABLE parts (name TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT;
         INSERT INTO parts VALUES ('audit', 1);
         INSERT INTO audit (at, request, depth, caller, transport, revision, sort, name, arguments, outcome, duration)
         VALUES (1, 'r', 0, 'c', 'http', '', 'tool', 'old', '{}', 'ok', 1);",
    )
    .expect("a record");
    drop(file);
    let (store, slots) = (opened(Name::Sqlite, folder.path()).await, Slots::new());
    written(store.as_ref(), &slots, record("new")).await;
    drop(store);
    let report = checked(folder.path()).await;
    assert_eq!((report.before_chain, report.records, said(&report).as_str()), (1, 1, ""));
    let file = Connection::open(folder.path().join("deep/er/gate.db")).expect("a file");
    assert!(file.execute("DELETE FROM audit_before_chain", []).is_err(), "they cannot be removed either");
}
