//! A configuration that changes under a running gate, as its operator sees it.

use std::{net::SocketAddr, path::Path};

use callgate_testkit::{Folder, http::Request};
use expect_test::{Expect, expect};
use serde_json::{Value, json};

use crate::command::{CONFIG, modern, notes, run, serve, start};

/// Keeps the database busy for about a second, and writes nothing.
const SLOW: &str = "
  count:
    backend: main
    description: Count to five million.
    effect: read
    sql: WITH RECURSIVE up(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM up WHERE n < 5000000) SELECT count(*) AS n FROM up
    returns: one
";

/// The configuration of `notes` without file watching, so that each test says itself when it is read again.
fn calm(text: &str) -> String {
    format!("reload: {{ every: 0s }}\n{}", text.trim_start())
}

async fn call(address: SocketAddr, tool: &str, arguments: &Value) -> Value {
    let request = Request::post("/mcp", &modern(tool, arguments)).header("MCP-Protocol-Version", "2026-07-28");
    let request = request.header("Mcp-Method", "tools/call").header("Mcp-Name", tool);
    request.send(address).await.unwrap().json().await.unwrap()
}

/// What `callgate reload` says, and its exit code.
async fn reload(folder: &Path, expected: &Expect) {
    let (code, output, errors) = run(folder, &["reload", "FOLDER"]).await;
    expected.assert_eq(&format!("exit {code}\n{output}{errors}\n"));
}

