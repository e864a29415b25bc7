//! The JSON Schema of a type, as an operator should see it.

use schemars::{
    JsonSchema, Schema, SchemaGenerator,
    generate::SchemaSettings,
    transform::{RecursiveTransform, Transform as _},
};
use serde_json::Value;

/// The JSON Schema of `T`. An optional value is one that may be left out: `null` is never offered as a value.
#[must_use]
pub fn schema_of<T: JsonSchema>() -> Value {
    finish(settings().into_root_schema_for::<T>())
}

/// The same for a schema that several rooms put together: `build` makes it, and what it refers to is added.
#[must_use]
pub fn schema_with(build: impl FnOnce(&mut SchemaGenerator) -> Schema) -> Value {
    let mut generator = settings();
    let mut schema = build(&mut generator);
    let definitions = generator.take_definitions(true);
    schema.insert("$defs".into(), Value::Object(definitions));
    schema.insert("$schema".into(), "https://json-schema.org/draft/2020-12/schema".into());
    finish(schema)
}

fn settings() -> SchemaGenerator {
    SchemaSettings::draft2020_12().into_generator()
}

fn finish(mut schema: Schema) -> Value {
    RecursiveTransform(without_null).transform(&mut schema);
    schema.to_value()
}

fn without_null(schema: &mut Schema) {
    let Some(members) = schema.as_object_mut() else { return };
    if let Some(Value::Array(types)) = members.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            members.insert("type".into(), only);
        }
    }
    if let Some(Value::Array(values)) = members.get_mut("enum") {
        values.retain(|value| !value.is_null());
    }
    if let Some(Value::Array(choices)) = members.get_mut("anyOf") {
        choices.retain(|choice| choice.get("type").is_none_or(|name| name != "null"));
        if let [Value::Object(only)] = choices.as_slice() {
            let only = only.clone();
            members.remove("anyOf");
            for (keyword, value) in only {
                members.entry(keyword).or_insert(value);
            }
        }
    }
    if members.get("default").is_some_and(Value::is_null) {
        members.remove("default");
    }
}
