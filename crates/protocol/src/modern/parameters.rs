//! Arguments that are repeated in headers: a tool's schema marks them with `x-mcp-header`.

use std::collections::HashSet;

use callgate_model::{Json, Members};
use serde_json::Value;

use super::header::{Mirror, text};
use crate::RpcError;

const MARK: &str = "x-mcp-header";
/// Integers beyond this are not told apart by everybody on the way.
const LARGEST: i64 = (1 << 53) - 1;

/// The marked arguments of one tool; found once, when the tool is loaded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ParamHeaders(Vec<Marked>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Marked {
    /// `mcp-param-…`, lower case.
    header: String,
    /// Property names from the root to the argument.
    path: Vec<String>,
}

impl ParamHeaders {
    /// The marks in `schema`; an error says which mark is not allowed and why.
    pub fn of(schema: &Json) -> Result<Self, String> {
        // Almost no tool has marks, and those that have none need no tree.
        if !schema.as_str().contains(MARK) {
            return Ok(Self::default());
        }
        let schema = schema.to_value();
        let mut found = Self::default();
        found.collect(&schema, &mut Vec::new())?;
        let all = count(&schema);
        if all != found.0.len() {
            return Err(format!("`{MARK}` may stand only on properties reached through `properties`"));
        }
        let mut seen = HashSet::new();
        match found.0.iter().find(|marked| !seen.insert(&marked.header)) {
            Some(twice) => Err(format!("`{MARK}` names `{}` twice", twice.header)),
            None => Ok(found),
        }
    }

    /// No argument is marked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn collect(&mut self, schema: &Value, path: &mut Vec<String>) -> Result<(), String> {
        let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return Ok(()) };
        for (name, property) in properties {
            path.push(name.clone());
            if let Some(mark) = property.get(MARK) {
                let header = mark.as_str().filter(|mark| !mark.is_empty() && mark.bytes().all(is_token));
                let header = header.ok_or_else(|| format!("`{MARK}` of `{}` must be a header name", path.join(".")))?;
                let kind = property.get("type").and_then(Value::as_str).unwrap_or_default();
                if !matches!(kind, "string" | "integer" | "boolean") {
                    return Err(format!("`{MARK}` of `{}` needs type string, integer or boolean", path.join(".")));
                }
                self.0.push(Marked { header: format!("mcp-param-{}", header.to_ascii_lowercase()), path: path.clone() });
            }
            self.collect(property, path)?;
            path.pop();
        }
        Ok(())
    }
}

/// Refuses unless every marked argument and its header say the same, or both are absent.
pub fn parameters(marked: &ParamHeaders, arguments: &Members, mirror: &dyn Mirror) -> Result<(), RpcError> {
    for Marked { header, path } in &marked.0 {
        let (last, outer) = path.split_last().expect("a path has at least the property's own name");
        let holder = outer.iter().try_fold(arguments, |members, name| members.get(name)?.as_object());
        let argument = holder.and_then(|members| members.get(last)).filter(|value| !value.is_null());
        match (argument, text(mirror, header)?) {
            (None, None) => {}
            (Some(argument), Some(value)) if agrees(argument, &value) => {}
            (Some(_), Some(_)) => {
                return Err(RpcError::header_mismatch(format!("header `{header}` differs from argument `{}`", path.join("."))));
            }
            (Some(_), None) => {
                return Err(RpcError::header_mismatch(format!("header `{header}` is missing; it repeats argument `{}`", path.join("."))));
            }
            (None, Some(_)) => {
                return Err(RpcError::header_mismatch(format!("header `{header}` is given, but argument `{}` is not", path.join("."))));
            }
        }
    }
    Ok(())
}

fn agrees(argument: &Value, header: &str) -> bool {
    match argument {
        Value::String(text) => text == header,
        Value::Bool(truth) => header == if *truth { "true" } else { "false" },
        Value::Number(number) => {
            let whole = |number: f64| number.fract() == 0.0 && number.abs() <= LARGEST as f64;
            let (Some(body), Ok(header)) = (number.as_f64(), header.parse::<f64>()) else { return false };
            whole(body) && whole(header) && body == header
        }
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    }
}

/// How many marks stand anywhere in `schema`, except as the name of a property.
fn count(schema: &Value) -> usize {
    match schema {
        Value::Object(members) => {
            let own = usize::from(members.get(MARK).is_some_and(|mark| !mark.is_object()));
            own + members.values().map(count).sum::<usize>()
        }
        Value::Array(items) => items.iter().map(count).sum(),
        _ => 0,
    }
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
