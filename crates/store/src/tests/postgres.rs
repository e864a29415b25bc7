//! The store in PostgreSQL, where `CALLGATE_TEST_POSTGRES` names a server: each test has a database of its own there.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use callgate_config::{Secret, Span};
use callgate_model::Clock;
use futures_util::future::join_all;
use jiff::Timestamp;
use tokio_postgres::{Client, NoTls};

use super::{Slots, keys, record, upkeep, written};
use crate::{
    Config, Entry, Error, Log, Name, Opening, Pending, Record, Store, Upkeep, log, open, read_heads,
    verify::{Report, verify},
};

/// A database for one test.
pub(crate) struct Base {
    url: String,
    name: String,
    /// A connection to another database of the server.
    server: Client,
    folder: tempfile::TempDir,
}

#[expect(clippy::disallowed_methods, reason = "the test command says it in the environment, as `cargo xtask test` documents")]
pub(crate) async fn base() -> Option<Base> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let Some(server) = std::env::var("CALLGATE_TEST_POSTGRES").ok().filter(|url| !url.is_empty()) else {
        eprintln!("PostgreSQL is skipped: CALLGATE_TEST_POSTGRES is not set");
        return None;
    };
    let name = format!("callgate_store_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    let client = client(&server).await;
    client.batch_execute(&format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")).await.expect("a database");
    let (base, _) = server.rsplit_once('/').expect("a URL with a database");
    Some(Base { url: format!("{base}/{name}"), name, server: client, folder: tempfile::tempdir().expect("a folder") })
}

async fn client(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("a connection");
    tokio::spawn(async move { drop(connection.await) });
    client
}

impl Base {
    pub(crate) fn config(&self) -> Config {
        Config { kind: Name::Postgres, url: Some(Secret::new(self.url.clone())), ..Config::default() }
    }

    pub(crate) async fn client(&self) -> Client {
        client(&self.url).await
    }

    fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) async fn store(&self) -> Arc<dyn Store> {
        self.kept(upkeep()).await
    }

    async fn kept(&self, upkeep: Upkeep) -> Arc<dyn Store> {
        open(&Opening { config: &self.config(), upkeep, folder: self.folder() }).await.expect("a store")
    }

    async fn log(&self) -> Box<dyn Log> {
        log(&Opening { config: &self.config(), upkeep: Upkeep::default(), folder: self.folder() }).await.expect("a log")
    }

    pub(crate) async fn entries(&self) -> Vec<Entry> {
        let rows = self.log().await.after(0, 0, 10_000).await.expect("a log");
        rows.iter().map(|row| Entry::parse(std::str::from_utf8(&row.line).expect("a text")).expect("a record")).collect()
    }

    /// Checks all of the log against all heads that were signed.
    pub(crate) async fn checked(&self) -> Report {
        let heads = read_heads(&self.folder().join("heads.jsonl"), &upkeep().heads.keys().expect("keys")).unwrap_or_default();
        let report = verify(self.log().await.as_ref(), &heads).await.expect("a report");
        assert_eq!(report.broken, []);
        report
    }

    /// Ends the connections of stores.
    async fn cut(&self) {
        let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND application_name = 'callgate store'";
        self.server.execute(end, &[&self.name]).await.expect("an end");
    }

    /// Whether the server lets anybody in here.
    async fn admit(&self, whom: &str) {
        self.server.batch_execute(&format!("ALTER DATABASE {} ALLOW_CONNECTIONS {whom}", self.name)).await.expect("a change");
    }

    pub(crate) async fn remove(self) {
        self.server.batch_execute(&format!("DROP DATABASE {} WITH (FORCE)", self.name)).await.expect("a removed database");
    }
}

