//! What a schema asks for, in words: the part of a message that says what would be right.

use std::fmt::Write as _;

use callgate_model::excerpt;
use serde_json::Value;

/// How much of a pattern or a list of choices is told.
const LONGEST: usize = 80;

/// The keywords that are told; a problem with another one is told in the validator's words.
pub(super) const TOLD: &[&str] = &[
    "type",
    "enum",
    "const",
    "format",
    "pattern",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minItems",
    "maxItems",
    "uniqueItems",
    "anyOf",
    "oneOf",
];

/// Such as `a string of at most 10 characters`; `None` if the schema says nothing that can be told in few words.
pub(super) fn describe(schema: &Value) -> Option<String> {
    if let Some(options) = schema.get("enum").and_then(Value::as_array) {
        return Some(format!("one of {}", choices(options)));
    }
    if let Some(value) = schema.get("const") {
        return Some(excerpt(&value.to_string(), LONGEST));
    }
    if let Some(ways) = ["anyOf", "oneOf"].iter().find_map(|keyword| schema.get(keyword)?.as_array()) {
        return ways.iter().map(describe).collect::<Option<Vec<_>>>().map(|ways| excerpt(&ways.join(" or "), 2 * LONGEST));
    }
    let mut text = kind(schema.get("type"))?;
    let range = schema.get("minimum").zip(schema.get("maximum"));
    if let Some((least, most)) = range {
        // Writing to a String cannot fail.
        let _ = write!(text, " from {} to {}", plain(least), plain(most));
    }
    let in_range = |keyword: &str| range.is_some() && matches!(keyword, "minimum" | "maximum");
    for (keyword, told) in TELL.iter().filter(|(keyword, _)| !in_range(keyword)) {
        if let Some(value) = schema.get(keyword).filter(|value| **value != Value::Bool(false)) {
            text.push_str(&told.replace("{}", &plain(value)));
        }
    }
    Some(text)
}

/// How each keyword is told after the type.
const TELL: &[(&str, &str)] = &[
    ("format", " in the format `{}`"),
    ("pattern", " matching `{}`"),
    ("minLength", ", at least {} characters long"),
    ("maxLength", ", at most {} characters long"),
    ("minimum", ", at least {}"),
    ("exclusiveMinimum", ", more than {}"),
    ("maximum", ", at most {}"),
    ("exclusiveMaximum", ", less than {}"),
    ("multipleOf", ", a multiple of {}"),
    ("minItems", ", at least {} items"),
    ("maxItems", ", at most {} items"),
    ("uniqueItems", ", without repeats"),
];

fn kind(kind: Option<&Value>) -> Option<String> {
    match kind? {
        Value::String(name) => Some(article(name)),
        Value::Array(names) => {
            let names: Vec<_> = names.iter().filter_map(Value::as_str).map(article).collect();
            Some(names.join(" or "))
        }
        _ => None,
    }
}

fn article(name: &str) -> String {
    match name {
        "null" => "null".into(),
        "array" | "integer" | "object" => format!("an {name}"),
        _ => format!("a {name}"),
    }
}

fn plain(value: &Value) -> String {
    excerpt(value.as_str().unwrap_or(&value.to_string()), LONGEST)
}

fn choices(options: &[Value]) -> String {
    let all: Vec<_> = options.iter().map(|option| format!("`{}`", plain(option))).collect();
    let mut told = String::new();
    for (index, option) in all.iter().enumerate() {
        if told.len() + option.len() > LONGEST {
            let _ = write!(told, " and {} more", all.len() - index);
            break;
        }
        let comma = if index > 0 { ", " } else { "" };
        let _ = write!(told, "{comma}{option}");
    }
    told
}
