//! A gate made of code: the same column and transports as a configured one.

use std::net::SocketAddr;

use callgate::{Backend, Call, Error, Fault, Gate, Json, Offers, Reply, Tool, ToolName, ToolReply, async_trait};
use callgate_testkit::http::Request;
use serde_json::json;
use tokio::sync::oneshot;

/// Says what it is told.
struct Echo;

#[async_trait]
impl Backend for Echo {
    fn offers(&self) -> Offers {
        let input = json!({ "type": "object", "properties": { "text": { "type": "string" } }, "required": ["text"] });
        let name = ToolName::new("echo").unwrap();
        Offers { tools: vec![Tool::new(name, "Says what it is told.", Json::of(&input))], ..Offers::default() }
    }

    async fn call(&self, call: &Call) -> Result<Reply, Fault> {
        Ok(ToolReply::text(call.text("text")?).into())
    }
}

#[tokio::test]
async fn a_backend_in_code_is_called_over_http() {
    let gate = Gate::builder().name("echo").backend("echo", Echo).open().await.unwrap();
    let listening = gate.listen(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    let address = listening.address();
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(listening.until(async {
        let _ = stopped.await;
    }));
    let meta = json!({ "io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {} });
    for (arguments, expected, error) in [(json!({ "text": "hello" }), "hello", json!(null)), (json!({ "txt": 1 }), "text", json!(true))] {
        let params = json!({ "name": "echo", "arguments": arguments, "_meta": meta });
        let request = Request::post("/mcp", &json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params }));
        let request = request.header("MCP-Protocol-Version", "2026-07-28").header("Mcp-Method", "tools/call").header("Mcp-Name", "echo");
        let reply = request.send(address).await.unwrap().json().await.unwrap();
        let text = reply["result"]["content"][0]["text"].as_str().unwrap_or_default();
        assert!(text.contains(expected) && reply["result"]["isError"] == error, "{reply}");
    }
    drop(stop);
    serving.await.unwrap().unwrap();
}

#[tokio::test]
async fn what_other_machines_reach_is_refused() {
    let gate = Gate::builder().backend("echo", Echo).open().await.unwrap();
    let refused = gate.listen(SocketAddr::from(([0, 0, 0, 0], 0))).await.unwrap_err();
    assert!(matches!(refused, Error::Exposed(_)), "{refused}");
}

#[tokio::test]
async fn a_name_that_is_none_is_refused() {
    let refused = Gate::builder().backend("My Echo", Echo).open().await.unwrap_err();
    assert_eq!(refused.to_string(), "`My Echo` is not a backend name: use 1 to 64 of a-z 0-9 _ -");
}
