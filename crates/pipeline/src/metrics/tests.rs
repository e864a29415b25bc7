//! The names and labels that dashboards and alerts rely on.

use callgate_model::{Gateway as _, Target};
use expect_test::expect;
use serde_json::json;

use crate::tests::{Fixture, is_pending};

/// The lines about names with this start, durations aside.
fn lines(text: &str, start: &str) -> String {
    let keep = |line: &&str| line.starts_with(start) && !line.contains("_bucket") && !line.contains("seconds_sum");
    text.lines().filter(keep).map(|line| format!("{line}\n")).collect()
}

#[tokio::test(start_paused = true)]
async fn calls_are_counted_by_tool_and_outcome() {
    let fixture = Fixture::new(&json!({}));
    for (tool, arguments) in [
        ("echo", json!({})),
        ("echo", json!({})),
        ("echo", json!({ "fail": "error" })),
        ("echo", json!({ "fail": "unavailable" })),
        ("ask", json!({})),
        ("strict", json!({})),
        ("no_such_tool", json!({})),
    ] {
        fixture.call(tool, arguments).await;
    }
    fixture.say(Target::Resource("note://one".into()), json!({})).await;
    fixture.say(Target::Resource("note://two".into()), json!({})).await;
    let text = fixture.gate.metrics();
    let mut counted: Vec<_> = text.lines().filter(|line| line.contains("_total{") && !line.ends_with(" 0")).collect();
    counted.sort_unstable();
    expect![[r#"
        mcp_content_calls_total{target="resource",status="error"} 1
        mcp_content_calls_total{target="resource",status="success"} 1
        mcp_content_errors_total{target="resource",error_type="unknown"} 1
        mcp_db_connections_opened_total{backend="script"} 7
        mcp_retries_total{backend="script"} 2
        mcp_tool_calls_total{tool_name="ask",status="input_required"} 1
        mcp_tool_calls_total{tool_name="echo",status="error"} 2
        mcp_tool_calls_total{tool_name="echo",status="success"} 2
        mcp_tool_calls_total{tool_name="strict",status="error"} 1
        mcp_tool_calls_total{tool_name="unknown",status="error"} 1
        mcp_tool_errors_total{tool_name="echo",error_type="tool_error"} 1
        mcp_tool_errors_total{tool_name="echo",error_type="unavailable"} 1
        mcp_tool_errors_total{tool_name="strict",error_type="bad_arguments"} 1
        mcp_tool_errors_total{tool_name="unknown",error_type="unknown"} 1
    "#]]
    .assert_eq(&(counted.join("\n") + "\n"));
    assert!(!text.contains("no_such_tool"), "what callers write is no label");
    assert!(text.contains("mcp_tool_call_duration_seconds_count{tool_name=\"echo\"} 4\n"));
    assert!(text.contains("mcp_tool_call_duration_seconds_bucket{le=\"5.0\",tool_name=\"echo\"} 4\n"));
    let help = "# HELP mcp_tool_calls_total Calls of tools, by how they ended.\n# TYPE mcp_tool_calls_total counter\nmcp_tool_calls_total{";
    assert!(text.contains(help), "{text}");
}

#[tokio::test(start_paused = true)]
async fn dropped_calls_are_counted() {
    let fixture = Fixture::new(&json!({}));
    let mut call = fixture.gate.call(fixture.prepared(Target::Tool("slow".into()), json!({ "ms": 10 })));
    assert!(is_pending(&mut call));
    assert!(fixture.gate.metrics().contains("\nmcp_calls_in_flight 1.0\n"));
    drop(call);
    let text = fixture.gate.metrics();
    assert!(text.contains("\nmcp_calls_in_flight 0.0\n"));
    assert!(text.contains("mcp_tool_calls_total{tool_name=\"slow\",status=\"cancelled\"} 1\n"));
}

#[test]
fn the_figures_of_backends_bear_their_name() {
    let text = Fixture::new(&json!({})).gate.metrics();
    let start = text.find("# HELP mcp_db").expect("the figures");
    expect![[r##"
        # HELP mcp_db_connections_active As the backend tells it.
        # TYPE mcp_db_connections_active gauge
        mcp_db_connections_active{backend="script"} 3
        # HELP mcp_db_query_duration_seconds As the backend tells it.
        # TYPE mcp_db_query_duration_seconds histogram
        mcp_db_query_duration_seconds_bucket{backend="script",le="0.1"} 1
        mcp_db_query_duration_seconds_bucket{backend="script",le="+Inf"} 2
        mcp_db_query_duration_seconds_count{backend="script"} 2
        mcp_db_query_duration_seconds_sum{backend="script"} 0.5
        # HELP mcp_db_connections_opened_total As the backend tells it.
        # TYPE mcp_db_connections_opened_total counter
        mcp_db_connections_opened_total{backend="script"} 7
    "##]]
    .assert_eq(&text[start..]);
}

#[cfg(target_os = "linux")]
#[test]
fn the_process_is_measured() {
    let text = Fixture::new(&json!({})).gate.metrics();
    for name in ["process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds", "process_start_time_seconds"] {
        let line = lines(&text, &format!("{name} "));
        let value: f64 = line.trim().rsplit(' ').next().and_then(|value| value.parse().ok()).expect(name);
        assert!(value >= 0.0 && line.lines().count() == 1, "{line}");
    }
    let resident: f64 =
        lines(&text, "process_resident_memory_bytes ").trim().rsplit(' ').next().expect("a value").parse().expect("a number");
    assert!(resident > 1e6, "{resident}");
}
