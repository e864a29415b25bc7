//! What every store keeps, and what the SQLite file keeps by itself.

use std::{path::Path, sync::Arc, time::Duration};

use callgate_model::{BackendName, Caller, Effect, Origin, RequestId};
use jiff::Timestamp;
use rusqlite::Connection;
use tokio::sync::Semaphore;

use crate::{ApiKey, Config, Error, KINDS, Name, Pending, Record, Slot, Store, Subject, open};

fn record(name: &str) -> Record {
    Record {
        at: Timestamp::from_microsecond(1_700_000_000_123_456).expect("a time"),
        request: RequestId::new("r-1").expect("an id"),
        depth: 0,
        caller: Caller::local(),
        origin: Arc::new(Origin { transport: "http", revision: "2026-07-28", session: None, traceparent: Some("00-1-2-01".into()) }),
        subject: Subject {
            sort: "tool",
            name: name.into(),
            backend: Some(BackendName::new("shop").expect("a name")),
            effect: Some(Effect::Write),
        },
        arguments: r#"{"a":1}"#.into(),
        outcome: "ok",
        duration: Duration::from_micros(321),
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

async fn opened(kind: Name, folder: &Path) -> Arc<dyn Store> {
    open(&Config { kind, path: "deep/er/gate.db".into(), records: 3, ..Config::default() }, folder).await.expect("a store")
}

/// The names in the log, oldest first, with their places.
fn names(store: &dyn Store) -> String {
    let entries = store.audit().tail(100).expect("a log");
    entries.iter().map(|entry| format!("{}:{}", entry.seq, entry.name)).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn records_come_back_in_order_and_as_they_went_in() {
    for kind in KINDS {
        let folder = tempfile::tempdir().expect("a folder");
        let (store, slots) = (opened(kind.name, folder.path()).await, Slots::new());
        for name in ["a", "b"] {
            store.audit().append(Pending::new(record(name), slots.one()));
        }
        let (pending, written) = Pending::urgent(record("c"), slots.one());
        store.audit().append(pending);
        written.await.expect("a durable record");
        store.audit().flush().await;
        assert_eq!(names(store.as_ref()), "1:a 2:b 3:c", "{:?}", kind.name);
        assert_eq!(slots.0.available_permits(), 1000, "{:?} gives the slots back", kind.name);
        assert_eq!(store.audit().backlog().records, 0);
        let entry = &store.audit().tail(1).expect("a log")[0];
        assert_eq!(*entry, crate::Entry::of(3, record("c")), "{:?}", kind.name);
    }
}

#[tokio::test]
async fn memory_forgets_the_oldest() {
    let (store, slots) = (opened(Name::Memory, Path::new(".")).await, Slots::new());
    for name in ["a", "b", "c", "d"] {
        store.audit().append(Pending::new(record(name), slots.one()));
    }
    assert_eq!(names(store.as_ref()), "2:b 3:c 4:d");
}

#[tokio::test]
async fn closing_writes_what_is_left_and_opening_goes_on_after_it() {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["a", "b"] {
        let store = opened(Name::Sqlite, folder.path()).await;
        store.audit().append(Pending::new(record(name), Slots::new().one()));
        drop(store);
    }
    assert_eq!(names(opened(Name::Sqlite, folder.path()).await.as_ref()), "1:a 2:b");
}

#[tokio::test]
async fn no_statement_changes_or_removes_a_row() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = opened(Name::Sqlite, folder.path()).await;
    store.audit().append(Pending::new(record("a"), Slots::new().one()));
    drop(store);
    let file = Connection::open(folder.path().join("deep/er/gate.db")).expect("a file");
    let columns = "at, request, depth, caller, transport, revision, sort, name, arguments, outcome, duration";
    let replace = format!("REPLACE INTO audit (seq, {columns}) SELECT seq, {columns} FROM audit");
    for statement in ["UPDATE audit SET name = 'x'", "DELETE FROM audit", &replace] {
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
    let config = Config { path: "deep/er/gate.db".into(), ..Config::default() };
    let refused = open(&config, folder.path()).await.expect_err("a later version");
    assert!(matches!(refused, Error::Newer { part: "audit", found: 9, known: 1, .. }), "{refused}");
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
    assert_eq!(names(store.as_ref()), "1:a");
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
        assert_eq!(names(store.as_ref()), "1:a", "{name}");
    }
}

#[tokio::test]
async fn keys_are_found_listed_and_revoked() {
    let at = |second| Timestamp::from_second(second).expect("a time");
    let key = |id: &str, created| ApiKey {
        id: id.into(),
        caller: "ann".into(),
        tenant: "acme".into(),
        roles: vec!["finance".into(), "ä\"b".into()],
        scopes: Vec::new(),
        hash: vec![0, 1, 255],
        created: at(created),
        expires: Some(at(9)),
        revoked: None,
    };
    for kind in KINDS {
        let folder = tempfile::tempdir().expect("a folder");
        let store = opened(kind.name, folder.path()).await;
        let keys = store.keys();
        let (one, two) = (key("one", 1), key("two", 2));
        keys.add(&one).await.expect("a key");
        keys.add(&two).await.expect("a key");
        let taken = keys.add(&ApiKey { caller: "bob".into(), ..one.clone() }).await.expect_err("an id");
        assert!(matches!(taken, Error::Taken { ref id } if id == "one"), "{:?}: {taken}", kind.name);
        assert_eq!(keys.find("one").await.expect("an answer").as_ref(), Some(&one), "{:?}", kind.name);
        assert_eq!(keys.find("none").await.expect("an answer"), None);
        assert!(keys.revoke("one", at(5)).await.expect("an answer"));
        assert!(!keys.revoke("one", at(6)).await.expect("an answer"), "once");
        assert!(!keys.revoke("none", at(5)).await.expect("an answer"));
        let revoked = ApiKey { revoked: Some(at(5)), ..one };
        assert_eq!(keys.list().await.expect("a list"), [revoked, two], "{:?}", kind.name);
        assert!(!format!("{:?}", keys.list().await).contains("255"), "the hash is never printed");
    }
}
