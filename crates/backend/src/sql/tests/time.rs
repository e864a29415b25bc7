//! Deadlines, cancellation and bounds.

use std::{future::Future as _, pin::pin, task::Poll, time::Duration};

use callgate_model::Target;

use super::world::{Engine, World, engines};

/// Counting to a thousand million takes minutes on any engine.
const YAML: &str = "
tools:
  slow:
    backend: shop
    description: Takes long.
    effect: read
    input: { n: { type: integer } }
    sql: WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :n) SELECT count(*) FROM n
    returns: count
  slow_write:
    backend: shop
    description: Takes long and writes.
    effect: write
    input: { n: { type: integer } }
    returns: count
    steps:
      - sql: DELETE FROM orders
      - sql: WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :n) SELECT count(*) FROM n
  orders: { backend: shop, description: Orders., effect: read, returns: count, sql: SELECT count(*) FROM orders }
  add:
    backend: shop
    description: One more.
    effect: write
    sql: INSERT INTO orders (id, customer_id, total) VALUES ('o4', 'c1', 1)
    returns: count
";

const FOREVER: &str = r#"{"n":1000000000}"#;

#[tokio::test]
async fn a_deadline_ends_the_work() {
    for engine in engines() {
        let world = World::open(&engine, YAML).await.unwrap_or_else(|problems| panic!("{problems}"));
        for tool in ["slow", "slow_write"] {
            let call = world.call_by(Target::Tool(tool.into()), FOREVER, "local", Duration::from_millis(200));
            let fault = world.make(&call).await.unwrap_err();
            assert_eq!(fault.kind().code(), "timeout", "{tool} on {engine:?}: {}", fault.chain());
        }
        assert_eq!(world.tool("orders", "{}").await.unwrap().as_str(), r#"{"count":3}"#, "{engine:?}");
        assert_eq!(world.tool("add", "{}").await.unwrap().as_str(), r#"{"count":1}"#, "{engine:?}");
    }
}

#[tokio::test]
async fn a_read_that_takes_longer_than_a_moment_still_ends_well() {
    for engine in engines() {
        let world = World::open(&engine, YAML).await.unwrap();
        for _ in 0..3 {
            assert_eq!(world.tool("slow", r#"{"n":200000}"#).await.unwrap().as_str(), r#"{"count":200000}"#);
        }
    }
}

#[tokio::test]
async fn a_dropped_call_stops_and_leaves_nothing_behind() {
    for engine in engines() {
        let keys = "    pool: { size: 1, wait: 5s }\n";
        let world = World::open_with(&engine, YAML, keys).await.unwrap_or_else(|problems| panic!("{problems}"));
        let watcher = Watcher::of(&engine, &world).await;
        for tool in ["slow", "slow_write"] {
            // So long that it is not the deadline that ends it.
            let call = world.call_by(Target::Tool(tool.into()), FOREVER, "local", Duration::from_secs(600));
            {
                let mut future = pin!(world.make(&call));
                // Polled until it has begun; then it is dropped.
                let mut begun = false;
                for _ in 0..1_000 {
                    let polled = std::future::poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await;
                    assert!(polled.is_pending(), "{tool} on {engine:?}");
                    tokio::task::yield_now().await;
                    begun = watcher.running().await != Some(0);
                    if begun {
                        break;
                    }
                }
                assert!(begun, "{tool} on {engine:?} has not begun");
            }
            watcher.see_it_end().await;
            // There is one connection: these would wait for it if the work went on.
            assert_eq!(world.tool("orders", "{}").await.unwrap().as_str(), r#"{"count":3}"#, "{tool} on {engine:?}");
        }
        assert_eq!(world.tool("add", "{}").await.unwrap().as_str(), r#"{"count":1}"#, "{engine:?}");
    }
}

#[tokio::test]
async fn a_full_pool_says_so() {
    for engine in engines() {
        let keys = "    pool: { size: 1, wait: 50ms }\n";
        let world = World::open_with(&engine, YAML, keys).await.unwrap();
        let long = world.call_by(Target::Tool("slow".into()), FOREVER, "local", Duration::from_millis(400));
        let call = world.call(Target::Tool("orders".into()), "{}");
        let waits = |count: f64| world.backend.gauges().contains(&("mcp_db_connections_waiting", count));
        let seen = tokio::time::timeout(Duration::from_secs(5), async {
            while !waits(1.0) {
                tokio::task::yield_now().await;
            }
        });
        let (long, refused, seen) = tokio::join!(world.make(&long), world.make(&call), seen);
        assert_eq!(long.unwrap_err().kind().code(), "timeout");
        assert_eq!(refused.unwrap_err().kind().code(), "overloaded", "{engine:?}");
        assert!(seen.is_ok() && waits(0.0), "{engine:?}");
        assert!(world.backend.probe().await.is_ok());
        let gauges = world.backend.gauges();
        assert!(gauges.contains(&("mcp_db_connections_max", 1.0)), "{gauges:?}");
    }
}

/// Looks at what runs on the server of a world, where there is one.
struct Watcher(Option<(tokio_postgres::Client, String)>);

impl Watcher {
    async fn of(engine: &Engine, world: &World) -> Self {
        let Engine::Postgres(url) = engine else { return Self(None) };
        let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        Self(Some((client, world.url.rsplit("%3D").next().unwrap().to_owned())))
    }

    /// How many of the world's counting statements run just now.
    async fn running(&self) -> Option<i64> {
        let (client, name) = self.0.as_ref()?;
        let running = "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1 AND state = 'active' AND query LIKE '%RECURSIVE%'";
        Some(client.query_one(running, &[name]).await.unwrap().get(0))
    }

    /// Asks until nothing runs any more. If the statement ran on, that would take minutes.
    async fn see_it_end(&self) {
        for _ in 0..5_000 {
            if self.running().await.unwrap_or(0) == 0 {
                return;
            }
        }
        panic!("the statement still runs on the server");
    }
}

#[tokio::test]
async fn connections_that_are_made_anew_are_counted() {
    let yaml = "
tools:
  get: { backend: shop, description: One., effect: read, returns: one, sql: SELECT 1 AS one }
";
    for engine in engines() {
        let world = World::open(&engine, yaml).await.unwrap();
        let opened = || {
            let figure = world.backend.gauges().into_iter().find(|(name, _)| *name == "mcp_db_connections_opened_total");
            figure.map(|(_, count)| count).unwrap()
        };
        world.tool("get", "{}").await.unwrap();
        let before = opened();
        assert!(before >= 1.0, "{engine:?}");
        world.tool("get", "{}").await.unwrap();
        assert!((opened() - before).abs() < 0.5, "{engine:?}: the connection is used again");
        if !engine.is_sqlite() {
            let others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity";
            let of = "application_name = current_setting('application_name') AND pid <> pg_backend_pid()";
            world.clean(&format!("{others} WHERE {of}")).await;
            // The first call after it may still find the connection that is gone.
            while world.tool("get", "{}").await.is_err() {}
            assert!(opened() > before + 0.5, "{engine:?}: lost, and made anew");
        }
    }
}
