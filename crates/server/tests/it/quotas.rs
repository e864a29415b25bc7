//! Quotas as clients of several gates see them.

use std::net::SocketAddr;

use callgate::{
    Builder, Gate, Secret,
    settings::{Quotas, Shared},
};
use callgate_testkit::{Redis, http::Request};
use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::library::{Echo, echo};

/// A gate that is served, until the sender is dropped.
async fn served(quotas: &Value, url: &str) -> (SocketAddr, oneshot::Sender<()>) {
    let quotas: Quotas = serde_json::from_value(quotas.clone()).unwrap();
    let shared = Shared { url: Secret::new(url.to_owned()), timeout: callgate::Span::millis(500), ..Shared::default() };
    let builder: Builder = Gate::builder().backend("echo", Echo).quotas(quotas).shared(shared);
    let listening = builder.open().await.unwrap().listen(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    let address = listening.address();
    let (stop, stopped) = oneshot::channel();
    tokio::spawn(listening.until(async {
        let _ = stopped.await;
    }));
    (address, stop)
}

fn call() -> Request {
    echo(&json!({ "text": "x" }))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_gates_over_one_redis_hold_one_quota() {
    let Some(program) = Redis::program() else {
        eprintln!("skipped: there is no redis-server; `cargo xtask test` installs it");
        return;
    };
    let redis = Redis::start(program).await.unwrap();
    let quotas = json!({ "rules": [{ "name": "all", "per": ["caller"], "limit": "100/1h" }] });
    let gates = [served(&quotas, &redis.url()).await, served(&quotas, &redis.url()).await];
    let mut ok = 0;
    for number in 0..160 {
        let reply = call().send(gates[number % 2].0).await.unwrap().json().await.unwrap();
        let text = reply["result"]["content"][0]["text"].as_str().unwrap_or_default().to_owned();
        match reply["result"]["isError"].as_bool() {
            Some(true) => assert!(text.starts_with("your quota (100 calls in 1h) is used up; call again in "), "{reply}"),
            _ => ok += 1,
        }
    }
    // One comes back after 36 s, if the machine is that slow.
    assert!((100..=102).contains(&ok), "{ok}");
    let metrics = Request::new("GET", "/metrics").send(gates[0].0).await.unwrap().text().await.unwrap();
    for line in ["mcp_redis_up 1", "mcp_quota_fallback_total 0"] {
        assert!(metrics.lines().any(|own| own == line), "no `{line}` in\n{metrics}");
    }
    let taken = metrics.lines().find_map(|line| line.strip_prefix("mcp_redis_operations_total{operation=\"take\",status=\"ok\"} "));
    assert_eq!(taken, Some("80"), "{metrics}");
}

/// Whatever becomes of the server, calls are answered: by this gate's part of the quota while it is away.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gate_goes_on_without_its_redis() {
    let Some(program) = Redis::program() else { return };
    let mut redis = Redis::start(program).await.unwrap();
    let quotas = json!({ "rules": [{ "name": "all", "per": ["caller"], "limit": "100/1h" }] });
    let (address, _stop) = served(&quotas, &redis.url()).await;
    redis.kill().await.unwrap();
    for _ in 0..10 {
        let reply = call().send(address).await.unwrap().json().await.unwrap();
        assert_eq!(reply["result"]["content"][0]["text"], "x", "{reply}");
    }
    let metrics = Request::new("GET", "/metrics").send(address).await.unwrap().text().await.unwrap();
    for line in ["mcp_redis_up 0", "mcp_quota_fallback_total 10"] {
        assert!(metrics.lines().any(|own| own == line), "no `{line}` in\n{metrics}");
    }
}
