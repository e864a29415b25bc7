//! What a collector gets, and that nobody but itself pays for one that is slow, refuses or is away.

use std::{path::Path, sync::Arc, time::Duration};

use callgate_config::{Document, Environment, Problems, Section};
use callgate_model::{Clock, Ended, Origin, Tally, Traces as _};
use callgate_testkit::{Collector, Folder, PATIENCE, collector::Mood};
use tokio::time::{Instant, sleep};

use crate::{Config, Exporter, Opening};

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// The section `telemetry` with these lines under `traces`.
fn section(traces: &str) -> (Folder, Section, Problems) {
    let folder = Folder::with([("gate.yaml", &*format!("telemetry:\n  traces: {{ {traces} }}\n"))]).unwrap();
    let mut problems = Problems::new();
    let environment = Environment::of([("TOKEN", "canary")]);
    let document = Document::read_all(&folder.path().join("gate.yaml"), &environment, &mut problems).unwrap();
    let section = document.root().get("telemetry").unwrap();
    (folder, section, problems)
}

fn exporter(collector: &Collector, traces: &str) -> Arc<Exporter> {
    let (_folder, section, mut problems) = section(&format!("endpoint: '{}', {traces}", collector.url()));
    let config: Config = section.read(&mut problems).unwrap_or_else(|| panic!("{problems}"));
    let egress = callgate_egress::Config { allow: vec!["127.0.0.1".into()], ..callgate_egress::Config::default() };
    let config = config.traces.expect("traces");
    let opening = Opening { config: &config, egress: &egress, folder: Path::new("."), name: "shop", version: "1", clock: Clock::System };
    Exporter::open(&opening).unwrap()
}

fn origin(traceparent: Option<&str>) -> Origin {
    Origin { traceparent: traceparent.map(Into::into), tracestate: Some("a=1".into()), ..Origin::default() }
}

/// Makes a call that is sampled.
fn call(exporter: &Exporter) {
    exporter.begin(&origin(None)).expect("a trace").end(Ended::Well);
}

/// Waits until the tally is as expected.
async fn until(exporter: &Exporter, expected: impl Fn(&Tally) -> bool) {
    let end = Instant::now() + PATIENCE;
    while !expected(&exporter.tally()) {
        assert!(Instant::now() < end, "{:?}", exporter.tally());
        sleep(Duration::from_millis(5)).await;
    }
}

fn tally(exported: u64, [full, refused, away]: [u64; 3]) -> Tally {
    Tally { exported, dropped: vec![("queue_full", full), ("refused", refused), ("unreachable", away)], waiting: 0 }
}

#[tokio::test]
async fn a_collector_gets_spans_whole_and_knows_who_sent_them() {
    let collector = Collector::start().await.unwrap();
    let exporter = exporter(&collector, "headers: { x-token: { env: TOKEN } }, resource: { host.name: one, service.version: '2' }");
    let step = exporter.begin(&origin(Some(PARENT))).expect("a trace");
    step.trace().name("tools/call a");
    step.trace().note("callgate.attempt", 2);
    let below = step.trace().step("backend");
    below.trace().asks("query a");
    let given_on = below.trace().parent();
    below.end(Ended::Badly("unavailable"));
    step.end(Ended::Dropped);
    exporter.flush().await;
    let spans = collector.spans().unwrap();
    let [root, client] = spans.as_slice() else { panic!("{spans:?}") };
    assert_eq!((root.trace.as_str(), root.parent.as_str(), root.kind), (&PARENT[3..35], &PARENT[36..52], 2));
    assert_eq!((root.name.as_str(), root.status, root.state.as_str()), ("tools/call a", 2, "a=1"));
    assert_eq!((root.attribute("callgate.attempt"), root.attribute("error.type")), ("2", "cancelled"));
    assert_eq!((&client.parent, client.kind, client.name.as_str()), (&root.id, 3, "query a"));
    assert_eq!(client.attribute("error.type"), "unavailable");
    assert_eq!(given_on.to_string(), format!("00-{}-{}-01", client.trace, client.id));
    assert!(root.time.0 <= client.time.0 && client.time.1 <= root.time.1, "{root:?} {client:?}");
    let said = |key: &str| root.resource.get(key).cloned().unwrap_or_default();
    assert_eq!([said("service.name"), said("host.name"), said("service.version")], ["shop", "one", "2"]);
    assert!(collector.heads()[0].contains("x-token: canary"), "{:?}", collector.heads());
    assert_eq!(exporter.tally(), tally(1, [0, 0, 0]));
}

