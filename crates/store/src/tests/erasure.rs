//! Records with pseudonyms: one suite for a file and for a server.

use std::{collections::BTreeSet, path::Path, sync::Arc};

use callgate_config::Span;
use callgate_model::{Caller, Clock, Origin, Proof};
use futures_util::future::join_all;
use jiff::Timestamp;
use rusqlite::Connection;
use tempfile::TempDir;

use super::{
    Slots,
    postgres::{self, Base},
    record, upkeep, written,
};
use crate::{
    Config, Entry, Log, Name, Opening, Pending, Pseudonyms, Record, Store, Upkeep, log, open, pseudonyms::is_pseudonym, read_heads,
    verify::verify,
};

/// A store that a test has for itself.
struct At {
    config: Config,
    folder: TempDir,
    base: Option<Base>,
}

/// One of each kind that is at hand.
async fn everywhere() -> Vec<At> {
    let folder = || tempfile::tempdir().expect("a folder");
    let file = At { config: super::config(Name::Sqlite), folder: folder(), base: None };
    let server = postgres::base().await.map(|base| At { config: base.config(), folder: folder(), base: Some(base) });
    [file].into_iter().chain(server).collect()
}

fn covered() -> Upkeep {
    Upkeep { pseudonyms: Some(Pseudonyms::default()), ..upkeep() }
}

impl At {
    fn opening(&self, upkeep: Upkeep) -> Opening<'_> {
        Opening { config: &self.config, upkeep, folder: self.folder.path() }
    }

    async fn store(&self, upkeep: Upkeep) -> Arc<dyn Store> {
        open(&self.opening(upkeep)).await.expect("a store")
    }

    async fn log(&self) -> Box<dyn Log> {
        log(&self.opening(Upkeep::default())).await.expect("a log")
    }

    /// The records as they are stored.
    async fn stored(&self) -> Vec<Entry> {
        let rows = self.log().await.after(0, 0, 10_000).await.expect("rows");
        rows.iter().map(|row| Entry::parse(std::str::from_utf8(&row.line).expect("a text")).expect("a record")).collect()
    }

    /// The names of records and, as far as anybody can say, of their callers.
    async fn told(&self) -> Vec<(String, String)> {
        let stored = self.stored().await;
        let all: Vec<String> = stored.iter().map(|entry| entry.caller.clone()).collect();
        let names = self.log().await.names(&all).await.expect("names");
        let who = |entry: &Entry| if is_pseudonym(&entry.caller) { "?".to_owned() } else { entry.caller.clone() };
        let mut told: Vec<_> = stored.into_iter().map(|entry| entry.named(&names)).map(|entry| (entry.name.clone(), who(&entry))).collect();
        told.sort();
        told
    }

    /// The log is whole, and as long as its signed heads say.
    async fn is_whole(&self) {
        let heads = read_heads(&self.folder.path().join("heads.jsonl"), &upkeep().heads.keys().expect("keys")).expect("heads");
        let report = verify(self.log().await.as_ref(), &heads).await.expect("a report");
        assert!(report.broken.is_empty() && report.heads > 0, "{report:?}");
    }

    async fn end(self) {
        if let Some(base) = self.base {
            base.remove().await;
        }
    }
}

fn of(tenant: &str, caller: &str, name: &str) -> Record {
    let origin = Origin { session: Some("a-long-session".into()), ..(*record(name).origin).clone() };
    Record { caller: Arc::new(Caller::new(tenant, caller, Proof::Key)), origin: Arc::new(origin), ..record(name) }
}

