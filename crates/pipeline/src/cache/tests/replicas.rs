//! What replicas share: replies, and the news that something is stale.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use callgate_store::shared::{Away, Claim, Config, Memory, Shared, Subscription, Verdict};
use serde_json::{Value, json};

use super::fixture::{Fixture, ann, caller};
use crate::{Forget, forget};

/// What becomes of a reply; the second is the one that was put there first.
type Spoil = fn(&Bytes, &Bytes) -> Bytes;

/// What replicas share, for tests to spoil.
#[derive(Debug)]
struct Spoilt {
    memory: Memory,
    away: AtomicBool,
    /// Applied to each reply that is read.
    spoil: Mutex<Option<Spoil>>,
    /// The reply that was put there first.
    first: Mutex<Bytes>,
}

impl Spoilt {
    fn new() -> Arc<Self> {
        let memory = Memory::new(&Config::default());
        Arc::new(Self { memory, away: AtomicBool::default(), spoil: Mutex::default(), first: Mutex::default() })
    }

    fn there(&self) -> Result<(), Away> {
        if self.away.load(Ordering::SeqCst) { Err(Away) } else { Ok(()) }
    }
}

#[async_trait]
impl Shared for Spoilt {
    async fn take(&self, claims: &[Claim<'_>]) -> Result<Verdict, Away> {
        self.memory.take(claims).await
    }

    async fn get(&self, key: &str) -> Result<Option<Bytes>, Away> {
        self.there()?;
        let value = self.memory.get(key).await?;
        let spoil = *self.spoil.lock().expect("a lock");
        let first = self.first.lock().expect("a lock").clone();
        Ok(value.map(|value| if key.starts_with("reply/") { spoil.map_or(value.clone(), |spoil| spoil(&value, &first)) } else { value }))
    }

    async fn put(&self, key: &str, value: Bytes, ttl: Duration) -> Result<(), Away> {
        self.there()?;
        if key.starts_with("reply/") {
            let mut first = self.first.lock().expect("a lock");
            if first.is_empty() {
                *first = value.clone();
            }
        }
        self.memory.put(key, value, ttl).await
    }

    async fn delete(&self, keys: &[&str]) -> Result<(), Away> {
        self.memory.delete(keys).await
    }

    async fn publish(&self, channel: &str, message: Bytes) -> Result<(), Away> {
        self.there()?;
        self.memory.publish(channel, message).await
    }

    fn subscribe(&self, channel: &str) -> Subscription {
        self.memory.subscribe(channel)
    }
}

fn secret() -> Value {
    json!({ "secret": "a secret that is long enough for this" })
}

fn replicas(config: &Value) -> (Fixture, Fixture, Arc<Spoilt>) {
    let shared = Spoilt::new();
    (Fixture::sharing(config, shared.clone()), Fixture::sharing(config, shared.clone()), shared)
}

/// Lets what was spawned come to its end.
async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_reply_is_fetched_once_for_all_replicas_that_have_the_secret() {
    for (config, expected) in [(secret(), 0), (json!({}), 1)] {
        let (one, two, _) = replicas(&config);
        two.ask(&ann(), "write", &json!({})).await;
        let reply = one.ask(&ann(), "mine", &json!({})).await;
        settle().await;
        two.reached();
        assert_eq!(two.ask(&ann(), "mine", &json!({})).await == reply, expected == 0, "the same bytes");
        assert_eq!(two.reached(), expected);
        assert_eq!(two.figure("mcp_cache_hits_total{cache_type=\"l2\"}"), if expected == 0 { 1.0 } else { 0.0 });
        // Whoever else asks finds nothing there.
        let other = two.ask(&caller("shop", "bob", &["clerk"]), "mine", &json!({})).await;
        assert!(other.contains("4:shop:bob"), "{other}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_shared_reply_that_was_tampered_with_is_not_taken() {
    let spoils: [(&str, Spoil); 6] = [
        ("another's", |_, first| first.clone()),
        ("a bit", |value, _| value.iter().enumerate().map(|(at, byte)| if at == 40 { byte ^ 1 } else { *byte }).collect()),
        ("the nonce", |value, _| value.iter().enumerate().map(|(at, byte)| if at == 0 { byte ^ 1 } else { *byte }).collect()),
        ("cut", |value, _| value.slice(..value.len() - 1)),
        ("text", |_, _| Bytes::from_static(b"{\"at\":0,\"tokens\":[],\"texts\":[\"evil\"]}")),
        ("huge", |_, _| Bytes::from(vec![7; 1 << 20])),
    ];
    for (name, spoil) in spoils {
        let (one, two, shared) = replicas(&secret());
        one.ask(&caller("bank", "eve", &[]), "mine", &json!({})).await;
        one.ask(&ann(), "mine", &json!({})).await;
        settle().await;
        *shared.spoil.lock().expect("a lock") = Some(spoil);
        let reply = two.ask(&ann(), "mine", &json!({})).await;
        assert!(reply.starts_with("ok ") && reply.contains("4:shop:ann"), "{name}: {reply}");
        assert_eq!(two.reached(), 1, "{name}");
        assert_eq!(two.figure("mcp_cache_forged_total"), 1.0, "{name}");
    }
    let shared = Spoilt::new();
    let (one, two) = (Fixture::sharing(&secret(), shared.clone()), Fixture::sharing(&json!({ "secret": "x".repeat(32) }), shared));
    one.ask(&ann(), "mine", &json!({})).await;
    settle().await;
    two.ask(&ann(), "mine", &json!({})).await;
    assert_eq!(two.reached(), 1, "made with another secret");
}

#[tokio::test(start_paused = true)]
async fn a_change_in_one_replica_makes_stale_in_all() {
    for config in [secret(), json!({})] {
        for (written, stale) in [("1", true), ("2", false)] {
            let (one, two, _) = replicas(&config);
            let read = json!({ "id": "1" });
            two.ask(&ann(), "mine", &read).await;
            settle().await;
            one.ask(&ann(), "write", &json!({ "id": written })).await;
            settle().await;
            two.reached();
            two.ask(&ann(), "mine", &read).await;
            assert_eq!(two.reached() == 1, stale, "{config}");
            settle().await;
            // The one that wrote looks into what is shared, and must not find what was before.
            one.reached();
            one.ask(&ann(), "mine", &read).await;
            assert_eq!(one.reached(), usize::from(config == json!({})), "it takes what the other has fetched since");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_shared_may_be_away_and_what_could_not_be_told_is_told_later() {
    let (one, two, shared) = replicas(&secret());
    let read = json!({ "id": "1" });
    two.ask(&ann(), "mine", &read).await;
    settle().await;
    shared.away.store(true, Ordering::SeqCst);
    assert!(one.ask(&ann(), "mine", &read).await.starts_with("ok "));
    assert!(one.ask(&ann(), "write", &read).await.starts_with("ok "));
    assert!(one.ask(&ann(), "mine", &read).await.starts_with("ok "));
    assert_eq!(one.reached(), 3, "it goes on by itself");
    shared.away.store(false, Ordering::SeqCst);
    one.ask(&ann(), "mine", &json!({ "id": "another" })).await;
    settle().await;
    two.reached();
    two.ask(&ann(), "mine", &read).await;
    assert_eq!(two.reached(), 1, "now the other knows");
}

#[tokio::test(start_paused = true)]
async fn whoever_may_have_missed_something_keeps_nothing() {
    let (one, _, shared) = replicas(&json!({}));
    one.ask(&ann(), "mine", &json!({})).await;
    settle().await;
    for _ in 0..1100 {
        // All at once, so that the listener is left behind. None of them means anything.
        shared.publish("cache", Bytes::from_static(b"?")).await.expect("it is there");
    }
    settle().await;
    one.ask(&ann(), "mine", &json!({})).await;
    assert_eq!(one.reached(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_operator_drops_what_is_kept() {
    let (tag, tool, all) = (Forget::Tag("item:1".into()), Forget::Tool("mine".into()), Forget::Everything);
    for (what, tenant, expected) in [
        (&tag, None, true),
        (&tag, Some("shop"), true),
        (&tag, Some("bank"), false),
        (&Forget::Tag("item:2".into()), None, false),
        (&tool, None, true),
        (&tool, Some("shop"), true),
        (&tool, Some("bank"), false),
        (&Forget::Tool("role".into()), None, false),
        (&all, None, true),
        (&all, Some("shop"), true),
        (&all, Some("bank"), false),
    ] {
        for config in [secret(), json!({})] {
            let (one, _, shared) = replicas(&config);
            one.ask(&ann(), "mine", &json!({ "id": "1" })).await;
            settle().await;
            let shared: Arc<dyn Shared> = shared;
            forget(what, tenant, &shared).await.expect("it is there");
            settle().await;
            one.reached();
            one.ask(&ann(), "mine", &json!({ "id": "1" })).await;
            assert_eq!(one.reached() == 1, expected, "{what:?} {tenant:?}");
        }
    }
    let (_, _, shared) = replicas(&json!({}));
    shared.away.store(true, Ordering::SeqCst);
    let shared: Arc<dyn Shared> = shared;
    forget(&all, None, &shared).await.expect_err("nobody was told");
}
