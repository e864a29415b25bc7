//! Parameters as JSON Schema 2020-12, in the order in which they were written.

use callgate_model::{Json, Members};
use serde_json::{Value, json};

use super::{Parameter, ParameterConfig};

/// The schema of one parameter; `members` are those of an object, already made.
pub(super) fn of_parameter(config: &ParameterConfig, items: Option<&Value>, members: Option<&[Parameter]>) -> Value {
    let ParameterConfig { of, title, description, values, constant, default, format, pattern, .. } = config;
    let mut schema = Keywords(Members::new());
    schema.put("type", Some(of.as_str()));
    schema.put("title", title.as_deref());
    schema.put("description", description.as_deref());
    schema.put("enum", values.clone());
    schema.put("const", constant.clone());
    schema.put("default", default.clone());
    schema.put("format", format.as_deref());
    schema.put("pattern", pattern.as_deref());
    schema.put("minLength", config.min_length);
    schema.put("maxLength", config.max_length);
    schema.put("minimum", config.minimum.clone());
    schema.put("maximum", config.maximum.clone());
    schema.put("exclusiveMinimum", config.exclusive_minimum.clone());
    schema.put("exclusiveMaximum", config.exclusive_maximum.clone());
    schema.put("multipleOf", config.multiple_of.clone());
    schema.put("items", items.cloned());
    schema.put("minItems", config.min_items);
    schema.put("maxItems", config.max_items);
    schema.put("uniqueItems", config.unique_items);
    let mut schema = schema.0;
    if let Some(members) = members {
        close(&mut schema, members);
    }
    Value::Object(schema)
}

/// The schema of all parameters together.
pub(super) fn of_input(parameters: &[Parameter]) -> Json {
    let mut schema = Members::new();
    schema.insert("type".into(), "object".into());
    close(&mut schema, parameters);
    Json::of(&schema)
}

/// Says which members there are, which must be given, and that there are no others.
fn close(schema: &mut Members, parameters: &[Parameter]) {
    let properties: Members = parameters.iter().map(|parameter| (parameter.name.clone(), parameter.schema.clone())).collect();
    let required: Vec<_> = parameters.iter().filter(|parameter| parameter.is_required()).map(|parameter| &parameter.name).collect();
    schema.insert("properties".into(), properties.into());
    if !required.is_empty() {
        schema.insert("required".into(), json!(required));
    }
    schema.insert("additionalProperties".into(), false.into());
}

struct Keywords(Members);

impl Keywords {
    fn put(&mut self, keyword: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.0.insert(keyword.into(), value.into());
        }
    }
}
