//! Marks that are refused.

use std::sync::Arc;

use callgate_model::{Backend, BackendName, Call, Catalog, Fault, Json, Offers, Reply, Tool, ToolName, async_trait};
use serde_json::{Value, json};

use super::check;

/// A backend whose only tool has this schema.
struct One(Value);

#[async_trait]
impl Backend for One {
    fn offers(&self) -> Offers {
        let name = ToolName::new("pay").expect("a name");
        Offers { tools: vec![Tool::new(name, "Pays.", Json::of(&self.0))], ..Offers::default() }
    }

    async fn call(&self, _: &Call) -> Result<Reply, Fault> {
        Err(Fault::internal("never called"))
    }
}

#[test]
fn a_tool_with_marks_that_no_client_could_follow_is_refused() {
    let marked = |kind: &str, mark: &str| json!({ "type": "object", "properties": { "to": { "type": kind, "x-mcp-header": mark } } });
    let cases = [
        (marked("string", "To"), None),
        (marked("string", ""), Some("`x-mcp-header` of `to` must be a header name")),
        (marked("string", "T\r\no"), Some("`x-mcp-header` of `to` must be a header name")),
        (marked("number", "To"), Some("`x-mcp-header` of `to` needs type string, integer or boolean")),
    ];
    for (schema, expected) in cases {
        let backend = (BackendName::new("bank").expect("a name"), Arc::new(One(schema.clone())) as Arc<dyn Backend>);
        let found = check(&Catalog::of([backend]).expect("names differ")).err();
        let found = found.as_ref().map(|(tool, why)| (tool.as_str(), why.as_str()));
        assert_eq!(found, expected.map(|why| ("pay", why)), "{schema}");
    }
}
