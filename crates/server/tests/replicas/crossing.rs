//! Many callers with equal arguments and equal request ids, over connections that they share, HTTP/1.1 and HTTP/2: nobody gets what is
//! another's.
//!
//! What a caller should get stands in the database alone, under who it is. `CALLGATE_TEST_CROSSINGS` says how many calls are made;
//! `cargo xtask bench --crossing` makes a million.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use callgate_testkit::http::{Connection, Multiplexed, Request, Whole};
use futures_util::future::try_join_all;
use serde_json::json;
use tokio::time::Instant;

use crate::{
    caller::{End, Key},
    chance::Chance,
    world::{Setting, World, servers},
};

const CALLS: usize = 20_000;
const TENANTS: usize = 5;
const CALLERS: usize = 10;
/// Connections to each replica. Whose call goes over which is chance.
const CONNECTIONS: usize = 8;
/// So many calls of different callers are sent at once before an answer is read.
const AHEAD: usize = 4;
/// One in so many calls makes what is kept stale.
const TOUCHES: u64 = 500;
const TOOLS: [&str; 5] = ["mine", "unkept", "by_role", "ours", "public"];

const CONFIG: &str = include_str!("crossing.yaml");
const MARKS: &str =
    "CREATE TABLE marks (tenant TEXT NOT NULL, owner TEXT NOT NULL, item TEXT NOT NULL, mark TEXT NOT NULL, touched BIGINT NOT NULL);";

/// A call, and the mark that its reply must have.
struct Ask {
    request: Request,
    mark: String,
    who: String,
}

/// The mark of an owner, which nobody could make up from the call.
fn mark(tenant: &str, owner: &str, salt: u64) -> String {
    format!(
        "{:x}",
        tenant.bytes().chain([0]).chain(owner.bytes()).fold(salt, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
    )
}

/// Whose row a tool reads for a caller.
fn owner<'k>(key: &'k Key, tool: &str) -> [&'k str; 2] {
    match tool {
        "by_role" => [&key.tenant, key.role],
        "ours" => [&key.tenant, ""],
        "public" => ["", ""],
        _ => [&key.tenant, &key.caller],
    }
}

fn asks(keys: &[Key], tool: &str, salt: u64) -> Vec<Ask> {
    let ask = |key: &Key| {
        let [tenant, owner] = owner(key, tool);
        let who = format!("{}/{} {tool}", key.tenant, key.caller);
        Ask { request: key.request(tool, &json!({ "item": "x" })), mark: mark(tenant, owner, salt), who }
    };
    keys.iter().map(ask).collect()
}

/// Replies that were another's, and calls that failed.
#[derive(Debug, Default)]
struct Seen {
    calls: usize,
    swapped: Vec<String>,
    failed: Vec<String>,
}

/// A connection that callers share.
enum Line {
    /// Answers come in the order of the calls.
    One(Connection),
    /// Calls are under way side by side.
    Many(Multiplexed),
}

impl Line {
    async fn send_all(&mut self, requests: &[&Request]) -> anyhow::Result<Vec<Whole>> {
        match self {
            Self::One(connection) => connection.send_all(requests).await,
            Self::Many(connection) => connection.send_all(requests).await,
        }
    }
}

/// Calls over one connection.
async fn talk(mut connection: Line, calls: usize, mut chance: Chance, reads: &[Ask], touches: &[Ask]) -> anyhow::Result<Seen> {
    let mut seen = Seen::default();
    while seen.calls < calls {
        let mut some = Vec::with_capacity(AHEAD);
        for _ in 0..AHEAD {
            let all = if chance.below(TOUCHES) == 0 { touches } else { reads };
            some.push(&all[usize::try_from(chance.below(all.len() as u64))?]);
        }
        let requests: Vec<&Request> = some.iter().map(|ask| &ask.request).collect();
        for (ask, answer) in some.iter().zip(connection.send_all(&requests).await?) {
            seen.calls += 1;
            match End::of(&answer) {
                End::Ok(reply) if reply["mark"] == ask.mark.as_str() => {}
                End::Ok(reply) => seen.swapped.push(format!("{} got {reply}", ask.who)),
                other => seen.failed.push(format!("{}: {other:?}", ask.who)),
            }
        }
    }
    Ok(seen)
}

