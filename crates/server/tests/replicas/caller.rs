//! Who calls: a key, a connection that stays open, and how calls end.

use std::net::SocketAddr;

use callgate_testkit::http::{Connection, Request, Whole};
use serde_json::{Value, json};

/// An API key and whose it is.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) tenant: String,
    pub(crate) caller: String,
    pub(crate) role: &'static str,
    pub(crate) text: String,
}

impl Key {
    /// A call with this key. All have the same JSON-RPC id.
    pub(crate) fn request(&self, tool: &str, arguments: &Value) -> Request {
        let revision = "2026-07-28";
        let meta = json!({ "io.modelcontextprotocol/protocolVersion": revision, "io.modelcontextprotocol/clientCapabilities": {} });
        let params = json!({ "name": tool, "arguments": arguments, "_meta": meta });
        Request::post("/mcp", &json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params }))
            .header("MCP-Protocol-Version", revision)
            .header("Mcp-Method", "tools/call")
            .header("Mcp-Name", tool)
            .header("Authorization", &format!("Bearer {}", self.text))
    }
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum End {
    /// With a result.
    Ok(Value),
    /// With a sentence that says why not, and the status of HTTP.
    Fault(u16, String),
    /// Without an answer.
    Lost(String),
    /// Without having begun: nobody was there.
    Away,
}

impl End {
    pub(crate) fn of(answer: &Whole) -> Self {
        let Ok(reply) = answer.json() else { return Self::Lost(format!("HTTP {} and no JSON", answer.status)) };
        let result = &reply["result"];
        let text = || result["content"][0]["text"].as_str().map_or_else(|| reply.to_string(), str::to_owned);
        match (answer.status, result["isError"].as_bool()) {
            (200, None | Some(false)) if result.is_object() => Self::Ok(result["structuredContent"].clone()),
            (status, _) => Self::Fault(status, text()),
        }
    }

    pub(crate) fn is_ok(&self) -> bool {
        matches!(self, Self::Ok(_))
    }
}

/// A connection to a gate, made anew when it was lost.
pub(crate) struct Line {
    address: SocketAddr,
    open: Option<Connection>,
}

impl Line {
    pub(crate) fn to(address: SocketAddr) -> Self {
        Self { address, open: None }
    }

    /// Makes a call.
    pub(crate) async fn call(&mut self, key: &Key, tool: &str, arguments: &Value) -> End {
        // Whatever happens from here on, a connection on which something is open is not used again.
        let open = match self.open.take() {
            Some(open) => Ok(open),
            None => Connection::open(self.address).await,
        };
        let Ok(mut open) = open else { return End::Away };
        match open.send(&key.request(tool, arguments)).await {
            Ok(answer) => {
                self.open = Some(open);
                End::of(&answer)
            }
            Err(error) => End::Lost(format!("{error:#}")),
        }
    }
}