fn pairs(told: &[(String, String)]) -> String {
    told.iter().map(|(name, who)| format!("{name}:{who}")).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn records_name_nobody_and_readers_know_everybody() {
    for at in everywhere().await {
        let (store, slots) = (at.store(covered()).await, Slots::new());
        for one in [of("acme", "alice", "a"), of("acme", "bob", "b"), of("other", "alice", "c"), of("acme", "alice", "d"), record("e")] {
            written(store.as_ref(), &slots, one).await;
        }
        drop(store);
        let stored = at.stored().await;
        assert!(stored[..4].iter().all(|entry| is_pseudonym(&entry.caller)), "{stored:?}");
        assert_eq!(stored[0].caller, stored[3].caller, "one pseudonym for one person");
        assert_ne!(stored[0].caller, stored[2].caller, "equal names in two tenants are two persons");
        assert_eq!((stored[4].caller.as_str(), &stored[4].session), ("local", &None), "this machine's user is no person");
        let sessions: BTreeSet<_> = stored[..4].iter().filter_map(|entry| entry.session.as_deref()).collect();
        assert!(sessions.len() == 3 && !sessions.contains("a-long-session"), "a digest for each person: {sessions:?}");
        assert_eq!(pairs(&at.told().await), "a:alice b:bob c:alice d:alice e:local");
        at.is_whole().await;
        at.end().await;
    }
}

#[tokio::test]
async fn who_is_forgotten_is_forgotten_by_all_gates_and_the_chain_holds() {
    for at in everywhere().await {
        let (one, other, slots) = (at.store(covered()).await, at.store(covered()).await, Slots::new());
        for (store, name) in [(&one, "a"), (&other, "b")] {
            written(store.as_ref(), &slots, of("acme", "alice", name)).await;
            written(store.as_ref(), &slots, of("other", "alice", name)).await;
        }
        let before = at.stored().await[0].clone();
        assert_eq!(one.callers().forget("acme", "nobody").await.expect("an answer"), None);
        assert_eq!(one.callers().forget("acme", "alice").await.expect("an answer"), Some(before.caller.clone()));
        assert_eq!(one.callers().forget("acme", "alice").await.expect("an answer"), None, "once");
        assert_eq!(pairs(&at.told().await), "a:? a:alice b:? b:alice", "the other tenant's stays");
        for (store, name) in [(&other, "c"), (&one, "d")] {
            written(store.as_ref(), &slots, of("acme", "alice", name)).await;
        }
        drop((one, other));
        assert_eq!(pairs(&at.told().await), "a:? a:alice b:? b:alice c:alice d:alice");
        let stored = at.stored().await;
        let later: Vec<_> = stored.iter().filter(|entry| ["c", "d"].contains(&entry.name.as_str())).collect();
        assert!(later[0].caller == later[1].caller && later[0].caller != before.caller, "a new one, the same everywhere");
        assert!(later[0].session == later[1].session && later[0].session != before.session, "the session ties nothing together");
        at.is_whole().await;
        at.end().await;
    }
}

#[tokio::test]
async fn gates_that_meet_a_caller_at_once_agree_on_the_pseudonym() {
    for at in everywhere().await {
        let (one, other, slots) = (at.store(covered()).await, at.store(covered()).await, Slots::new());
        let calls = (0..600).map(|index| {
            let store = if index % 2 == 0 { &one } else { &other };
            // In another order on each side.
            let caller = if index % 2 == 0 { index / 2 % 50 } else { 49 - index / 2 % 50 };
            written(store.as_ref(), &slots, of("acme", &format!("c{caller}"), "a"))
        });
        join_all(calls).await;
        drop((one, other));
        let stored = at.stored().await;
        let pseudonyms: BTreeSet<_> = stored.iter().map(|entry| entry.caller.as_str()).collect();
        assert_eq!((stored.len(), pseudonyms.len()), (600, 50));
        assert!(at.told().await.iter().all(|(_, who)| who.starts_with('c')));
        at.end().await;
    }
}

/// A caller who is forgotten again and again while others write: nothing is lost, and who calls after it was forgotten has a name.
#[tokio::test]
async fn a_caller_is_forgotten_under_load() {
    for at in everywhere().await {
        let (one, other, slots) = (at.store(covered()).await, at.store(covered()).await, Slots::new());
        let work = async {
            for _ in 0..40 {
                let calls = (0..10).map(|index| {
                    let store = if index % 2 == 0 { &one } else { &other };
                    written(store.as_ref(), &slots, of("acme", if index < 8 { "alice" } else { "bob" }, "a"))
                });
                join_all(calls).await;
            }
        };
        let forgetting = async {
            for _ in 0..20 {
                one.callers().forget("acme", "alice").await.expect("an answer");
                tokio::task::yield_now().await;
            }
        };
        tokio::join!(work, forgetting);
        one.callers().forget("acme", "alice").await.expect("an answer");
        assert!(at.told().await.iter().all(|(_, who)| who == "?" || who == "bob"), "nobody is named who was forgotten");
        join_all([&one, &other].map(|store| written(store.as_ref(), &slots, of("acme", "alice", "z")))).await;
        drop((one, other));
        let told = at.told().await;
        assert_eq!(told.len(), 402);
        assert_eq!(told.iter().filter(|(_, who)| who == "bob").count(), 80, "the others keep their names");
        assert!(told.ends_with(&[("z".into(), "alice".into()), ("z".into(), "alice".into())]), "{:?}", &told[399..]);
        at.is_whole().await;
        at.end().await;
    }
}

#[tokio::test]
async fn what_a_gate_remembers_is_bounded() {
    for at in everywhere().await {
        let upkeep = Upkeep { pseudonyms: Some(Pseudonyms { remember: 1 }), ..upkeep() };
        let (store, slots) = (at.store(upkeep).await, Slots::new());
        for _ in 0..2 {
            join_all(["a", "b", "c"].map(|name| written(store.as_ref(), &slots, of("acme", name, name)))).await;
        }
        drop(store);
        assert_eq!(pairs(&at.told().await), "a:a a:a b:b b:b c:c c:c");
        at.end().await;
    }
}

/// A name goes once all records of its caller are old enough to go; a name in use stays.
#[tokio::test]
async fn old_names_go_with_old_records() {
    for at in everywhere().await {
        let slots = Slots::new();
        let store = at.store(covered()).await;
        for (caller, name) in [("alice", "a"), ("bob", "b"), ("bob", "c")] {
            written(store.as_ref(), &slots, of("acme", caller, name)).await;
        }
        let names = async |at: &At, all: &[Entry]| {
            let all: Vec<String> = all.iter().map(|entry| entry.caller.clone()).collect();
            let mut names: Vec<_> = at.log().await.names(&all).await.expect("names").into_values().collect();
            names.sort();
            names
        };
        // The gate that knows bob already hears from him an hour and a half later.
        let later = Timestamp::from_second(1_700_000_000 + 5400).expect("a time");
        written(store.as_ref(), &slots, Record { at: later, ..of("acme", "bob", "d") }).await;
        drop(store);
        let before = at.stored().await;
        let now = Timestamp::from_second(1_700_000_000 + 4 * 3600).expect("a time");
        assert_eq!(names(&at, &before).await, ["alice", "bob"]);
        let store = at.store(Upkeep { keep: Some(Span::seconds(3600)), clock: Clock::Fixed(now), ..covered() }).await;
        store.audit().flush().await;
        written(store.as_ref(), &slots, Record { at: now, ..of("acme", "carl", "e") }).await;
        drop(store);
        assert_eq!(names(&at, &before).await, ["bob"]);
        at.is_whole().await;
        at.end().await;
    }
}

#[tokio::test]
async fn an_intent_and_what_becomes_of_it_name_nobody() {
    for at in everywhere().await {
        let store = at.store(covered()).await;
        let (_, durable) = store.audit().intend(of("acme", "alice", "write"));
        durable.await.expect("a durable intent");
        drop(store);
        let store = at.store(upkeep()).await;
        store.audit().flush().await;
        drop(store);
        let stored = at.stored().await;
        assert!(stored[0].outcome == "unclear" && is_pseudonym(&stored[0].caller), "{stored:?}");
        assert_eq!(pairs(&at.told().await), "write:alice");
        at.end().await;
    }
}

/// A store of the version before: records that name their callers, and no table of pseudonyms.
#[tokio::test]
async fn a_chain_from_before_there_were_pseudonyms_still_verifies() {
    for at in everywhere().await {
        let slots = Slots::new();
        let store = at.store(upkeep()).await;
        written(store.as_ref(), &slots, of("acme", "alice", "a")).await;
        drop(store);
        let lines = at.log().await.after(0, 0, 9).await.expect("rows");
        match &at.base {
            None => file(at.folder.path())
                .execute_batch("DROP TABLE audit_callers; DROP TABLE audit_forgotten; DELETE FROM parts WHERE name = 'callers'")
                .expect("what the version before had"),
            Some(base) => {
                let drop = "DROP TABLE callgate_audit_callers; DROP TABLE callgate_audit_forgotten; \
                     DELETE FROM callgate_parts WHERE name = 'callers'";
                base.client().await.batch_execute(drop).await.expect("what the version before had");
            }
        }
        assert_eq!(pairs(&at.told().await), "a:alice", "it can be read before anybody has opened it for writing");
        for (upkeep, name) in [(upkeep(), "b"), (covered(), "c"), (upkeep(), "d")] {
            let store = at.store(upkeep).await;
            written(store.as_ref(), &slots, of("acme", "alice", name)).await;
        }
        let stored = at.stored().await;
        let bare = |entry: &&Entry| entry.caller == "alice" && entry.session.as_deref() == Some("a-long-session");
        assert_eq!(stored.iter().filter(bare).map(|entry| entry.name.as_str()).collect::<String>(), "abd");
        assert_eq!(at.log().await.after(0, 0, 1).await.expect("rows"), lines, "what was there is there, byte for byte");
        at.is_whole().await;
        at.end().await;
    }
}

fn file(folder: &Path) -> Connection {
    Connection::open(folder.join("deep/er/gate.db")).expect("a file")
}

/// What was made for a batch that was undone is made again with it.
#[tokio::test]
async fn a_batch_that_fails_leaves_no_pseudonym_that_nobody_knows() {
    let at = everywhere().await.remove(0);
    let (store, slots) = (at.store(covered()).await, Slots::new());
    file(at.folder.path()).execute_batch("ALTER TABLE audit RENAME TO elsewhere").expect("a rename");
    let (pending, promise) = Pending::urgent(of("acme", "alice", "a"), slots.one());
    store.audit().append(pending);
    while !store.audit().is_failing() {
        tokio::task::yield_now().await;
    }
    file(at.folder.path()).execute_batch("ALTER TABLE elsewhere RENAME TO audit").expect("a rename");
    promise.await.expect("a durable record");
    assert_eq!(pairs(&at.told().await), "a:alice");
}

/// Neither the file nor its log holds a byte of the name of somebody who was forgotten.
#[tokio::test]
async fn a_forgotten_name_is_overwritten() {
    const NAME: &str = "alice-whose-name-is-long-enough";
    let at = everywhere().await.remove(0);
    let (store, slots) = (at.store(covered()).await, Slots::new());
    for index in 0..300 {
        written(store.as_ref(), &slots, of("acme", &format!("someone-{index}"), "a")).await;
    }
    written(store.as_ref(), &slots, of("acme", NAME, "a")).await;
    let holds = || {
        ["gate.db", "gate.db-wal"].map(|name| {
            let bytes = std::fs::read(at.folder.path().join("deep/er").join(name)).expect(name);
            bytes.windows(NAME.len()).any(|window| window == NAME.as_bytes())
        })
    };
    assert_ne!(holds(), [false, false]);
    store.callers().forget("acme", NAME).await.expect("an answer").expect("a pseudonym");
    assert_eq!(holds(), [false, false]);
}
