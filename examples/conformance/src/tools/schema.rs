//! Tools that are there for their schemas: what is written here must reach the client byte for byte.

use callgate::{Call, Fault, Reply, ToolReply};

use super::Fixture;

pub(super) const TOOLS: &[Fixture] = &[
    Fixture {
        name: "json_schema_2020_12_tool",
        about: "Has a schema with the keywords of JSON Schema 2020-12.",
        input: VOCABULARY,
        run: |call| Box::pin(async { echo(call) }),
    },
    Fixture {
        name: "test_custom_header",
        about: "Has an argument that clients repeat in the header `Mcp-Param-Region`.",
        input: r#"{"type":"object","properties":{"region":{"type":"string","x-mcp-header":"Region"}},"required":["region"],"additionalProperties":false}"#,
        run: |call| Box::pin(async { echo(call) }),
    },
];

const VOCABULARY: &str = r##"{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "$defs": {
    "address": {
      "$anchor": "addressDef",
      "type": "object",
      "properties": { "street": { "type": "string" }, "city": { "type": "string" } }
    }
  },
  "properties": {
    "name": { "type": "string" },
    "address": { "$ref": "#/$defs/address" },
    "contactMethod": { "type": "string", "enum": ["phone", "email"] },
    "phone": { "type": "string" },
    "email": { "type": "string" }
  },
  "allOf": [{ "anyOf": [{ "required": ["phone"] }, { "required": ["email"] }] }],
  "if": { "properties": { "contactMethod": { "const": "phone" } }, "required": ["contactMethod"] },
  "then": { "required": ["phone"] },
  "else": { "required": ["email"] },
  "additionalProperties": false
}"##;

fn echo(call: &Call) -> Result<Reply, Fault> {
    let arguments = serde_json::Value::Object(call.arguments.clone());
    Ok(ToolReply::text(format!("Called with {arguments}")).into())
}
