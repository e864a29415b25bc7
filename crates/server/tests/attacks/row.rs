//! One attack as a row of a table, and the requests that rows begin with.

use std::time::Duration;

use callgate_testkit::http::Request;
use expect_test::Expect;
use serde_json::{Map, Value, json};

use crate::canary;

/// One attack. Unless it says otherwise nothing stands on the record, because no call came about, and nothing ran.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) sent: Sent,
    /// Status, the headers that matter, and the body.
    pub(crate) answer: Expect,
    /// How its records say that it ended.
    pub(crate) records: Vec<&'static str>,
    /// How many statements ran behind the gate.
    pub(crate) ran: u64,
    pub(crate) within: Duration,
}

/// What goes to the gate.
pub(crate) enum Sent {
    Request(Request),
    /// As it is, on a connection of its own. The expected answer is the list of statuses, and whether the gate hung up.
    Raw(Vec<u8>),
}

/// A row that sends this.
pub(crate) fn row(name: &'static str, sent: impl Into<Sent>, answer: Expect) -> Row {
    Row { name, sent: sent.into(), answer, records: Vec::new(), ran: 0, within: Duration::from_secs(1) }
}

impl Row {
    /// It is a call, and its record says that it ended so.
    pub(crate) fn recorded(mut self, outcome: &'static str) -> Self {
        self.records.push(outcome);
        self
    }

    /// It may take longer than a second.
    pub(crate) fn within(mut self, longest: Duration) -> Self {
        self.within = longest;
        self
    }

    /// It makes so many statements run.
    pub(crate) fn running(mut self, statements: u64) -> Self {
        self.ran = statements;
        self
    }
}

impl From<Request> for Sent {
    fn from(request: Request) -> Self {
        Self::Request(request)
    }
}

impl From<Vec<u8>> for Sent {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Raw(bytes)
    }
}

pub(crate) const MODERN: &str = "2026-07-28";

/// What modern messages say about themselves.
pub(crate) fn meta() -> Value {
    json!({
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": { "name": "attacks", "version": "1" },
        "test.example/secret": canary::META,
    })
}

/// A good modern message.
pub(crate) fn message(method: &str, params: &Value) -> Value {
    let mut params = params.as_object().cloned().unwrap_or_default();
    params.entry("_meta").or_insert_with(meta);
    json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params })
}

/// A good modern request.
pub(crate) fn ask(method: &str, params: &Value) -> Request {
    let request = Request::post("/mcp", &message(method, params)).header("MCP-Protocol-Version", MODERN).header("Mcp-Method", method);
    match params.get("name").or_else(|| params.get("uri")).and_then(Value::as_str) {
        Some(name) if matches!(method, "tools/call" | "prompts/get" | "resources/read") => request.header("Mcp-Name", name),
        _ => request,
    }
}

/// A good modern call.
pub(crate) fn call(tool: &str, arguments: &Value) -> Request {
    ask("tools/call", &json!({ "name": tool, "arguments": arguments }))
}

/// The same with one header more, fewer, or another.
pub(crate) trait Edit {
    fn without(self, header: &str) -> Self;
    fn with(self, header: &str, value: &str) -> Self;
    fn bearer(self, token: &str) -> Self;
    fn body(self, body: impl Into<Vec<u8>>) -> Self;
    fn edit(self, change: impl FnOnce(&mut Map<String, Value>)) -> Self;
}

impl Edit for Request {
    fn without(mut self, header: &str) -> Self {
        self.headers.retain(|(name, _)| !name.eq_ignore_ascii_case(header));
        self
    }

    fn with(self, header: &str, value: &str) -> Self {
        self.without(header).header(header, value)
    }

    fn bearer(self, token: &str) -> Self {
        self.with("Authorization", &format!("Bearer {token}"))
    }

    fn body(self, body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..self }
    }

    /// Another `params`.
    fn edit(self, change: impl FnOnce(&mut Map<String, Value>)) -> Self {
        let mut message: Value = serde_json::from_slice(&self.body).expect("it is JSON still");
        change(message["params"].as_object_mut().expect("it has parameters"));
        self.body(message.to_string())
    }
}
