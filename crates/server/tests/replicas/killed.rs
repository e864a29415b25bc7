//! Either replica is killed at random moments, under load, and started anew.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::ensure;
use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::{
    caller::{End, Key, Line},
    chance::Chance,
    ledger::{check_log, check_orders},
    world::{Replica, World, until},
};

const ROUNDS: u64 = 8;
/// As `gate.yaml` has it.
const BURST: f64 = 100.0;
const PER_SECOND: f64 = 20.0;

/// What the callers saw.
#[derive(Default)]
struct Seen {
    over: AtomicBool,
    calls: AtomicU64,
    acknowledged: Mutex<Vec<String>>,
    /// Calls of `counted` that were let through, and those of which nobody knows.
    counted: AtomicU64,
    uncounted: AtomicU64,
    /// Failures at a replica that was there all the time.
    inexcusable: Mutex<Vec<String>>,
}

/// What a caller needs to know of a replica; the replica itself is being killed meanwhile.
#[derive(Clone)]
struct Target {
    address: SocketAddr,
    epoch: Arc<AtomicU64>,
}

impl Target {
    /// Calls; and notes a failure that has no excuse.
    async fn call(&self, seen: &Seen, line: &mut Line, key: &Key, tool: &str, arguments: &Value) -> End {
        let before = self.epoch.load(Ordering::SeqCst);
        let end = line.call(key, tool, arguments).await;
        let excused = before % 2 == 1 || self.epoch.load(Ordering::SeqCst) != before;
        let refused = matches!(end, End::Fault(429, _));
        if !end.is_ok() && !refused && !excused {
            seen.inexcusable.lock().unwrap().push(format!("{tool}: {end:?}"));
        }
        if matches!(end, End::Lost(_) | End::Away) {
            // It is being started.
            sleep(Duration::from_millis(5)).await;
        }
        seen.calls.fetch_add(1, Ordering::SeqCst);
        end
    }
}

/// Writes and reads in turns.
async fn use_it(seen: &Seen, target: Target, key: &Key, name: usize) {
    let mut line = Line::to(target.address);
    for number in 0.. {
        if seen.over.load(Ordering::SeqCst) {
            return;
        }
        let mark = format!("{name}-{number}");
        if target.call(seen, &mut line, key, "add_order", &json!({ "mark": mark })).await.is_ok() {
            seen.acknowledged.lock().unwrap().push(mark);
        }
        target.call(seen, &mut line, key, "count_orders", &json!({})).await;
    }
}

/// Asks for more than the quota gives.
async fn use_up(seen: &Seen, target: Target, key: &Key) {
    let mut line = Line::to(target.address);
    while !seen.over.load(Ordering::SeqCst) {
        match target.call(seen, &mut line, key, "counted", &json!({})).await {
            End::Ok(_) => seen.counted.fetch_add(1, Ordering::SeqCst),
            End::Fault(..) | End::Away => 0,
            End::Lost(_) => seen.uncounted.fetch_add(1, Ordering::SeqCst),
        };
        sleep(Duration::from_millis(4)).await;
    }
}

/// Kills one or the other after so and so many calls.
async fn kill(seen: &Seen, replicas: &mut [Replica; 2], chance: &mut Chance) -> anyhow::Result<()> {
    for _ in 0..ROUNDS {
        let victim = &mut replicas[usize::try_from(chance.below(2))?];
        calls(seen, 50 + chance.below(150)).await?;
        victim.kill().await?;
        calls(seen, chance.below(50)).await?;
        victim.start().await?;
    }
    calls(seen, 100).await
}

/// Waits for so many calls more.
async fn calls(seen: &Seen, more: u64) -> anyhow::Result<()> {
    let wanted = seen.calls.load(Ordering::SeqCst) + more;
    until("calls go on", Duration::from_secs(20), async || Ok(seen.calls.load(Ordering::SeqCst) >= wanted)).await
}

/// The load, the kills, and how long it all took.
async fn run(world: &mut World, seen: &Seen, chance: &mut Chance) -> anyhow::Result<Duration> {
    let targets = world.replicas.each_ref().map(|replica| Target { address: replica.address, epoch: replica.epoch.clone() });
    let World { replicas, keys, .. } = world;
    let begun = Instant::now();
    let users = keys.iter().enumerate().map(|(name, key)| use_it(seen, targets[name % 2].clone(), key, name));
    let greedy = targets.iter().map(|target| use_up(seen, target.clone(), &keys[0]));
    let killer = async {
        let done = kill(seen, replicas, chance).await;
        seen.over.store(true, Ordering::SeqCst);
        done
    };
    let (done, _, _) = tokio::join!(killer, join_all(users), join_all(greedy));
    done.map(|()| begun.elapsed())
}

fn check_quota(seen: &Seen, took: Duration) -> anyhow::Result<()> {
    let given = BURST + PER_SECOND * took.as_secs_f64();
    let [used, unknown] = [&seen.counted, &seen.uncounted].map(|count| count.load(Ordering::SeqCst) as f64);
    println!("quota: {used} of {given:.0} calls, {unknown} without an answer, in {took:?}");
    ensure!(used <= given * 1.02 && used + unknown >= given * 0.98, "{used} calls (and {unknown} lost) of a quota of {given:.0}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn either_replica_may_be_killed_at_any_time() {
    let Some(mut world) = World::open().await.unwrap() else { return };
    let (seen, mut chance) = (Seen::default(), Chance::new());
    let took = run(&mut world, &seen, &mut chance).await.unwrap();
    let checked = async {
        let inexcusable = seen.inexcusable.lock().unwrap().clone();
        ensure!(inexcusable.is_empty(), "calls failed at a replica that was there: {inexcusable:#?}");
        check_quota(&seen, took)?;
        let acknowledged = seen.acknowledged.lock().unwrap().clone();
        check_orders(&world, &acknowledged).await?;
        check_log(&world).await
    };
    let said = || world.replicas.each_ref().map(Replica::said).join("\n--\n");
    checked.await.unwrap_or_else(|error| panic!("{error:#}\n{}", said()));
}
