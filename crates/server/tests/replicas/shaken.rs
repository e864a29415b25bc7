//! What the replicas share fails in every way a server and a network can: what does not need it goes on as before, what does is answered
//! in time and in words, and everything is well again by itself.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, ensure};
use callgate_testkit::fault_proxy::{Fault, FaultProxy};
use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout};

use crate::{
    caller::{End, Key, Line},
    ledger::{check_log, check_orders},
    world::{Replica, Setting, World, servers, until},
};

/// What is done to what the replicas share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Injury {
    /// PostgreSQL stops where it is: the store and the shop.
    DatabaseFrozen,
    /// PostgreSQL ends as after a crash, and is started again.
    DatabaseAborted,
    /// The connections to the shop, but not those to the store.
    Shop(Fault),
    /// The connections to the store, but not those to the shop.
    Store(Fault),
    RedisFrozen,
    RedisKilled,
    RedisFlushed,
    Redis(Fault),
    /// More calls of a tool that takes long than it may have places.
    Naps(&'static str),
}

/// Tools that are called all the time.
const TOOLS: [&str; 4] = ["calm", "counted", "count_orders", "add_order"];
/// How long a caller waits between two calls.
const PAUSE: Duration = Duration::from_millis(10);
/// How long things are well before, so that one knows how fast it is.
const BEFORE: Duration = Duration::from_millis(750);
/// The deadline of calls, as `gate.yaml` has it, and what a busy machine may add.
const ANSWERED: Duration = Duration::from_millis(2750);
/// Below this it is the machine that is measured.
const FLOOR: Duration = Duration::from_millis(75);
/// How often a comparison of times may fail because of something else on the machine.
const ATTEMPTS: usize = 4;
/// How long the gates may take to find back.
const RECOVERY: Duration = Duration::from_secs(10);

impl Injury {
    /// Whether a tool can do without what is broken.
    fn spares(self, tool: &str) -> bool {
        match self {
            Self::DatabaseFrozen | Self::DatabaseAborted | Self::Shop(_) | Self::Naps("oversleep") => ["calm", "counted"].contains(&tool),
            Self::Store(_) => tool != "add_order",
            Self::RedisFrozen | Self::RedisKilled | Self::RedisFlushed | Self::Redis(_) | Self::Naps(_) => true,
        }
    }

    fn lasts(self) -> Duration {
        match self {
            Self::DatabaseFrozen => Duration::from_secs(5),
            _ => Duration::from_millis(1250),
        }
    }
}

/// Replicas whose ways to the shop and to Redis can be disturbed.
struct Shaken {
    world: World,
    shop: FaultProxy,
    store: FaultProxy,
    redis: FaultProxy,
    acknowledged: Mutex<Vec<String>>,
    number: AtomicU64,
}

/// What came of the calls of one span: by tool, how long they took, and the failures.
#[derive(Default)]
struct Span {
    took: BTreeMap<&'static str, Vec<Duration>>,
    failed: BTreeMap<&'static str, Vec<End>>,
}

impl Span {
    fn note(&mut self, tool: &'static str, end: End, took: Duration) {
        self.took.entry(tool).or_default().push(took);
        // A quota that is used up is no failure.
        if !end.is_ok() && !matches!(end, End::Fault(429, _)) {
            self.failed.entry(tool).or_default().push(end);
        }
    }

    /// The slowest but one in a hundred.
    fn slow(&self, tool: &str) -> Duration {
        let mut took = self.took.get(tool).cloned().unwrap_or_default();
        took.sort_unstable();
        took.get((took.len() * 99 / 100).saturating_sub(1)).copied().unwrap_or(Duration::MAX)
    }
}

impl Shaken {
    async fn open() -> anyhow::Result<Option<Self>> {
        let Some((postgres, redis)) = servers().await? else { return Ok(None) };
        let (to_shop, to_store) = (FaultProxy::start(postgres.address()).await?, FaultProxy::start(postgres.address()).await?);
        let to_redis = FaultProxy::start(redis.address()).await?;
        let ways = vec![
            ("SHOP", postgres.url_through(to_shop.address())),
            ("STORE", postgres.url_through(to_store.address())),
            ("REDIS", redis.url_through(to_redis.address())),
            ("REDIS_TIMEOUT", "20ms".to_owned()),
            ("STORE_TIMEOUT", "1s".to_owned()),
        ];
        let setting = Setting { ways, ..Setting::plain(&postgres, &redis) };
        let world = World::over(postgres, redis, &setting).await?;
        Ok(Some(Self { world, shop: to_shop, store: to_store, redis: to_redis, acknowledged: Mutex::default(), number: AtomicU64::new(0) }))
    }

