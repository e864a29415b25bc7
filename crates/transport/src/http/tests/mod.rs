//! HTTP as a client sees it: raw requests over loopback against a gate that follows a script.

mod bounds;
mod callers;
mod doors;
mod ladder;
mod listen;
mod rounds;
mod sessions;
mod streams;
mod watching;

use serde_json::{Value, json};

use crate::{
    Config,
    testbed::client::{Answer, Site},
};

/// What a well-behaved client sends with every POST.
const POST: &str = "POST /mcp HTTP/1.1\nhost: localhost\ncontent-type: application/json\naccept: application/json, text/event-stream\n";

/// The metadata of a modern request from a client that can do `client`.
fn meta(client: &Value) -> Value {
    json!({ "io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": client })
}

/// A modern request as it should be.
#[expect(clippy::needless_pass_by_value, reason = "the tables of cases read better with a plain `json!`")]
fn modern(id: &Value, method: &str, params: &Value, client: Value) -> String {
    let mut params = params.clone();
    let own = params["_meta"].take();
    params["_meta"] = meta(&client);
    for (key, value) in own.as_object().into_iter().flatten() {
        params["_meta"][key] = value.clone();
    }
    let name = params["name"].as_str().or(params["uri"].as_str());
    let name = name.map(|name| format!("mcp-name: {name}\n")).unwrap_or_default();
    let body = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
    format!("{POST}mcp-protocol-version: 2026-07-28\nmcp-method: {method}\n{name}\n{body}")
}

/// A modern tool call.
fn call(tool: &str, arguments: &Value) -> String {
    modern(&json!(1), "tools/call", &json!({ "name": tool, "arguments": arguments }), json!({}))
}

/// A call that says who makes it.
pub(crate) fn whoami() -> String {
    call("whoami", &json!({}))
}

/// A legacy message in this session.
fn legacy(session: &str, body: &Value) -> String {
    format!("{POST}mcp-session-id: {session}\n\n{body}")
}

fn request(id: i64, method: &str, params: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })
}

/// Opens a session of `revision` for a client that can do `client`; gives its id.
async fn shake_hands(site: &Site, revision: &str, client: &Value) -> String {
    let params = json!({ "protocolVersion": revision, "capabilities": client, "clientInfo": { "name": "t", "version": "1" } });
    let answer = site.send(&format!("{POST}\n{}", request(0, "initialize", &params))).await;
    assert_eq!(answer.json()["result"]["protocolVersion"], revision);
    answer.head.header("mcp-session-id").expect("a session").to_owned()
}

async fn open() -> Site {
    Site::open(&Config::default()).await
}

/// The text of a tool's result.
fn text(answer: &Value) -> &str {
    answer["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("no text: {answer}"))
}

/// Sends each request on a connection of its own and compares what a client decides by.
async fn check(site: &Site, cases: &[(&str, String, &str)]) {
    for (what, request, expected) in cases {
        let answer: Answer = site.send(request).await;
        assert_eq!(answer.short(), *expected, "{what}: {answer:?}");
        assert!(answer.head.header("x-request-id").is_some(), "{what} has no request id");
    }
}
