//! The declaration as JSON Schema, for editors: what every tool has, and what the kinds add.

use callgate_model::Members;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use super::{
    ProposerConfig, ResourceConfig, ToolConfig, ValuesConfig,
    config::KindConfig,
    row::{Keys, Kind},
};
use crate::content;

/// The schemas of the four mappings of [`super::Declared`].
#[derive(Clone, Debug)]
pub struct Schemas {
    /// `backends`.
    pub backends: Schema,
    /// `tools`.
    pub tools: Schema,
    /// `resources`.
    pub resources: Schema,
    /// `prompts`.
    pub prompts: Schema,
}

/// The schemas of the four mappings; what they refer to is in `generator`'s definitions.
pub fn schemas(generator: &mut SchemaGenerator) -> Schemas {
    schemas_with(crate::KINDS, generator)
}

/// The same with other kinds.
pub fn schemas_with(kinds: &[Kind], generator: &mut SchemaGenerator) -> Schemas {
    let keys: Vec<(&str, Keys)> = kinds.iter().map(|kind| (kind.name, (kind.keys)(generator))).collect();
    let complete = complete(&keys, generator);
    let mut resource = Union::of(&ResourceConfig::json_schema(generator));
    resource.add(&content::ContentConfig::json_schema(generator));
    resource.key("complete", json!({ "type": "object", "additionalProperties": complete, "description": "Who proposes values for the variables of the template, by variable." }));
    let mut tool = Union::of(&ToolConfig::json_schema(generator));
    for (_, keys) in &keys {
        tool.add(&keys.tool);
        resource.add(&keys.resource);
    }
    let backends: Vec<_> = keys.iter().map(|(name, keys)| backend(name, &keys.settings, generator)).collect();
    Schemas {
        backends: mapping(&json!({ "anyOf": backends })),
        tools: mapping(&tool.done()),
        resources: mapping(&resource.done()),
        prompts: mapping(&prompt(&complete, generator)),
    }
}

/// A backend of one kind.
fn backend(name: &str, settings: &Schema, generator: &mut SchemaGenerator) -> Value {
    let mut union = Union::of(&KindConfig::json_schema(generator));
    union.key("kind", json!({ "const": name }));
    union.require(settings);
    union.add(settings);
    union.done()
}

/// What can stand under `complete`: fixed values, or a backend and how it is asked.
fn complete(keys: &[(&str, Keys)], generator: &mut SchemaGenerator) -> Value {
    let mut ways = vec![Value::from(ValuesConfig::json_schema(generator))];
    for (_, keys) in keys {
        let mut union = Union::of(&ProposerConfig::json_schema(generator));
        union.require(&keys.completion);
        union.add(&keys.completion);
        ways.push(union.done());
    }
    json!({ "anyOf": ways })
}

fn prompt(complete: &Value, generator: &mut SchemaGenerator) -> Value {
    let mut argument = Union::of(&content::ArgumentConfig::json_schema(generator));
    argument.key("complete", complete.clone());
    let mut prompt = Union::of(&content::PromptConfig::json_schema(generator));
    let arguments = json!({ "type": "object", "additionalProperties": argument.done(), "description": "What the prompt can be given, by name; all texts." });
    prompt.key("arguments", arguments);
    prompt.done()
}

fn mapping(entry: &Value) -> Schema {
    json_schema!({ "type": "object", "additionalProperties": entry })
}

/// The schema of a closed object that has the keys of several.
struct Union {
    schema: Members,
}

impl Union {
    fn of(schema: &Schema) -> Self {
        Self { schema: schema.as_object().cloned().unwrap_or_default() }
    }

    /// Adds the keys of another; where two say different things about a key, either will do.
    fn add(&mut self, other: &Schema) {
        let keys = other.get("properties").and_then(Value::as_object);
        for (key, schema) in keys.into_iter().flatten() {
            match self.properties().get_mut(key) {
                Some(present) if present == schema => {}
                Some(present) => *present = json!({ "anyOf": [present.take(), schema] }),
                None => self.key(key, schema.clone()),
            }
        }
    }

    /// Requires what another requires.
    fn require(&mut self, other: &Schema) {
        let required = other.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
        let present = self.schema.entry("required").or_insert_with(|| json!([]));
        present.as_array_mut().into_iter().for_each(|present| present.extend(required.clone()));
    }

    fn key(&mut self, key: &str, schema: Value) {
        self.properties().insert(key.to_owned(), schema);
    }

    fn properties(&mut self) -> &mut Members {
        let properties = self.schema.entry("properties").or_insert_with(|| json!({}));
        properties.as_object_mut().expect("a schema's `properties` are an object")
    }

    fn done(mut self) -> Value {
        // The description is that of the common part and would mislead about the whole.
        self.schema.remove("$schema");
        self.schema.insert("additionalProperties".into(), false.into());
        Value::Object(self.schema)
    }
}
