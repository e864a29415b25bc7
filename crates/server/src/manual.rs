//! The manual of the configuration, written from its schema: a table of keys for every mapping.
//!
//! The doc comments of the types are the text; nothing is said here that is not in the schema. What a table looks like is all that this
//! decides.

use std::{collections::VecDeque, fmt::Write as _};

use serde_json::{Map, Value};

/// Longest path that still gets a table of its own: parameters may hold parameters without end.
const DEEPEST: usize = 5;

/// The manual for the configuration that `schema` describes, as Markdown.
#[must_use]
pub fn manual(schema: &Value) -> String {
    let mut out = String::from(
        "# Configuration, key by key\n\nOne YAML file, or a folder whose `*.yaml` and `*.yml` files are read as one. Unknown keys are refused. \
         `${NAME}` and `${NAME:-default}` read the environment; in place of a secret text, `{ env: NAME }` or `{ file: PATH }` names where it \
         is. Durations carry their unit (`500ms`, `30s`, `5m`, `1h`), and so do sizes (`100B`, `256KiB`, `4MiB`). Paths are relative to the \
         folder of the configuration.\n\nThis page is written from the types by `callgate schema --manual`.\n",
    );
    let mut manual = Manual { root: schema, waiting: VecDeque::from([(String::new(), schema)]) };
    while let Some((path, mapping)) = manual.waiting.pop_front() {
        manual.table(&path, mapping, &mut out);
    }
    out
}

struct Manual<'s> {
    root: &'s Value,
    /// Mappings that still need their table, with their paths.
    waiting: VecDeque<(String, &'s Value)>,
}

impl<'s> Manual<'s> {
    fn table(&mut self, path: &str, mapping: &'s Value, out: &mut String) {
        let title = if path.is_empty() { "The top".to_owned() } else { format!("`{path}`") };
        // Writing to a String cannot fail, here and below.
        let _ = writeln!(out, "\n## {title}");
        for shape in self.shapes(mapping) {
            let Some(keys) = shape.get("properties").and_then(Value::as_object) else { continue };
            let _ = write!(out, "\n| key | value | |\n|---|---|---|\n");
            for (key, value) in keys {
                let must = if requires(shape, key) { " (required)" } else { "" };
                let here = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                let kind = self.kind(&here, value);
                let _ = writeln!(out, "| `{key}`{must} | {kind} | {} |", self.about(value));
            }
        }
    }

    /// A mapping may have several shapes, told apart by one key.
    fn shapes(&self, mapping: &'s Value) -> Vec<&'s Value> {
        let mapping = self.resolved(mapping);
        let choices = ["oneOf", "anyOf"].iter().find_map(|word| mapping.get(word)?.as_array());
        choices.map_or_else(|| vec![mapping], |choices| choices.iter().map(|choice| self.resolved(choice)).collect())
    }

    /// What may stand there. A mapping is put on the list of those that need a table.
    fn kind(&mut self, path: &str, value: &'s Value) -> String {
        let named = value.get("$ref").and_then(Value::as_str).and_then(|name| name.strip_prefix("#/$defs/"));
        match named {
            Some("Span") => return "duration".into(),
            Some("Size") => return "size".into(),
            Some("Secret") => return "text or secret".into(),
            _ => {}
        }
        let value = self.resolved(value);
        if let Some(words) = constants(value) {
            return words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(" \\| ");
        }
        if let Some(items) = value.get("items") {
            return format!("list of {}", self.kind(&format!("{path}[]"), items));
        }
        if let Some(each) = value.get("additionalProperties").filter(|each| each.is_object()) {
            return format!("mapping of names to {}", self.kind(&format!("{path}.NAME"), each));
        }
        let is_mapping =
            self.shapes(value).iter().any(|shape| shape.get("properties").is_some_and(|keys| keys != &Value::Object(Map::new())));
        if is_mapping {
            if path.split('.').count() <= DEEPEST {
                self.waiting.push_back((path.to_owned(), value));
            }
            return "mapping".into();
        }
        match value.get("type").and_then(Value::as_str) {
            Some("string") => "text".into(),
            Some("integer") => "whole number".into(),
            Some("number") => "number".into(),
            Some("boolean") => "`true` \\| `false`".into(),
            _ => "any value".into(),
        }
    }

    /// The doc comment, on one line.
    fn about(&self, value: &'s Value) -> String {
        let own = value.get("description").or_else(|| self.resolved(value).get("description"));
        own.and_then(Value::as_str).unwrap_or_default().replace('\n', " ").replace('|', "\\|")
    }

    fn resolved(&self, value: &'s Value) -> &'s Value {
        let target = value.get("$ref").and_then(Value::as_str).and_then(|target| self.root.pointer(target.strip_prefix('#')?));
        target.unwrap_or(value)
    }
}

/// The words that may stand there, if there are only so many.
fn constants(value: &Value) -> Option<Vec<&str>> {
    if let Some(word) = value.get("const").and_then(Value::as_str) {
        return Some(vec![word]);
    }
    if let Some(words) = value.get("enum").and_then(Value::as_array) {
        return words.iter().map(Value::as_str).collect();
    }
    let choices = value.get("oneOf").and_then(Value::as_array)?;
    let words: Option<Vec<_>> = choices.iter().map(constants).collect();
    words.map(|words| words.concat())
}

fn requires(shape: &Value, key: &str) -> bool {
    shape.get("required").and_then(Value::as_array).is_some_and(|keys| keys.iter().any(|required| required == key))
}
