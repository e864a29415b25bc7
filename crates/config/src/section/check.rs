//! A compiled schema: finds every mistake of a value, and the places where secrets may stand.

use jsonschema::{PatternOptions, Validator};
use schemars::JsonSchema;
use serde_json::Value;

use super::{
    explain::{Mistake, explain},
    schema_of,
};
use crate::{tree::escape, value::REFERENCE};

/// The schema of one type, ready to be used.
pub(super) struct Check {
    schema: Value,
    validator: Validator,
    has_secrets: bool,
}

impl Check {
    pub(super) fn of<T: JsonSchema>() -> Self {
        let schema = schema_of::<T>();
        let options = jsonschema::draft202012::options().offline().with_pattern_options(PatternOptions::regex());
        let validator = options.build(&schema).expect("schemas that are derived from types compile");
        let has_secrets = contains(&schema, REFERENCE);
        Self { schema, validator, has_secrets }
    }

    /// All that is wrong with `value`. `beside` are keys that its mapping has elsewhere.
    pub(super) fn mistakes(&self, value: &Value, beside: &[String]) -> Vec<Mistake> {
        if self.validator.is_valid(value) {
            return Vec::new();
        }
        self.validator.iter_errors(value).flat_map(|error| explain(&error, &self.schema, beside)).collect()
    }

    /// Shows each value that may be a reference to a secret, with its pointer.
    pub(super) fn reveal(&self, value: &mut Value, see: &mut dyn FnMut(&str, &mut Value)) {
        if self.has_secrets {
            self.walk(&self.schema, value, "", see);
        }
    }

    fn walk(&self, schema: &Value, value: &mut Value, pointer: &str, see: &mut dyn FnMut(&str, &mut Value)) {
        if let Some(target) = schema.get("$ref").and_then(Value::as_str).and_then(|target| self.schema.pointer(target.strip_prefix('#')?)) {
            self.walk(target, value, pointer, see);
        }
        if schema.get(REFERENCE).is_some() {
            return see(pointer, value);
        }
        for choices in ["anyOf", "oneOf", "allOf"] {
            for choice in schema.get(choices).and_then(Value::as_array).into_iter().flatten() {
                self.walk(choice, value, pointer, see);
            }
        }
        match value {
            Value::Object(members) => {
                for (key, inner) in members {
                    let own = schema.get("properties").and_then(|properties| properties.get(key));
                    if let Some(of_member) = own.or_else(|| schema.get("additionalProperties")) {
                        self.walk(of_member, inner, &format!("{pointer}/{}", escape(key)), see);
                    }
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    if let Some(of_item) = schema.get("items") {
                        self.walk(of_item, item, &format!("{pointer}/{index}"), see);
                    }
                }
            }
            _ => {}
        }
    }
}

fn contains(schema: &Value, keyword: &str) -> bool {
    match schema {
        Value::Object(members) => members.contains_key(keyword) || members.values().any(|inner| contains(inner, keyword)),
        Value::Array(items) => items.iter().any(|inner| contains(inner, keyword)),
        _ => false,
    }
}