#[tokio::test]
async fn what_is_not_sampled_is_not_sent() {
    let collector = Collector::start().await.unwrap();
    let none = exporter(&collector, "ratio: 0");
    assert!(none.begin(&origin(None)).is_none());
    assert!(none.begin(&origin(Some("00-canary"))).is_none(), "what is no context decides nothing");
    assert!(none.begin(&origin(Some(&PARENT.replace("-01", "-00")))).is_none());
    assert!(exporter(&collector, "ratio: 0, follow: false").begin(&origin(Some(PARENT))).is_none());
    none.flush().await;
    assert_eq!(collector.requests(), 0);
}

#[tokio::test]
async fn a_caller_who_is_not_followed_cannot_choose_a_trace_that_is_sampled() {
    let collector = Collector::start().await.unwrap();
    let exporter = exporter(&collector, "ratio: 0.5, follow: false");
    let lucky = origin(Some("00-00000000000000010000000000000000-00f067aa0ba902b7-01"));
    let sampled = (0..1000).filter(|_| exporter.begin(&lucky).is_some()).count();
    assert!((300..700).contains(&sampled), "{sampled} of 1000");
}

#[tokio::test]
async fn what_is_refused_is_dropped_and_not_sent_again() {
    let collector = Collector::start().await.unwrap();
    collector.answer(Mood::Status(500));
    let exporter = exporter(&collector, "backoff: 1ms");
    call(&exporter);
    call(&exporter);
    exporter.flush().await;
    assert_eq!((exporter.tally(), collector.requests()), (tally(0, [0, 2, 0]), 1));
    // The next ones are tried all the same.
    collector.answer(Mood::Well);
    call(&exporter);
    exporter.flush().await;
    assert_eq!(exporter.tally(), tally(1, [0, 2, 0]));
}

#[tokio::test]
async fn what_may_be_taken_later_is_sent_again() {
    let collector = Collector::start().await.unwrap();
    collector.answer(Mood::Status(503));
    let exporter = exporter(&collector, "every: 1ms, backoff: 5ms, attempts: 100");
    call(&exporter);
    until(&exporter, |_| collector.requests() >= 3).await;
    collector.answer(Mood::Well);
    until(&exporter, |told| *told == tally(1, [0, 0, 0])).await;
    assert_eq!(collector.spans().unwrap().len(), 1);
}

#[tokio::test]
async fn a_collector_that_is_away_is_given_up_in_the_end() {
    let collector = Collector::start().await.unwrap();
    let exporter = exporter(&collector, "every: 1ms, backoff: 1ms, attempts: 3");
    drop(collector);
    call(&exporter);
    until(&exporter, |told| *told == tally(0, [0, 0, 1])).await;
}

#[tokio::test]
async fn a_collector_that_hangs_costs_traces_and_no_time() {
    let collector = Collector::start().await.unwrap();
    collector.answer(Mood::Never);
    let exporter = exporter(&collector, "every: 1ms, batch: 1, queue: 2, timeout: 60s");
    call(&exporter);
    until(&exporter, |_| collector.requests() == 1).await;
    let begun = Instant::now();
    (0..100).for_each(|_| call(&exporter));
    assert!(begun.elapsed() < Duration::from_secs(5), "nobody waits for a collector");
    let told = exporter.tally();
    assert_eq!((told.dropped[0], told.waiting), (("queue_full", 98), 3), "two wait, and one is on its way");
}

