//! What every store keeps, and what the SQLite file keeps by itself.

mod chain;
mod erasure;
mod heads;
mod intents;
mod keys;
pub(crate) mod postgres;

use std::{path::Path, sync::Arc, time::Duration};

use callgate_config::Secret;
use callgate_model::{BackendName, Caller, Clock, Effect, Origin, RequestId};
use jiff::Timestamp;
use rusqlite::Connection;
use tokio::sync::Semaphore;

use crate::{Config, Entry, Error, Heads, KINDS, Log, Memory, Name, Opening, Pending, Record, Slot, Store, Subject, Upkeep, log, open};

pub(crate) fn record(name: &str) -> Record {
    Record {
        at: Timestamp::from_microsecond(1_700_000_000_123_456).expect("a time"),
        request: RequestId::new("r-1").expect("an id"),
        depth: 0,
        caller: Caller::local(),
        origin: Arc::new(Origin {
            transport: "http",
            revision: "2026-07-28",
            session: None,
            traceparent: Some("00-1-2-01".into()),
            tracestate: None,
        }),
        subject: Subject {
            sort: "tool",
            name: name.into(),
            backend: Some(BackendName::new("shop").expect("a name")),
            effect: Some(Effect::Write),
        },
        arguments: r#"{"a":1}"#.into(),
        outcome: "ok",
        reason: None,
        duration: Duration::from_micros(321),
        intent: None,
    }
}

struct Slots(Arc<Semaphore>);

impl Slots {
    fn new() -> Self {
        Self(Arc::new(Semaphore::new(1000)))
    }
    fn one(&self) -> Slot {
        self.0.clone().try_acquire_owned().expect("a slot")
    }
}

fn config(kind: Name) -> Config {
    Config { kind, path: "deep/er/gate.db".into(), records: 3, ..Config::default() }
}

/// Heads in `heads.jsonl`, on a clock that stands still.
fn upkeep() -> Upkeep {
    let heads = Heads {
        file: Some("heads.jsonl".into()),
        secret: Some(Secret::new("0123456789abcdef0123456789abcdef".into())),
        ..Heads::default()
    };
    Upkeep { heads, clock: Clock::Fixed(Timestamp::from_second(1_700_000_100).expect("a time")), ..Upkeep::default() }
}

async fn opened(kind: Name, folder: &Path) -> Arc<dyn Store> {
    open(&Opening { config: &config(kind), upkeep: upkeep(), folder }).await.expect("a store")
}

async fn reading(folder: &Path) -> Box<dyn Log> {
    log(&Opening { config: &config(Name::Sqlite), upkeep: Upkeep::default(), folder }).await.expect("a log")
}

/// The records in the file, oldest first.
async fn entries(folder: &Path) -> Vec<Entry> {
    let rows = reading(folder).await.last(100).await.expect("a log");
    rows.iter().map(|row| Entry::parse(std::str::from_utf8(&row.line).expect("a text")).expect("a record")).collect()
}

/// The names in the log, oldest first, with their places.
async fn names(folder: &Path) -> String {
    entries(folder).await.iter().map(|entry| format!("{}:{}", entry.seq, entry.name)).collect::<Vec<_>>().join(" ")
}

/// Appends a record and waits until it is durable.
async fn written(store: &dyn Store, slots: &Slots, record: Record) {
    let (pending, written) = Pending::urgent(record, slots.one());
    store.audit().append(pending);
    written.await.expect("a durable record");
}

#[test]
fn every_name_has_its_row() {
    for name in [Name::Sqlite, Name::Postgres, Name::Memory] {
        assert!(KINDS.iter().any(|kind| kind.name == name), "{name:?}");
    }
}

#[tokio::test]
async fn records_come_back_in_order_and_as_they_went_in() {
    let folder = tempfile::tempdir().expect("a folder");
    let (store, slots) = (opened(Name::Sqlite, folder.path()).await, Slots::new());
    for name in ["a", "b"] {
        store.audit().append(Pending::new(record(name), slots.one()));
    }
    written(store.as_ref(), &slots, record("c")).await;
    store.audit().flush().await;
    assert_eq!(names(folder.path()).await, "1:a 2:b 3:c");
    assert_eq!(slots.0.available_permits(), 1000, "the slots are given back");
    assert_eq!(store.audit().backlog().records, 0);
    assert_eq!(entries(folder.path()).await[2], Entry::of(0, 3, &record("c")));
}

