//! What is logged about failures.

use std::{
    fmt::Write as _,
    sync::{Arc, Mutex},
};

use expect_test::{Expect, expect};
use serde_json::{Value, json};
use tracing::{
    Dispatch, Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span,
    subscriber::DefaultGuard,
};

use crate::tests::Fixture;

/// Writes the lines of this room down, `debug` and above; request ids are cut out, since they differ.
#[derive(Clone, Default)]
struct Listener(Arc<Mutex<String>>);

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let value = if field.name() == "request" { "R".into() } else { format!("{value:?}") };
        write!(self.0, " {}={value}", field.name()).expect("a text");
    }
}

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("callgate_pipeline") && *metadata.level() <= Level::DEBUG
    }
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut line = Line(event.metadata().level().to_string());
        event.record(&mut line);
        self.0.lock().expect("a lock").push_str(&(line.0 + "\n"));
    }
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

/// While there is only one listener, what another test's thread comes by first counts as something nobody listens to, so there are two.
fn listen(listener: &Listener) -> (Dispatch, DefaultGuard) {
    (Dispatch::new(Listener::default()), tracing::subscriber::set_default(listener.clone()))
}

async fn check(tool: &str, arguments: Value, expected: Expect) {
    let fixture = Fixture::new(&json!({ "calls": { "deadline": "1s" } }));
    let listener = Listener::default();
    let _listening = listen(&listener);
    fixture.call(tool, arguments).await;
    expected.assert_eq(&listener.0.lock().expect("a lock"));
}

#[tokio::test(start_paused = true)]
async fn failures_are_logged_once_without_arguments() {
    let canary = "canary@example.com";
    check("echo", json!({ "text": canary }), expect![[""]]).await;
    check(
        "echo",
        json!({ "text": canary, "fail": "internal" }),
        expect![[r#"
            ERROR message=the call failed request=R tool="echo" caller=local tenant=local session="s1" traceparent="00-a-b-01" kind="internal" error="as told"
        "#]],
    )
    .await;
    check(
        "echo",
        json!({ "text": canary, "fail": "unavailable" }),
        expect![[r#"
            WARN message=the call failed request=R tool="echo" caller=local tenant=local session="s1" traceparent="00-a-b-01" kind="unavailable" error="connection refused"
        "#]],
    )
    .await;
    check(
        "echo",
        json!({ "text": canary, "fail": "refused" }),
        expect![[r#"
            DEBUG message=the call was refused request=R tool="echo" caller=local tenant=local session="s1" traceparent="00-a-b-01" kind="refused" error=""
        "#]],
    )
    .await;
    check(
        "strict",
        json!({ "customer_id": canary }),
        expect![[r#"
            DEBUG message=the call was refused request=R tool="strict" caller=local tenant=local session="s1" traceparent="00-a-b-01" kind="bad_arguments" error=""
        "#]],
    )
    .await;
    check("panic", json!({ "text": canary }), expect![[r#"
        ERROR message=the call failed request=R tool="panic" caller=local tenant=local session="s1" traceparent="00-a-b-01" kind="internal" error="the call panicked; the panic hook has said where"
    "#]]).await;
    check(
        "slow",
        json!({ "text": canary, "ms": 2000 }),
        expect![[r#"
            WARN message=the call failed request=R tool="slow" caller=local tenant=local session="s1" traceparent="00-a-b-01" kind="timeout" error=""
        "#]],
    )
    .await;
    check(
        "slow",
        json!({ "text": canary, "ms": 900 }),
        expect![[r#"
        WARN message=the call took more than 80 % of its time request=R tool="slow" left=100ms
    "#]],
    )
    .await;
    check(
        "canary_tool",
        json!({}),
        expect![[r#"
            DEBUG message=the call was refused request=R tool="unknown" caller=local tenant=local session="s1" traceparent="00-a-b-01" kind="unknown" error=""
        "#]],
    )
    .await;
    check("nested", json!({ "deep": 9 }), expect![[r#"
        DEBUG message=a call within a call failed request=R tool="nested" caller=local tenant=local session="s1" traceparent="00-a-b-01" kind="internal" error="calls call each other more than 4 deep"
        DEBUG message=a call within a call failed request=R tool="nested" caller=local tenant=local session="s1" traceparent="00-a-b-01" kind="internal" error="calls call each other more than 4 deep"
        DEBUG message=a call within a call failed request=R tool="nested" caller=local tenant=local session="s1" traceparent="00-a-b-01" kind="internal" error="calls call each other more than 4 deep"
        DEBUG message=a call within a call failed request=R tool="nested" caller=local tenant=local session="s1" traceparent="00-a-b-01" kind="internal" error="calls call each other more than 4 deep"
        ERROR message=the call failed request=R tool="nested" caller=local tenant=local session="s1" traceparent="00-a-b-01" kind="internal" error="calls call each other more than 4 deep"
    "#]]).await;
}

#[tokio::test(start_paused = true)]
async fn callers_do_not_write_the_log_as_fast_as_they_call() {
    let fixture =
        Fixture::new(&json!({ "calls": { "logged": 3, "retry": { "attempts": 1 }, "breaker": { "open": "5s", "longest": "5s" } } }));
    let listener = Listener::default();
    let _listening = listen(&listener);
    let lines = || {
        let log = std::mem::take(&mut *listener.0.lock().expect("a lock"));
        let of = |line: &str| {
            let from = line.find("message=").unwrap_or_default() + 8;
            let kept = [" calls=", " kind=", " error="]
                .map(|key| line.split_once(key).map(|(_, rest)| rest.split(' ').next().unwrap_or_default()));
            format!("{} | {:?}", &line[from..from + 10], kept.into_iter().flatten().collect::<Vec<_>>())
        };
        log.lines().filter(|line| !line.starts_with("DEBUG")).map(of).collect::<Vec<_>>()
    };
    for _ in 0..60 {
        fixture.call("echo", json!({ "fail": "unavailable" })).await;
    }
    let first = lines();
    assert_eq!(first.iter().filter(|line| line.contains("connection")).count(), 3, "with their causes: {first:#?}");
    assert_eq!(first.iter().filter(|line| line.contains("\"the")).count(), 1, "one refusal: {first:#?}");
    assert_eq!(first.len(), 5, "and that it is taken for down: {first:#?}");
    tokio::time::advance(std::time::Duration::from_secs(10)).await;
    fixture.call("echo", json!({ "fail": "unavailable" })).await;
    let second = lines();
    let is_told = |lines: &[String], what: &str, that: &str| lines.iter().any(|line| line.contains(what) && line.contains(that));
    assert!(is_told(&second, "more calls", "\"17\""), "of twenty that arrived: {second:#?}");
    assert!(is_told(&second, "the call f", "connection"), "{second:#?}");
    drop(fixture);
    assert!(is_told(&lines(), "more calls", "\"39\""), "told at the end");
}