#[tokio::test]
async fn traces_that_wait_take_no_more_memory_than_they_may() {
    let collector = Collector::start().await.unwrap();
    let exporter = exporter(&collector, "every: 1h, memory: 64KiB");
    for _ in 0..100 {
        let step = exporter.begin(&origin(None)).expect("a trace");
        step.trace().note("enduser.id", "x".repeat(16 * 1024));
        step.end(Ended::Well);
    }
    let told = exporter.tally();
    assert_eq!((told.dropped[0], told.waiting), (("queue_full", 97), 3));
    exporter.flush().await;
    assert_eq!(exporter.tally(), tally(3, [97, 0, 0]));
    call(&exporter);
    exporter.flush().await;
    assert_eq!(exporter.tally(), tally(4, [97, 0, 0]), "what was sent makes room");
}

/// Whoever flushes may leave before the end; then the collector is left alone again for as long as it should be.
#[tokio::test]
async fn nobody_hurries_when_whoever_flushed_has_left() {
    let collector = Collector::start().await.unwrap();
    collector.answer(Mood::Never);
    let exporter = exporter(&collector, "timeout: 60s");
    call(&exporter);
    tokio::time::timeout(Duration::from_millis(20), exporter.flush()).await.expect_err("the collector hangs");
    assert!(!exporter.is_hurried());
}

#[tokio::test]
async fn a_hanging_collector_is_not_waited_for_beyond_its_time() {
    let collector = Collector::start().await.unwrap();
    collector.answer(Mood::Never);
    let exporter = exporter(&collector, "timeout: 20ms, attempts: 100");
    call(&exporter);
    // A flush has no patience for a second try.
    exporter.flush().await;
    assert_eq!((exporter.tally(), collector.requests()), (tally(0, [0, 0, 1]), 1));
}

#[tokio::test]
async fn what_waits_is_sent_when_the_gate_is_exchanged() {
    let collector = Collector::start().await.unwrap();
    let exporter = exporter(&collector, "every: 1h");
    call(&exporter);
    let late = exporter.begin(&origin(None)).expect("a trace");
    drop(exporter);
    late.end(Ended::Well);
    let end = Instant::now() + PATIENCE;
    while collector.spans().unwrap().len() < 2 {
        assert!(Instant::now() < end, "the traces of a gate that is gone never came");
        sleep(Duration::from_millis(5)).await;
    }
}

/// Checks what is written under `traces`; the sentences, one a line.
fn check(traces: &str, expected: &str) {
    let (_folder, section, mut problems) = section(traces);
    if let Some(config) = section.read::<Config>(&mut problems) {
        let egress = callgate_egress::Config { allow: vec!["127.0.0.1".into()], ..callgate_egress::Config::default() };
        config.check(&section, &egress, &mut problems);
    }
    assert!(problems.to_string().contains(expected), "{traces}: {problems}");
    assert_eq!(problems.is_empty(), expected.is_empty(), "{traces}: {problems}");
    assert!(!problems.to_string().contains("canary"), "{problems}");
}

#[test]
fn mistakes_are_found_when_the_configuration_is_read() {
    check("endpoint: 'http://127.0.0.1:4318'", "");
    check("endpoint: 'https://otel.example.com/otlp/v1/traces', headers: { authorization: { env: TOKEN } }", "");
    check("endpoint: 'http://10.1.2.3:4318'", "is an address of a private network");
    check("endpoint: 'ftp://otel.example.com'", "has another scheme than http and https");
    check("endpoint: 'https://me:canary@otel.example.com'", "holds a user name or password");
    check("endpoint: 'http://127.0.0.1:4318', headers: { 'a b': { env: TOKEN } }", "is no name of a header");
    check("endpoint: 'http://127.0.0.1:4318', headers: { host: canary }", "is not for the operator to choose");
    check("endpoint: 'http://127.0.0.1:4318', headers: { a: \"canary\\n\" }", "a character that no header may have");
    check("endpoint: 'http://127.0.0.1:4318', timeout: 0s", "`0ms` is too little; at least `1ms`");
    check("endpoint: 'http://127.0.0.1:4318', ratio: 1.5", "ratio");
    check("endpoint: 'http://127.0.0.1:4318', queue: 0", "queue");
    check("endpoint: 'http://127.0.0.1:4318', memory: 1KiB", "is too little; at least `64KiB`");
    check("ratio: 1", "endpoint");
}