    async fn inflict(&mut self, injury: Injury) -> anyhow::Result<()> {
        let World { postgres, redis, .. } = &mut self.world;
        match injury {
            Injury::DatabaseFrozen => postgres.freeze().await,
            Injury::DatabaseAborted => postgres.abort().await,
            Injury::Shop(fault) => {
                self.shop.inflict(fault).await;
                Ok(())
            }
            Injury::RedisFrozen => redis.signal("STOP").await,
            Injury::RedisKilled => redis.kill().await,
            Injury::RedisFlushed => redis.ask("FLUSHALL").await.map(drop),
            Injury::Store(fault) => {
                self.store.inflict(fault).await;
                Ok(())
            }
            Injury::Redis(fault) => {
                self.redis.inflict(fault).await;
                Ok(())
            }
            Injury::Naps(_) => Ok(()),
        }
    }

    async fn heal(&mut self, injury: Injury) -> anyhow::Result<()> {
        let World { postgres, redis, .. } = &mut self.world;
        match injury {
            Injury::DatabaseFrozen => postgres.thaw().await,
            Injury::DatabaseAborted => postgres.run().await,
            Injury::RedisFrozen => redis.signal("CONT").await,
            Injury::RedisKilled => redis.run().await,
            Injury::RedisFlushed | Injury::Naps(_) => Ok(()),
            Injury::Shop(_) => {
                self.shop.inflict(Fault::None).await;
                Ok(())
            }
            Injury::Store(_) => {
                self.store.inflict(Fault::None).await;
                Ok(())
            }
            Injury::Redis(_) => {
                self.redis.inflict(Fault::None).await;
                Ok(())
            }
        }
    }

    fn arguments(&self, tool: &str) -> (Value, String) {
        if tool != "add_order" {
            return (json!({}), String::new());
        }
        let mark = format!("{}", self.number.fetch_add(1, Ordering::SeqCst));
        (json!({ "mark": &mark }), mark)
    }

    /// Calls, and notes what is acknowledged.
    async fn call(&self, line: &mut Line, key: &Key, tool: &'static str) -> (End, Duration) {
        let (arguments, mark) = self.arguments(tool);
        let begun = Instant::now();
        let end = line.call(key, tool, &arguments).await;
        if tool == "add_order" && end.is_ok() {
            self.acknowledged.lock().unwrap().push(mark);
        }
        (end, begun.elapsed())
    }