#[tokio::test]
async fn records_come_back_as_they_went_in_and_nobody_changes_them() {
    let Some(base) = base().await else { return };
    let (store, slots) = (base.store().await, Slots::new());
    written(store.as_ref(), &slots, record("a")).await;
    store.audit().append(Pending::new(Record { arguments: r#"{"x":"ä\u0000"}"#.into(), ..record("b") }, slots.one()));
    drop(store);
    let store = base.store().await;
    written(store.as_ref(), &slots, record("c")).await;
    let entries = base.entries().await;
    assert_eq!(entries.iter().map(|entry| (entry.seq, entry.name.as_str())).collect::<Vec<_>>(), [(1, "a"), (2, "b"), (3, "c")]);
    assert_eq!(entries[0], Entry::of(0, 1, &record("a")));
    let file = client(&base.url).await;
    for statement in ["UPDATE callgate_audit SET line = 'x'", "DELETE FROM callgate_audit", "TRUNCATE callgate_audit"] {
        let refused = file.execute(statement, &[]).await.expect_err(statement);
        assert!(refused.as_db_error().expect("an answer").message().contains("append-only"), "{statement}: {refused}");
    }
    drop(store);
    let report = base.checked().await;
    assert_eq!((report.records, report.intents, report.heads > 0), (3, 0, true));
    base.remove().await;
}

#[tokio::test]
async fn replicas_write_at_once_and_each_has_its_chain() {
    let Some(base) = base().await else { return };
    let (one, other, slots) = (base.store().await, base.store().await, Slots::new());
    join_all((0..400).map(|index| written(if index % 2 == 0 { one.as_ref() } else { other.as_ref() }, &slots, record("a")))).await;
    drop((one, other));
    let report = base.checked().await;
    assert_eq!(report.chains.iter().map(|head| (head.chain, head.seq)).collect::<Vec<_>>(), [(0, 200), (1, 200)]);
    base.remove().await;
}

/// Connections break off under load, again and again. Every record is there, once.
#[tokio::test]
async fn a_connection_that_breaks_off_costs_no_record() {
    let Some(base) = base().await else { return };
    let (one, other, slots) = (base.store().await, base.store().await, Slots::new());
    let names: Vec<String> = (0..600).map(|index| format!("n{index:03}")).collect();
    let work = async {
        for (index, part) in names.chunks(10).enumerate() {
            let store = if index % 2 == 0 { one.as_ref() } else { other.as_ref() };
            join_all(part.iter().map(|name| written(store, &slots, record(name)))).await;
        }
    };
    let cuts = async {
        for _ in 0..15 {
            base.cut().await;
        }
    };
    tokio::join!(work, cuts);
    base.cut().await;
    written(one.as_ref(), &slots, record("later")).await;
    one.audit().flush().await;
    drop((one, other));
    let mut found: Vec<String> = base.entries().await.into_iter().map(|entry| entry.name).collect();
    found.sort();
    let mut wanted = names.clone();
    wanted.insert(0, "later".into());
    assert_eq!(found, wanted);
    base.checked().await;
    base.remove().await;
}

#[tokio::test]
async fn while_the_server_is_away_records_are_kept_and_no_intent_is_promised() {
    let Some(base) = base().await else { return };
    let (store, slots) = (base.store().await, Slots::new());
    let (intent, durable) = store.audit().intend(record("before"));
    durable.await.expect("a durable intent");
    base.admit("false").await;
    base.cut().await;
    let (pending, mut promise) = Pending::urgent(Record { intent: Some(intent), ..record("before") }, slots.one());
    store.audit().append(pending);
    while !store.audit().is_failing() {
        tokio::task::yield_now().await;
    }
    assert!(promise.try_recv().is_err() && store.audit().backlog().records == 1, "it is kept");
    assert!(!store.audit().failure().expect("a reason").contains("postgres://"));
    let (_, refused) = store.audit().intend(record("meanwhile"));
    refused.await.expect_err("no promise");
    base.admit("true").await;
    promise.await.expect("a durable record");
    store.audit().flush().await;
    assert!(!store.audit().is_failing());
    drop(store);
    let entries = base.entries().await;
    assert_eq!(entries.iter().map(|entry| (entry.name.as_str(), entry.outcome.as_str())).collect::<Vec<_>>(), [("before", "ok")]);
    assert_eq!(base.checked().await.intents, 0);
    base.remove().await;
}

#[tokio::test]
async fn what_a_dead_gate_left_is_on_record_and_what_a_living_one_does_is_left_alone() {
    let Some(base) = base().await else { return };
    let (dead, slots) = (base.store().await, Slots::new());
    let (_, durable) = dead.audit().intend(record("write"));
    durable.await.expect("a durable intent");
    let living = base.store().await;
    living.audit().flush().await;
    assert_eq!((base.entries().await.len(), base.checked().await.intents), (0, 1), "its gate lives");
    let (intent, durable) = living.audit().intend(record("other"));
    durable.await.expect("a durable intent");
    // A dropped store is all that is left of a process that was killed here: it says nothing about intents.
    drop(dead);
    let third = base.store().await;
    third.audit().flush().await;
    written(living.as_ref(), &slots, Record { intent: Some(intent), ..record("other") }).await;
    drop((living, third));
    let mut told: Vec<_> = base.entries().await.into_iter().map(|entry| (entry.name, entry.outcome)).collect();
    told.sort();
    assert_eq!(told, [("other".into(), "ok".into()), ("write".into(), "unclear".into())]);
    assert_eq!(base.checked().await.intents, 0);
    base.remove().await;
}

#[tokio::test]
async fn old_records_go_and_the_chain_still_holds() {
    let Some(base) = base().await else { return };
    let slots = Slots::new();
    let store = base.store().await;
    for name in ["a", "b", "c"] {
        written(store.as_ref(), &slots, record(name)).await;
    }
    drop(store);
    let later = Clock::Fixed(Timestamp::from_second(1_700_100_000).expect("a time"));
    let store = base.kept(Upkeep { keep: Some(Span::seconds(60)), clock: later, ..upkeep() }).await;
    store.audit().flush().await;
    written(store.as_ref(), &slots, record("d")).await;
    drop(store);
    let names: Vec<_> = base.entries().await.into_iter().map(|entry| entry.name).collect();
    assert!(names.contains(&"prune".into()) && names.contains(&"d".into()) && !names.contains(&"a".into()), "{names:?}");
    base.checked().await;
    base.remove().await;
}

#[tokio::test]
async fn keys_are_the_same_for_all_replicas() {
    let Some(base) = base().await else { return };
    let (one, other) = (base.store().await, base.store().await);
    keys::check(one.keys()).await;
    assert_eq!(one.keys().list().await.expect("a list"), other.keys().list().await.expect("a list"));
    let at = Timestamp::from_second(7).expect("a time");
    assert!(other.keys().revoke("two", at).await.expect("an answer"));
    assert_eq!(one.keys().find("two").await.expect("an answer").expect("a key").revoked, Some(at));
    drop((one, other));
    base.remove().await;
}

#[tokio::test]
async fn tables_of_a_later_version_are_left_alone() {
    let Some(base) = base().await else { return };
    drop(base.store().await);
    client(&base.url).await.batch_execute("UPDATE callgate_parts SET version = 9").await.expect("a version");
    let refused = open(&Opening { config: &base.config(), upkeep: upkeep(), folder: base.folder() }).await.expect_err("a later version");
    assert!(matches!(&refused, Error::Server(cause) if cause.to_string().contains("version 9")), "{refused:?}");
    base.remove().await;
}
