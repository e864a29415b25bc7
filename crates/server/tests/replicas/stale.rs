//! What one replica changes, the other does not serve any more as it was.

use std::time::Duration;

use anyhow::{bail, ensure};
use serde_json::json;
use tokio::time::Instant;

use crate::{
    caller::{End, Key, Line},
    world::{World, until},
};

/// How soon the other replica must know.
const SOON: Duration = Duration::from_secs(1);

/// The price as a replica tells it.
async fn price(line: &mut Line, key: &Key) -> anyhow::Result<i64> {
    match line.call(key, "get_price", &json!({ "item": "tea" })).await {
        End::Ok(reply) => Ok(reply["price"].as_i64().unwrap_or(-1)),
        other => bail!("{other:?}"),
    }
}

/// Until a replica tells this price; how long it took.
async fn told(line: &mut Line, key: &Key, expected: i64) -> anyhow::Result<Duration> {
    let begun = Instant::now();
    until(&format!("the price is {expected}"), SOON, async || Ok(price(line, key).await? == expected)).await?;
    Ok(begun.elapsed())
}

/// Changes the price behind the gates' back.
async fn slip(world: &World, price: i64) -> anyhow::Result<()> {
    world.client().await?.execute("UPDATE prices SET price = $1", &[&price]).await?;
    Ok(())
}

async fn check(world: &World) -> anyhow::Result<()> {
    let key = &world.keys[0];
    let mut lines = world.replicas.each_ref().map(|replica| Line::to(replica.address));
    let mut slowest = Duration::ZERO;
    for number in 1..=40 {
        let [writer, reader] = if number % 2 == 0 { [0, 1] } else { [1, 0] };
        // Both keep what they have just read.
        for line in &mut lines {
            price(line, key).await?;
        }
        if number == 20 {
            world.redis.ask("FLUSHALL").await?;
        }
        let changed = lines[writer].call(key, "set_price", &json!({ "item": "tea", "price": number })).await;
        ensure!(changed.is_ok(), "{changed:?}");
        slowest = slowest.max(told(&mut lines[reader], key, number).await?);
        ensure!(price(&mut lines[writer], key).await? == number, "the one that wrote");
    }
    println!("at the other replica after {slowest:?} at most");
    for (number, what) in (1000..).zip([vec!["--tag", "price:tea"], vec!["--tool", "get_price"], vec!["--all", "--tenant", &key.tenant]]) {
        slip(world, number).await?;
        for line in &mut lines {
            ensure!(price(line, key).await? != number, "a reply is kept, or there is nothing to drop");
        }
        world.replicas[0].command(&[&["cache", "drop", "-c", "FOLDER"], what.as_slice()].concat()).await?;
        for line in &mut lines {
            told(line, key, number).await?;
        }
    }
    for replica in &world.replicas {
        ensure!(replica.figure("mcp_cache_hits_total{cache_type=\"l1\"}").await? > 0.0, "nothing was kept");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_replica_changes_the_other_knows_within_a_second() {
    let Some(world) = World::open().await.unwrap() else { return };
    check(&world).await.unwrap_or_else(|error| panic!("{error:#}\n{}", world.replicas[1].said()));
}