/// What is in the database, one row for each owner.
async fn fill(world: &World, salt: u64) -> anyhow::Result<()> {
    let client = world.client().await?;
    let mut owners: Vec<[&str; 2]> = world.keys.iter().flat_map(|key| TOOLS.map(|tool| owner(key, tool))).collect();
    owners.sort_unstable();
    owners.dedup();
    for [tenant, owner] in owners {
        let insert = "INSERT INTO marks VALUES ($1, $2, 'x', $3, 0)";
        client.execute(insert, &[&tenant, &owner, &mark(tenant, owner, salt)]).await?;
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "whoever wants a long run says so in the environment")]
fn calls() -> usize {
    std::env::var("CALLGATE_TEST_CROSSINGS").ok().and_then(|calls| calls.parse().ok()).unwrap_or(CALLS)
}

async fn check(world: &World) -> anyhow::Result<()> {
    let mut chance = Chance::new();
    let salt = chance.below(u64::MAX >> 11);
    fill(world, salt).await?;
    let reads: Vec<Ask> = TOOLS.iter().flat_map(|tool| asks(&world.keys, tool, salt)).collect();
    let touches = asks(&world.keys, "touch", salt);
    let each = calls() / (2 * CONNECTIONS);
    let begun = Instant::now();
    let lines = world.replicas.iter().flat_map(|replica| [replica.address; CONNECTIONS]);
    let mut talks = Vec::new();
    for (number, address) in lines.enumerate() {
        // Every other one speaks HTTP/2.
        let line = match number % 2 {
            0 => Line::One(Connection::open(address).await?),
            _ => Line::Many(Multiplexed::open(address).await?),
        };
        talks.push(talk(line, each, chance.child(), &reads, &touches));
    }
    let mut all = Seen::default();
    for seen in try_join_all(talks).await? {
        all.calls += seen.calls;
        all.swapped.extend(seen.swapped);
        all.failed.extend(seen.failed);
    }
    let took = begun.elapsed();
    let mut hits = Vec::new();
    for (count, kind) in [("hits", "l1"), ("hits", "stale"), ("hits", "flight"), ("hits", "l2"), ("misses", "l2")] {
        let mut sum = 0.0;
        for replica in &world.replicas {
            sum += replica.figure(&format!("mcp_cache_{count}_total{{cache_type=\"{kind}\"}}")).await?;
        }
        hits.push(sum);
    }
    report(&all, &hits, took)
}

fn report(all: &Seen, hits: &[f64], took: Duration) -> anyhow::Result<()> {
    let Seen { calls, swapped, failed } = all;
    let kept: f64 = hits[..4].iter().sum();
    let share = 100.0 * kept / (kept + hits[4]);
    println!("{calls} calls of {} callers in {TENANTS} tenants over {} connections, in {took:.1?}", TENANTS * CALLERS, 2 * CONNECTIONS);
    println!(
        "kept replies: {} from memory, {} stale, {} from a call under way, {} of the other replica",
        hits[0], hits[1], hits[2], hits[3]
    );
    println!("{} replies for another caller, {} failed, {share:.1} % of what may be kept was", swapped.len(), failed.len());
    ensure!(swapped.is_empty(), "{} replies were another's: {:?}", swapped.len(), &swapped[..swapped.len().min(5)]);
    ensure!(failed.is_empty(), "{} calls failed: {:?}", failed.len(), &failed[..failed.len().min(5)]);
    // Otherwise nothing was put to the test.
    ensure!(hits[0] > 0.0 && hits[2] > 0.0 && hits[3] > 0.0, "not every way of keeping a reply was used: {hits:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_gets_the_reply_of_another() {
    let Some((postgres, redis)) = servers().await.unwrap() else { return };
    let files = vec![("crossing.yaml", CONFIG.to_owned()), ("orders/2.sql", MARKS.to_owned())];
    let setting = Setting { tenants: TENANTS, callers: CALLERS, files, ..Setting::plain(&postgres, &redis) };
    let world = World::over(postgres, redis, &setting).await.unwrap();
    let checked = check(&world).await.with_context(|| world.replicas[0].said());
    checked.unwrap_or_else(|error| panic!("{error:?}"));
}
