//! Intents: what a gate that ended leaves behind is on record.

use super::{Slots, entries, opened, record, written};
use crate::{Name, Pending, Record};

#[tokio::test]
async fn a_record_removes_its_intent() {
    let folder = tempfile::tempdir().expect("a folder");
    let (store, slots) = (opened(Name::Sqlite, folder.path()).await, Slots::new());
    let (intent, durable) = store.audit().intend(record("write"));
    durable.await.expect("a durable intent");
    assert_eq!(super::reading(folder.path()).await.left().await.expect("an answer").intents, 1);
    written(store.as_ref(), &slots, Record { intent: Some(intent), ..record("write") }).await;
    assert_eq!(super::reading(folder.path()).await.left().await.expect("an answer").intents, 0);
    drop(store);
    drop(opened(Name::Sqlite, folder.path()).await);
    assert_eq!(entries(folder.path()).await.len(), 1, "one call, one record");
}

#[tokio::test]
async fn an_intent_without_a_record_becomes_one_at_the_next_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = opened(Name::Sqlite, folder.path()).await;
    let (_, durable) = store.audit().intend(record("write"));
    durable.await.expect("a durable intent");
    // While its gate lives, nobody else takes the call for lost.
    let (other, slots) = (opened(Name::Sqlite, folder.path()).await, Slots::new());
    written(other.as_ref(), &slots, record("beside")).await;
    drop(other);
    assert_eq!(entries(folder.path()).await.len(), 1);
    // A dropped store is all that is left of a process that was killed here: it says nothing about intents.
    drop(store);
    let store = opened(Name::Sqlite, folder.path()).await;
    store.audit().append(Pending::new(record("later"), slots.one()));
    drop(store);
    let entries = entries(folder.path()).await;
    let told: Vec<_> = entries.iter().filter(|entry| entry.chain == 0).map(|entry| (entry.name.as_str(), entry.outcome.as_str())).collect();
    assert_eq!(told, [("write", "unclear"), ("later", "ok")]);
    assert!(entries[0].reason.as_ref().expect("a reason").contains("gate ended"));
}

#[tokio::test]
async fn while_the_log_fails_no_intent_is_promised() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = opened(Name::Sqlite, folder.path()).await;
    let file = rusqlite::Connection::open(folder.path().join("deep/er/gate.db")).expect("a file");
    file.execute_batch("ALTER TABLE audit_intents RENAME TO elsewhere").expect("a rename");
    let (_, promise) = store.audit().intend(record("write"));
    promise.await.expect_err("no promise");
    let (_, promise) = store.audit().intend(record("write"));
    promise.await.expect_err("no promise");
    file.execute_batch("ALTER TABLE elsewhere RENAME TO audit_intents").expect("a rename");
    while store.audit().is_failing() {
        tokio::task::yield_now().await;
    }
}
