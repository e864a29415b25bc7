//! A gate made of code: the same column and transports as a configured one.

use std::{net::SocketAddr, sync::Arc};

use callgate::{
    Backend, Call, Drained, Error, Fault, Gate, Json, Offers, Reply, Span, Tool, ToolName, ToolReply, async_trait, settings::Wire,
};
use callgate_testkit::http::Request;
use serde_json::{Value, json};
use tokio::sync::{Notify, mpsc, oneshot};

/// Says what it is told.
pub(crate) struct Echo;

/// Tells that a call has come, and answers it when it is told to.
struct Slow {
    come: mpsc::Sender<()>,
    go: Arc<Notify>,
}

#[async_trait]
impl Backend for Slow {
    fn offers(&self) -> Offers {
        Echo.offers()
    }

    async fn call(&self, _call: &Call) -> Result<Reply, Fault> {
        let _ = self.come.send(()).await;
        self.go.notified().await;
        Ok(ToolReply::text("at last").into())
    }
}

pub(crate) fn echo(arguments: &Value) -> Request {
    let meta = json!({ "io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {} });
    let params = json!({ "name": "echo", "arguments": arguments, "_meta": meta });
    let request = Request::post("/mcp", &json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params }));
    request.header("MCP-Protocol-Version", "2026-07-28").header("Mcp-Method", "tools/call").header("Mcp-Name", "echo")
}

/// What a call does once the gate has been asked to stop.
#[derive(PartialEq)]
enum Then {
    Answer,
    Hang,
}

/// A call is under way when the gate is asked to stop. Says how the gate ended and what the client got.
async fn stop_during_a_call(wire: Wire, then: Then) -> (Drained, Option<String>) {
    let (come, mut came) = mpsc::channel(1);
    let go = Arc::new(Notify::new());
    let gate = Gate::builder().backend("slow", Slow { come, go: go.clone() }).wire(wire).open().await.unwrap();
    let listening = gate.listen(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    let address = listening.address();
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(listening.until(async {
        let _ = stopped.await;
    }));
    let calling = tokio::spawn(async move { echo(&json!({ "text": "x" })).send(address).await?.json().await });
    came.recv().await.unwrap();
    drop(stop);
    if then == Then::Answer {
        go.notify_one();
    }
    let drained = serving.await.unwrap().unwrap();
    let reply = calling.await.unwrap().ok();
    (drained, reply.and_then(|reply| reply["result"]["content"][0]["text"].as_str().map(str::to_owned)))
}

#[tokio::test]
async fn a_running_call_may_finish_within_a_bound() {
    assert_eq!(stop_during_a_call(Wire::default(), Then::Answer).await, (Drained::Clean, Some("at last".to_owned())));
    let mut hasty = Wire::default();
    hasty.http.drain = Span::millis(1);
    let (drained, reply) = stop_during_a_call(hasty, Then::Hang).await;
    assert!(matches!(drained, Drained::Cut(_)) && reply.as_deref() != Some("at last"), "{drained:?} {reply:?}");
}

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
    for (arguments, expected, error) in [(json!({ "text": "hello" }), "hello", json!(null)), (json!({ "txt": 1 }), "text", json!(true))] {
        let reply = echo(&arguments).send(address).await.unwrap().json().await.unwrap();
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

/// A backend whose only tool marks an argument in a way that no client follows.
struct Marked;

#[async_trait]
impl Backend for Marked {
    fn offers(&self) -> Offers {
        let input = json!({ "type": "object", "properties": { "share": { "type": "number", "x-mcp-header": "Share" } } });
        let name = ToolName::new("split").unwrap();
        Offers { tools: vec![Tool::new(name, "Splits.", Json::of(&input))], ..Offers::default() }
    }

    async fn call(&self, _call: &Call) -> Result<Reply, Fault> {
        Err(Fault::internal("never called"))
    }
}

#[tokio::test]
async fn a_tool_that_no_client_would_list_is_refused() {
    let Err(Error::Gate(refused)) = Gate::builder().backend("marked", Marked).open().await else { panic!("it has opened") };
    assert_eq!(
        refused.to_string(),
        "tool `split`: its input schema cannot be used: `x-mcp-header` of `share` needs type string, integer or boolean"
    );
}
