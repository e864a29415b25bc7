//! The ladder of checks of a modern request, and how each fault looks.

use serde_json::{Value, json};

use super::{POST, call, check, modern, open, text};

/// A POST with these header lines instead of the right ones.
fn with(headers: &str, body: &Value) -> String {
    format!("{POST}{headers}\n{body}")
}

fn list(meta: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": 7, "method": "tools/list", "params": { "_meta": meta } })
}

#[tokio::test]
async fn each_step_of_the_ladder_has_its_answer() {
    let site = open().await;
    let good = super::meta(&json!({}));
    let right = "mcp-protocol-version: 2026-07-28\nmcp-method: tools/list\n";
    let version = "io.modelcontextprotocol/protocolVersion";
    let client = "io.modelcontextprotocol/clientCapabilities";
    let cases = [
        ("a good request", with(right, &list(&good)), "200"),
        ("padded header values", with("mcp-protocol-version:   2026-07-28  \nmcp-method:  tools/list \n", &list(&good)), "200"),
        ("not JSON", format!("{POST}\nnonsense"), "400 -32700"),
        ("two values", format!("{POST}\n{{}}{{}}"), "400 -32700"),
        ("a member twice", format!("{POST}\n{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"a\",\"method\":\"b\"}}"), "400 -32600"),
        ("wrong case", format!("{POST}\n{{\"jsonrpc\":\"2.0\",\"id\":1,\"Method\":\"ping\"}}"), "400 -32600"),
        ("an array", format!("{POST}{right}\n[{}]", list(&good)), "400 -32600"),
        ("too deep", format!("{POST}\n{}{}", "[".repeat(10_000), "]".repeat(10_000)), "400 -32600"),
        ("a response", with(right, &json!({ "jsonrpc": "2.0", "id": 1, "result": {} })), "400 -32600"),
        ("no metadata", with(right, &json!({ "jsonrpc": "2.0", "id": 7, "method": "tools/list" })), "400 -32602"),
        ("no version", with(right, &list(&json!({ client: {} }))), "400 -32602"),
        ("no capabilities", with(right, &list(&json!({ version: "2026-07-28" }))), "400 -32602"),
        ("no version header", with("mcp-method: tools/list\n", &list(&good)), "400 -32020"),
        ("no method header", with("mcp-protocol-version: 2026-07-28\n", &list(&good)), "400 -32020"),
        ("another method", with("mcp-protocol-version: 2026-07-28\nmcp-method: tools/call\n", &list(&good)), "400 -32020"),
        ("another version", with("mcp-protocol-version: 2025-11-25\nmcp-method: tools/list\n", &list(&good)), "400 -32020"),
        (
            "a version from the future",
            with("mcp-protocol-version: 2099-01-01\nmcp-method: tools/list\n", &list(&json!({ version: "2099-01-01", client: {} }))),
            "400 -32022",
        ),
        ("an unknown method", modern(&json!(1), "tools/exec", &json!({}), json!({})), "404 -32601"),
        ("initialize is legacy", modern(&json!(1), "initialize", &json!({}), json!({})), "404 -32601"),
        ("ping is legacy", modern(&json!(1), "ping", &json!({}), json!({})), "404 -32601"),
        ("another name", call("echo", &json!({})).replace("mcp-name: echo", "mcp-name: talk"), "400 -32020"),
        ("no name", call("echo", &json!({})).replace("mcp-name: echo\n", ""), "400 -32020"),
        ("arguments that are no object", call("echo", &json!([1])), "200 -32602"),
        ("an unknown tool", call("nothing", &json!({})), "200 -32602"),
        ("an unknown prompt", modern(&json!(1), "prompts/get", &json!({ "name": "x" }), json!({})), "200 -32602"),
        ("an unknown resource", modern(&json!(1), "resources/read", &json!({ "uri": "x://y" }), json!({})), "200 -32602"),
        ("a cursor that nobody gave", modern(&json!(1), "tools/list", &json!({ "cursor": "AAAA" }), json!({})), "200 -32602"),
        ("a notification", with(right, &json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": {} })), "202"),
        ("a session header", with(&format!("{right}mcp-session-id: x\nlast-event-id: 7\n"), &list(&good)), "200"),
        ("discover", modern(&json!(1), "server/discover", &json!({}), json!({})), "200"),
        ("a prompt", modern(&json!(1), "prompts/get", &json!({ "name": "hello" }), json!({})), "200"),
        ("a resource", modern(&json!(1), "resources/read", &json!({ "uri": "test://one" }), json!({})), "200"),
        (
            "a completion",
            modern(
                &json!(1),
                "completion/complete",
                &json!({ "ref": { "type": "ref/prompt", "name": "hello" }, "argument": { "name": "a", "value": "b" } }),
                json!({}),
            ),
            "200",
        ),
    ];
    check(&site, &cases).await;
}

#[tokio::test]
async fn arguments_in_headers_must_agree() {
    let site = open().await;
    let marked = |argument: Value, header: &str| {
        let arguments = if argument.is_null() { json!({}) } else { json!({ "region": argument }) };
        call("marked", &arguments).replace("mcp-name:", &format!("{header}mcp-name:"))
    };
    let cases = [
        ("both", marked(json!("eu"), "mcp-param-region: eu\n"), "200"),
        ("encoded", marked(json!(" eu "), "mcp-param-region: =?base64?IGV1IA==?=\n"), "200"),
        ("neither", marked(Value::Null, ""), "200"),
        ("another", marked(json!("us"), "mcp-param-region: eu\n"), "400 -32020"),
        ("no header", marked(json!("us"), ""), "400 -32020"),
        ("no argument", marked(Value::Null, "mcp-param-region: eu\n"), "400 -32020"),
        ("twice", marked(json!("eu"), "mcp-param-region: eu\nmcp-param-region: eu\n"), "400 -32020"),
        ("broken encoding", marked(json!("eu"), "mcp-param-region: =?base64?***?=\n"), "400 -32020"),
    ];
    check(&site, &cases).await;
    let ways = [
        "differs from argument `region`",
        "is missing; it repeats argument `region`",
        "is given, but argument `region` is not",
        "is given 2 times",
        "is not valid base64 of UTF-8",
    ];
    let told = ways.map(|why| format!("marked: header `mcp-param-region` {why}\n")).concat();
    assert_eq!(site.script.refused(), told, "what would have been a call is on record");
}

#[tokio::test]
async fn a_call_whose_headers_say_something_else_is_on_record() {
    let site = open().await;
    let cases = [
        ("a tool", call("echo", &json!({})).replace("mcp-name: echo", "mcp-name: talk"), "400 -32020"),
        (
            "a resource",
            modern(&json!(1), "resources/read", &json!({ "uri": "test://one" }), json!({})).replace("mcp-name: test", "mcp-name: x"),
            "400 -32020",
        ),
        (
            "a prompt",
            modern(&json!(1), "prompts/get", &json!({ "name": "hello" }), json!({})).replace("mcp-name: hello\n", ""),
            "400 -32020",
        ),
        ("no call", modern(&json!(1), "tools/list", &json!({}), json!({})).replace("tools/list\n", "tools/call\n"), "400 -32020"),
        ("a bad one", call("echo", &json!([1])).replace("mcp-name: echo", "mcp-name: talk"), "400 -32020"),
    ];
    check(&site, &cases).await;
    let told = "echo: header `mcp-name` differs from the body\ntest://one: header `mcp-name` differs from the body\nhello: header `mcp-name` is missing; it repeats what the body says\n";
    assert_eq!(site.script.refused(), told);
}

#[tokio::test]
async fn each_fault_has_its_answer() {
    let site = open().await;
    let cases = [
        ("arguments", "200 isError"),
        ("refused", "200 isError"),
        ("not_found", "200 isError"),
        ("timeout", "200 isError"),
        ("unavailable", "200 isError"),
        ("unclear", "200 isError"),
        ("overloaded", "503 isError"),
        ("limited", "429 isError"),
        ("denied", "200 isError"),
        ("scopes", "403 -32602"),
        ("internal", "200 isError"),
        ("capability", "400 -32021"),
        ("request", "200 -32602"),
    ];
    let cases: Vec<_> = cases.iter().map(|(kind, expected)| (*kind, call("fail", &json!({ "kind": kind })), *expected)).collect();
    check(&site, &cases).await;
    let answer = site.send(&call("fail", &json!({ "kind": "capability" }))).await;
    assert_eq!(answer.json()["error"]["data"]["requiredCapabilities"], json!({ "sampling": {} }));
}

#[tokio::test]
async fn the_cause_of_a_fault_stays_inside_and_is_found_by_its_id() {
    let site = open().await;
    let request = call("fail", &json!({})).replace("mcp-name", "x-request-id: find-me\nmcp-name");
    let answer = site.send(&request).await;
    assert_eq!(answer.head.header("x-request-id"), Some("find-me"));
    assert!(text(&answer.json()).ends_with("find-me") && !answer.body.contains("secret"), "{answer:?}");
}

#[tokio::test]
async fn results_say_what_modern_clients_need() {
    let site = open().await;
    let answer = site.send(&modern(&json!("seven"), "tools/list", &json!({}), json!({}))).await.json();
    assert_eq!(answer["id"], "seven");
    assert_eq!(answer["result"]["resultType"], "complete");
    assert_eq!((&answer["result"]["ttlMs"], &answer["result"]["cacheScope"]), (&json!(60_000), &json!("private")));
    assert_eq!(answer["result"]["_meta"]["io.modelcontextprotocol/serverInfo"]["name"], "script");
    let unknown = site.send(&modern(&json!(1), "resources/read", &json!({ "uri": "x://y" }), json!({}))).await.json();
    assert_eq!(unknown["error"]["data"]["uri"], "x://y");
}

#[tokio::test]
async fn pages_follow_each_other() {
    let config = crate::Config { page: 5, ..crate::Config::default() };
    let site = crate::testbed::client::Site::open(&config).await;
    let mut names = Vec::new();
    let mut params = json!({});
    loop {
        let answer = site.send(&modern(&json!(1), "tools/list", &params, json!({}))).await.json();
        let page = answer["result"]["tools"].as_array().expect("tools").clone();
        assert!(page.len() <= 5);
        names.extend(page.into_iter().map(|tool| tool["name"].clone()));
        let Some(next) = answer["result"].get("nextCursor") else { break };
        // A cursor is good for its own list only.
        let other = site.send(&modern(&json!(1), "prompts/list", &json!({ "cursor": next }), json!({}))).await;
        assert_eq!(other.short(), "200 -32602");
        params = json!({ "cursor": next });
    }
    assert_eq!(names.len(), site.script.catalog.tools().len());
    let unique: std::collections::HashSet<_> = names.iter().collect();
    assert_eq!(unique.len(), names.len());
}