#[tokio::test]
async fn memory_forgets_the_oldest() {
    let (store, slots) = (Memory::new(3), Slots::new());
    for name in ["a", "b", "c", "d"] {
        store.audit().append(Pending::new(record(name), slots.one()));
    }
    let kept: Vec<_> = store.entries().into_iter().map(|entry| (entry.seq, entry.name)).collect();
    assert_eq!(kept, [(2, "b".into()), (3, "c".into()), (4, "d".into())]);
}

#[tokio::test]
async fn closing_writes_what_is_left_and_opening_goes_on_after_it() {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["a", "b"] {
        let store = opened(Name::Sqlite, folder.path()).await;
        store.audit().append(Pending::new(record(name), Slots::new().one()));
        drop(store);
    }
    assert_eq!(names(folder.path()).await, "1:a 2:b");
}

#[tokio::test]
async fn no_statement_changes_or_removes_a_row() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = opened(Name::Sqlite, folder.path()).await;
    store.audit().append(Pending::new(record("a"), Slots::new().one()));
    drop(store);
    let file = Connection::open(folder.path().join("deep/er/gate.db")).expect("a file");
    for statement in
        ["UPDATE audit SET line = 'x'", "DELETE FROM audit", "REPLACE INTO audit (id, hash, line) SELECT id, hash, 'x' FROM audit"]
    {
        let refused = file.execute(statement, []).expect_err(statement);
        assert!(refused.to_string().contains("append-only"), "{statement}: {refused}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn the_file_is_readable_by_its_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().expect("a folder");
    let _store = opened(Name::Sqlite, folder.path()).await;
    for file in ["gate.db", "gate.db-wal"] {
        let mode = std::fs::metadata(folder.path().join("deep/er").join(file)).expect(file).permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
}

#[tokio::test]
async fn a_file_of_a_later_version_is_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    drop(opened(Name::Sqlite, folder.path()).await);
    let file = Connection::open(folder.path().join("deep/er/gate.db")).expect("a file");
    file.execute("UPDATE parts SET version = 9", []).expect("a version");
    let opening = Opening { config: &config(Name::Sqlite), upkeep: Upkeep::default(), folder: folder.path() };
    let refused = open(&opening).await.expect_err("a later version");
    assert!(matches!(refused, Error::Newer { part: "audit", found: 9, known: 2, .. }), "{refused}");
}

/// A log that cannot be written says so, keeps its records, and writes them once it can.
#[tokio::test]
async fn a_failing_log_keeps_its_records() {
    let folder = tempfile::tempdir().expect("a folder");
    let (store, slots) = (opened(Name::Sqlite, folder.path()).await, Slots::new());
    let file = Connection::open(folder.path().join("deep/er/gate.db")).expect("a file");
    file.execute_batch("ALTER TABLE audit RENAME TO elsewhere").expect("a rename");
    let (pending, mut written) = Pending::urgent(record("a"), slots.one());
    store.audit().append(pending);
    while !store.audit().is_failing() {
        tokio::task::yield_now().await;
    }
    assert!(store.audit().failure().expect("a reason").contains("audit"), "{:?}", store.audit().failure());
    assert_eq!(store.audit().backlog().records, 1);
    assert!(written.try_recv().is_err(), "it is not durable");
    file.execute_batch("ALTER TABLE elsewhere RENAME TO audit").expect("a rename");
    written.await.expect("a durable record");
    store.audit().flush().await;
    assert!(!store.audit().is_failing());
    assert_eq!(names(folder.path()).await, "1:a");
}

/// A file that is removed under the gate takes no more records in silence, and has them all once it is back.
#[cfg(unix)]
#[tokio::test]
async fn a_file_that_is_removed_takes_no_records_in_silence() {
    for name in ["gate.db", "gate.db-wal"] {
        let folder = tempfile::tempdir().expect("a folder");
        let (store, slots) = (opened(Name::Sqlite, folder.path()).await, Slots::new());
        let (file, aside) = (folder.path().join("deep/er").join(name), folder.path().join("aside"));
        std::fs::rename(&file, &aside).expect("a rename");
        let (pending, mut written) = Pending::urgent(record("a"), slots.one());
        store.audit().append(pending);
        while !store.audit().is_failing() {
            tokio::task::yield_now().await;
        }
        assert!(store.audit().failure().expect("a reason").contains("removed or replaced"), "{:?}", store.audit().failure());
        assert!(written.try_recv().is_err(), "it is not on record");
        std::fs::rename(&aside, &file).expect("a rename");
        written.await.expect("a durable record");
        assert_eq!(names(folder.path()).await, "1:a", "{name}");
    }
}
