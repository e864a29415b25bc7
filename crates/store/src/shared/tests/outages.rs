//! A server that is away, frozen, emptied, started again.

use std::{path::Path, sync::Arc, time::Duration};

use bytes::Bytes;
use callgate_config::{Secret, Span};
use callgate_testkit::{PATIENCE, Redis as Server};
use tokio::time::{Instant, timeout};

use super::rate;
use crate::shared::{Away, Claim, Config, Notice, Rate, Shared, Verdict, open};

/// A server; `None` where the program is missing, which is said.
async fn server() -> Option<Server> {
    let Some(program) = Server::program() else {
        eprintln!("Redis is skipped: there is no redis-server; `cargo xtask test` installs it");
        return None;
    };
    Some(Server::start(program).await.unwrap())
}

/// The budget is generous, because tests run beside many others.
async fn shared(server: &Server) -> Arc<dyn Shared> {
    let config = Config { url: Secret::new(server.url()), timeout: Span::millis(200), ..Config::default() };
    open(&config, Path::new(".")).await.unwrap()
}

const HOUR: Duration = Duration::from_secs(3600);

async fn take(shared: &dyn Shared, rate: Rate) -> Result<Verdict, Away> {
    shared.take(&[Claim { key: "a", rate, member: None }]).await
}

/// Asks until the server answers again; how long it took.
async fn until_back(shared: &dyn Shared) -> Duration {
    let begun = Instant::now();
    timeout(PATIENCE, async {
        while shared.get("x").await.is_err() {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("it comes back");
    begun.elapsed()
}

/// Asks until the server is known to be away.
async fn until_away(shared: &dyn Shared) {
    for _ in 0..4 {
        let _ = shared.get("x").await;
    }
    let begun = Instant::now();
    for _ in 0..100 {
        assert_eq!(shared.get("x").await, Err(Away));
    }
    assert!(begun.elapsed() < Duration::from_millis(200), "100 operations cost less than one budget: {:?}", begun.elapsed());
}

async fn heard(subscription: &mut crate::shared::Subscription) -> Notice {
    timeout(PATIENCE, subscription.next()).await.expect("a notice")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn values_and_notices_reach_the_other_replica() {
    let Some(server) = server().await else { return };
    let (here, there) = (shared(&server).await, shared(&server).await);
    let value = Bytes::from_static(b"\0binary\xff");
    here.put("k", value.clone(), HOUR).await.unwrap();
    assert_eq!(there.get("k").await, Ok(Some(value)));
    there.delete(&["k", "none"]).await.unwrap();
    assert_eq!(here.get("k").await, Ok(None));
    here.put("long", Bytes::from(vec![1; 2 << 20]), HOUR).await.unwrap();
    assert_eq!(here.get("long").await, Ok(None), "it is not kept");
    server.ask("SETRANGE callgate:huge 2000000 x").await.unwrap();
    assert_eq!(here.get("huge").await, Ok(None), "what somebody else has put there is bounded too");

    let mut listener = there.subscribe("x");
    assert_eq!(heard(&mut listener).await, Notice::Missed, "nobody knows what was said before");
    here.publish("x", Bytes::from_static(b"1")).await.unwrap();
    assert_eq!(heard(&mut listener).await, Notice::Message(Bytes::from_static(b"1")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_replicas_hold_one_quota() {
    let Some(server) = server().await else { return };
    let replicas = [shared(&server).await, shared(&server).await];
    let calls = (0..8).map(|task| {
        let replica = replicas[task % 2].clone();
        tokio::spawn(async move {
            let mut taken = 0;
            for _ in 0..100 {
                taken += u32::from(take(replica.as_ref(), rate(200, HOUR, 200)).await == Ok(Verdict::Taken));
            }
            taken
        })
    });
    let taken = futures_util::future::join_all(calls).await.into_iter().map(Result::unwrap).sum::<u32>();
    assert_eq!(taken, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_not_there_yet_is_found_when_it_comes() {
    let Some(program) = Server::program() else { return };
    let mut server = Server::stopped(program).unwrap();
    let shared = shared(&server).await;
    until_away(shared.as_ref()).await;
    server.run().await.unwrap();
    let took = until_back(shared.as_ref()).await;
    assert!(took < Duration::from_secs(2), "{took:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_dies_and_comes_back_empty_is_used_again() {
    let Some(mut server) = server().await else { return };
    let shared = shared(&server).await;
    let mut listener = shared.subscribe("x");
    assert_eq!(heard(&mut listener).await, Notice::Missed);
    assert_eq!(take(shared.as_ref(), rate(1, HOUR, 1)).await, Ok(Verdict::Taken));
    server.kill().await.unwrap();
    until_away(shared.as_ref()).await;
    server.run().await.unwrap();
    let took = until_back(shared.as_ref()).await;
    assert!(took < Duration::from_secs(2), "{took:?}");
    assert_eq!(take(shared.as_ref(), rate(1, HOUR, 1)).await, Ok(Verdict::Taken), "it has forgotten");
    assert_eq!(heard(&mut listener).await, Notice::Missed, "the connection was lost and is back");
    shared.publish("x", Bytes::from_static(b"1")).await.unwrap();
    assert_eq!(heard(&mut listener).await, Notice::Message(Bytes::from_static(b"1")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_frozen_costs_a_few_budgets_and_then_nothing() {
    let Some(server) = server().await else { return };
    let shared = shared(&server).await;
    let mut listener = shared.subscribe("x");
    assert_eq!(heard(&mut listener).await, Notice::Missed);
    server.signal("STOP").await.unwrap();
    until_away(shared.as_ref()).await;
    server.signal("CONT").await.unwrap();
    let took = until_back(shared.as_ref()).await;
    assert!(took < Duration::from_secs(2), "{took:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_emptied_goes_on() {
    let Some(server) = server().await else { return };
    let shared = shared(&server).await;
    assert_eq!(take(shared.as_ref(), rate(1, HOUR, 1)).await, Ok(Verdict::Taken));
    server.ask("FLUSHALL").await.unwrap();
    server.ask("SCRIPT FLUSH").await.unwrap();
    assert_eq!(take(shared.as_ref(), rate(1, HOUR, 1)).await, Ok(Verdict::Taken), "it has forgotten calls and script");
    assert!(matches!(take(shared.as_ref(), rate(1, HOUR, 1)).await, Ok(Verdict::Refused { claim: 0, .. })));
}