#[tokio::test]
async fn a_changed_configuration_takes_its_place_and_clients_are_told() {
    let folder = notes();
    folder.write("gate.yaml", &calm(CONFIG)).unwrap();
    let (_process, address) = serve(folder.path()).await;
    let meta = json!({ "io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {} });
    let params = json!({ "_meta": meta, "notifications": { "toolsListChanged": true } });
    let listen = json!({ "jsonrpc": "2.0", "id": "news", "method": "subscriptions/listen", "params": params });
    let listen = Request::post("/mcp", &listen).header("MCP-Protocol-Version", "2026-07-28").header("Mcp-Method", "subscriptions/listen");
    let mut news = listen.send(address).await.unwrap();
    let first = news.event().await.unwrap().unwrap();
    assert!(first.data.contains("acknowledged"), "{}", first.data);

    folder.write("gate.yaml", &calm(&CONFIG.replace("get_note:", "read_note:"))).unwrap();
    reload(
        folder.path(),
        &expect![[r#"
        exit 0
        in place: 2 tools, 0 resources, 0 prompts

    "#]],
    )
    .await;
    let told = news.event().await.unwrap().unwrap();
    assert!(told.data.contains("notifications/tools/list_changed"), "{}", told.data);
    let reply = call(address, "read_note", &json!({ "id": "a" })).await;
    assert_eq!(reply["result"]["structuredContent"]["text"], "first", "{reply}");
    let reply = call(address, "get_note", &json!({ "id": "a" })).await;
    assert_eq!(reply["error"]["code"], -32602, "{reply}");
}

#[tokio::test]
async fn a_call_ends_on_the_configuration_it_began_with() {
    let folder = notes();
    folder.write("gate.yaml", &calm(&format!("{CONFIG}{SLOW}"))).unwrap();
    let (_process, address) = serve(folder.path()).await;
    let nothing = json!({});
    let (reply, ()) = tokio::join!(call(address, "count", &nothing), async {
        folder.write("gate.yaml", &calm(CONFIG)).unwrap();
        let (code, _, errors) = run(folder.path(), &["reload", "FOLDER"]).await;
        assert_eq!(code, 0, "{errors}");
    });
    assert_eq!(reply["result"]["structuredContent"]["n"], 5_000_000, "{reply}");
    let reply = call(address, "count", &nothing).await;
    assert_eq!(reply["error"]["code"], -32602, "{reply}");
}

#[tokio::test]
async fn a_mistake_changes_nothing_and_is_told() {
    let folder = notes();
    folder.write("gate.yaml", &calm(CONFIG)).unwrap();
    let (mut process, address) = serve(folder.path()).await;
    folder.write("gate.yaml", &calm(&CONFIG.replace("FROM notes", "FROM nowhere"))).unwrap();
    reload(
        folder.path(),
        &expect![[r#"
            exit 1
            error: FOLDER/gate.yaml:19:10: tools.get_note.sql: no such table: nowhere
            the configuration in place stays
        "#]],
    )
    .await;
    folder.write("gate.yaml", "nonsense: [").unwrap();
    process.signal("HUP").await.unwrap();
    let told = process.told("SIGHUP").await.unwrap();
    assert!(told.contains("refused; the one in place stays"), "{told}");
    let traces = "telemetry: { traces: { endpoint: 'http://127.0.0.1:9' } }\negress: { allow: [127.0.0.1], ca: gone.pem }\n";
    folder.write("gate.yaml", &calm(&format!("{CONFIG}{traces}"))).unwrap();
    process.signal("HUP").await.unwrap();
    let told = process.told("SIGHUP").await.unwrap();
    assert!(told.contains("cannot set up where traces go: ") && told.contains("gone.pem"), "{told}");
    let reply = call(address, "get_note", &json!({ "id": "a" })).await;
    assert_eq!(reply["result"]["structuredContent"]["text"], "first", "{reply}");
    let metrics = Request::new("GET", "/metrics").send(address).await.unwrap().text().await.unwrap();
    assert!(metrics.contains("callgate_reloads_total{status=\"refused\"} 3\n"), "{metrics}");
}

#[tokio::test]
async fn nobody_gets_a_quota_back_because_the_configuration_was_read_again() {
    let folder = notes();
    let quota = "quotas: { rules: [{ name: all, per: [caller], limit: 2/1h }] }";
    folder.write("gate.yaml", &calm(&format!("{CONFIG}{quota}\n"))).unwrap();
    let (_process, address) = serve(folder.path()).await;
    for expected in [false, false, true] {
        let reply = call(address, "get_note", &json!({ "id": "a" })).await;
        assert_eq!(reply["result"]["isError"].as_bool().unwrap_or_default(), expected, "{reply}");
        let (code, _, errors) = run(folder.path(), &["reload", "FOLDER"]).await;
        assert_eq!(code, 0, "{errors}");
    }
}

#[tokio::test]
async fn what_belongs_to_the_process_waits_for_the_next_start() {
    let folder = notes();
    folder.write("gate.yaml", &calm(CONFIG)).unwrap();
    let (_process, _) = serve(folder.path()).await;
    folder.write("gate.yaml", &calm(&format!("{}wire: {{ depth: 32 }}\n", CONFIG.replace("debug", "info")))).unwrap();
    reload(
        folder.path(),
        &expect![[r#"
        exit 0
        in place: 2 tools, 0 resources, 0 prompts; changed, but only read at the next start: wire, log

    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_changed_file_is_noticed() {
    let folder = notes();
    folder.write("gate.yaml", &format!("reload: {{ every: 50ms }}{CONFIG}")).unwrap();
    let (mut process, address) = serve(folder.path()).await;
    folder.write("gate.yaml", &format!("reload: {{ every: 50ms }}{}", CONFIG.replace("get_note:", "read_note:"))).unwrap();
    process.told("a file has changed").await.unwrap();
    let reply = call(address, "read_note", &json!({ "id": "b" })).await;
    assert_eq!(reply["result"]["structuredContent"]["text"], "second", "{reply}");
}

#[tokio::test]
async fn nobody_listens_where_no_gate_runs() {
    let folder: Folder = notes();
    let (code, _, errors) = run(folder.path(), &["reload", "FOLDER"]).await;
    assert_eq!(code, 1);
    assert!(errors.starts_with("error: no gate listens at `FOLDER/data/control/callgate.sock`"), "{errors}");
}

#[tokio::test]
async fn a_gate_without_control_has_no_socket_and_still_heeds_the_signal() {
    let folder = notes();
    let closed = |text: &str| calm(&format!("{text}control: {{ socket: none }}\n"));
    folder.write("gate.yaml", &closed(CONFIG)).unwrap();
    let (mut process, address) = serve(folder.path()).await;
    assert!(!folder.path().join("data/control").exists(), "nothing is made for what nobody wants");
    for (arguments, expected) in [
        (
            &["reload", "FOLDER"][..],
            expect![[r#"
        exit 1
        error: `control.socket` is `none` in this configuration; send SIGHUP to the process instead
    "#]],
        ),
        (
            &["cache", "drop", "--all", "-c", "FOLDER"],
            expect![[r#"
        exit 1
        error: nothing was dropped: `control.socket` is `none` in this configuration, and nothing is shared; start the gate anew instead
    "#]],
        ),
    ] {
        let (code, output, errors) = run(folder.path(), arguments).await;
        expected.assert_eq(&format!("exit {code}\n{output}{errors}\n"));
    }
    folder.write("gate.yaml", &closed(&CONFIG.replace("get_note:", "read_note:"))).unwrap();
    process.signal("HUP").await.unwrap();
    process.told("SIGHUP").await.unwrap();
    let reply = call(address, "read_note", &json!({ "id": "a" })).await;
    assert_eq!(reply["result"]["structuredContent"]["text"], "first", "{reply}");
    // A key without a value is more likely forgotten than meant.
    folder.write("gate.yaml", &calm(&format!("{CONFIG}control: {{ socket: }}\n"))).unwrap();
    let (code, output, errors) = run(folder.path(), &["check", "FOLDER"]).await;
    expect![[r#"
        exit 1
        FOLDER/gate.yaml:31:12: control.socket: expected a path such as `data/control/callgate.sock`, or `none` for no control, found nothing
    "#]].assert_eq(&format!("exit {code}\n{output}{errors}\n"));
}

#[tokio::test]
async fn a_gate_that_asks_who_is_calling_does_not_stop_asking() {
    let folder = notes();
    let guarded = CONFIG.replace("    effect:", "    allow: anyone\n    effect:");
    folder.write("gate.yaml", &calm(&format!("{guarded}auth: {{ keys: {{}} }}\n"))).unwrap();
    let mut process = start(folder.path(), &["serve", "FOLDER", "--listen", "127.0.0.1:0"]);
    process.told("/mcp").await.unwrap();
    folder.write("gate.yaml", &calm(&guarded)).unwrap();
    let (code, _, errors) = run(folder.path(), &["reload", "FOLDER"]).await;
    assert_eq!(code, 1);
    assert!(errors.contains("the new configuration has no `auth`"), "{errors}");
}