    /// All tools at both replicas for so long, and as many naps as it takes.
    async fn load(&self, span: Duration, naps: Option<&'static str>) -> Span {
        let seen = Mutex::new(Span::default());
        let end = Instant::now() + span;
        let work = |replica: usize, tool: &'static str, pause: Duration| {
            let (seen, own) = (&seen, &self.world.keys[tool.len() % self.world.keys.len()]);
            async move {
                let mut line = Line::to(self.world.replicas[replica].address);
                while Instant::now() < end {
                    let (end, took) = self.call(&mut line, own, tool).await;
                    seen.lock().unwrap().note(tool, end, took);
                    sleep(pause).await;
                }
            }
        };
        let each = TOOLS.into_iter().flat_map(|tool| [0, 1].map(|replica| work(replica, tool, PAUSE)));
        let naps = naps.into_iter().flat_map(|nap| (0..24).map(move |number| (number % 2, nap)));
        // Whoever is refused comes back, but not as fast as it can.
        join_all(each.chain(naps.map(|(replica, nap)| work(replica, nap, PAUSE * 20)))).await;
        seen.into_inner().unwrap()
    }

    /// Until every tool is answered well at both, several times in a row.
    async fn recovered(&self) -> anyhow::Result<Duration> {
        let begun = Instant::now();
        let all = async {
            for replica in &self.world.replicas {
                let mut line = Line::to(replica.address);
                for tool in ["calm", "count_orders", "add_order"] {
                    let (mut row, mut last) = (0, None);
                    while row < 5 {
                        let (end, _) = self.call(&mut line, &self.world.keys[0], tool).await;
                        row = if end.is_ok() { row + 1 } else { 0 };
                        last = (!end.is_ok()).then_some(end).or(last);
                        ensure!(begun.elapsed() < RECOVERY, "`{tool}` is not answered again: {last:?}");
                        sleep(PAUSE).await;
                    }
                }
                until("Redis is found again", RECOVERY, async || Ok(replica.figure("mcp_redis_up").await? > 0.0)).await?;
            }
            anyhow::Ok(())
        };
        timeout(RECOVERY, all).await.context("it does not find back")??;
        Ok(begun.elapsed())
    }

    /// Everything about one injury. Whether the machine was busy with something else is not ours to say: what took too long by comparison is
    /// looked at again, and has to be so every time.
    async fn check(&mut self, injury: Injury) -> anyhow::Result<()> {
        let mut slow = Ok(());
        for _ in 0..ATTEMPTS {
            slow = self.attempt(injury).await?;
            if slow.is_ok() {
                break;
            }
        }
        slow
    }

    /// Inflicts it once; gives what spared tools took too long.
    async fn attempt(&mut self, injury: Injury) -> anyhow::Result<anyhow::Result<()>> {
        let before = self.load(BEFORE, None).await;
        ensure!(before.failed.is_empty(), "before anything was done: {:?}", before.failed);
        self.inflict(injury).await?;
        let naps = if let Injury::Naps(tool) = injury { Some(tool) } else { None };
        let during = self.load(injury.lasts(), naps).await;
        self.heal(injury).await?;
        let recovered = self.recovered().await?;
        println!("{injury:?}: well again after {recovered:?}");
        let mut slow = Ok(());
        for (tool, took) in &during.took {
            let failed = during.failed.get(tool).map_or(&[][..], Vec::as_slice);
            let slowest = took.iter().max().copied().unwrap_or_default();
            ensure!(slowest < ANSWERED, "a call of `{tool}` took {slowest:?}");
            for end in failed {
                ensure!(matches!(end, End::Fault(200 | 503, said) if !said.is_empty()), "`{tool}`: {end:?}");
            }
            if !TOOLS.contains(tool) || !injury.spares(tool) {
                println!("  {tool}: {} calls, {} of them failed, the slowest took {slowest:?}", took.len(), failed.len());
                continue;
            }
            ensure!(failed.is_empty(), "`{tool}` needs nothing of it: {failed:?}");
            let (well, now) = (before.slow(tool), during.slow(tool));
            println!("  {tool}: {} calls, 99 in 100 within {now:?} instead of {well:?}", took.len());
            if now > (well * 2).max(FLOOR) {
                slow = Err(anyhow::anyhow!("`{tool}` took {now:?} instead of {well:?}"));
            }
        }
        Ok(slow)
    }
}

/// All of these, one after the other, on the same replicas.
async fn shake(injuries: &[Injury]) {
    let Some(mut shaken) = Shaken::open().await.unwrap() else { return };
    let checked = async {
        for injury in injuries {
            shaken.check(*injury).await.with_context(|| format!("{injury:?}"))?;
        }
        let acknowledged = shaken.acknowledged.lock().unwrap().clone();
        check_orders(&shaken.world, &acknowledged).await?;
        check_log(&shaken.world).await
    };
    if let Err(error) = checked.await {
        let said = shaken.world.replicas.each_ref().map(Replica::said).join("\n--\n");
        panic!("{error:#}\n{said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_is_frozen_and_restarted() {
    shake(&[Injury::DatabaseFrozen, Injury::DatabaseAborted]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_shop_hangs_resets_and_says_garbage() {
    shake(&[Fault::Silent, Fault::Reset, Fault::Garbled, Fault::Cut(40), Fault::Cut(3000), Fault::Refused].map(Injury::Shop)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_store_hangs_resets_and_says_garbage() {
    shake(&[Fault::Silent, Fault::Reset, Fault::Garbled, Fault::Cut(4000)].map(Injury::Store)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_is_frozen_killed_emptied_and_slow() {
    let slow = Injury::Redis(Fault::Late(Duration::from_millis(200)));
    shake(&[Injury::RedisFrozen, Injury::RedisKilled, Injury::RedisFlushed, slow, Injury::Redis(Fault::Garbled)]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_tool_takes_all_the_places_it_gets() {
    shake(&[Injury::Naps("nap"), Injury::Naps("oversleep")]).await;
}
