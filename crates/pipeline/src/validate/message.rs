//! The sentence about arguments that do not fit: which one, what was wrong, what would be right.

use callgate_model::Fault;
use jsonschema::{ValidationError, error::ValidationErrorKind};
use serde_json::Value;

use super::{
    describe::{TOLD, describe},
    schema::Schema,
};
use crate::redact::Redaction;

/// How long the whole text may become: about 120 tokens.
const LONGEST: usize = 420;

/// How much of a value, a name or the validator's words is repeated.
const EXCERPT: usize = 40;
const WORDS: usize = 120;

/// How many names of arguments are listed when none is near.
const LISTED: usize = 8;

/// All problems of `value`, as far as there is room.
pub(super) fn fault(schema: &Schema, value: &Value, redaction: &Redaction) -> Fault {
    let mut text = String::new();
    let mut left_out = 0_usize;
    let teller = Teller { schema, redaction };
    for problem in schema.validator.iter_errors(value).flat_map(|error| teller.tell(&error)) {
        if text.is_empty() {
            text = problem;
        } else if text.len() + problem.len() < LONGEST {
            text.push_str("; ");
            text.push_str(&problem);
        } else {
            left_out += 1;
        }
    }
    if left_out > 0 {
        text.push_str(&format!("; and {left_out} more"));
    }
    Fault::arguments(text)
}

struct Teller<'a> {
    schema: &'a Schema,
    redaction: &'a Redaction,
}

impl Teller<'_> {
    /// One sentence, or one for each name if the error is about several.
    fn tell(&self, error: &ValidationError<'_>) -> Vec<String> {
        let path = Path::of(error.instance_path().as_str());
        match error.kind() {
            ValidationErrorKind::AdditionalProperties { unexpected } | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
                unexpected.iter().map(|name| self.unknown(&path, name, error)).collect()
            }
            ValidationErrorKind::Required { property } => vec![self.missing(&path, property.as_str().unwrap_or_default(), error)],
            kind if TOLD.contains(&kind.keyword()) => vec![self.unfit(&path, error)],
            _ => vec![format!("{}: {}", path.subject(), excerpt(&error.masked().to_string(), WORDS))],
        }
    }

    fn unknown(&self, path: &Path, name: &str, error: &ValidationError<'_>) -> String {
        let known = self.beside(error, "properties").and_then(Value::as_object);
        let names = || known.into_iter().flat_map(|properties| properties.keys()).map(String::as_str);
        let hint = match nearest(name, names()) {
            Some(near) => format!("; did you mean `{near}`?"),
            None if names().next().is_none() => "; there are none".into(),
            None if names().count() <= LISTED => format!("; there are {}", list(names())),
            None => String::new(),
        };
        format!("there is no argument {}{hint}", quote(&path.member(name)))
    }

    fn missing(&self, path: &Path, name: &str, error: &ValidationError<'_>) -> String {
        let wanted = self.beside(error, "properties").and_then(|properties| properties.get(name)).and_then(describe);
        let wanted = wanted.map_or_else(String::new, |wanted| format!(": {wanted}"));
        format!("{} is missing{wanted}", quote(&path.member(name)))
    }

    fn unfit(&self, path: &Path, error: &ValidationError<'_>) -> String {
        let value = error.instance();
        let own = self.beside(error, "");
        let Some(wanted) = own.and_then(describe) else {
            return format!("{}: {}", path.subject(), excerpt(&error.masked().to_string(), WORDS));
        };
        let hidden = path.names.iter().any(|name| self.redaction.hides(Some(self.schema.tool), name));
        let got = if hidden { String::new() } else { format!(", not {}", shown(value)) };
        let options = own.and_then(|own| own.get("enum")).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        let near = if hidden { None } else { value.as_str().and_then(|value| nearest(value, options)) };
        let hint = near.map_or_else(String::new, |near| format!("; did you mean `{}`?", excerpt(near, EXCERPT)));
        format!("{} must be {wanted}{got}{hint}", path.subject())
    }

    /// The keyword `name` beside the one that was not kept; the schema itself if `name` is empty.
    fn beside(&self, error: &ValidationError<'_>, name: &str) -> Option<&Value> {
        let (owner, _) = error.schema_path().as_str().rsplit_once('/')?;
        let owner = self.schema.source.pointer(owner)?;
        if name.is_empty() { Some(owner) } else { owner.get(name) }
    }
}

/// Where in the arguments, as a caller would write it: `items[0].quantity`.
struct Path {
    text: String,
    names: Vec<String>,
}

impl Path {
    fn of(pointer: &str) -> Self {
        let mut path = Self { text: String::new(), names: Vec::new() };
        for step in pointer.split('/').skip(1) {
            let name = step.replace("~1", "/").replace("~0", "~");
            if !path.text.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit()) {
                path.text.push_str(&format!("[{name}]"));
            } else {
                path.text = path.member(&name);
            }
            path.names.push(name);
        }
        path
    }

    fn member(&self, name: &str) -> String {
        if self.text.is_empty() { name.to_owned() } else { format!("{}.{name}", self.text) }
    }

    fn subject(&self) -> String {
        if self.text.is_empty() { "the arguments".into() } else { quote(&self.text) }
    }
}

/// A value as it may be repeated: a short excerpt of a scalar, only the sort of anything else.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => format!("\"{}\"", excerpt(text, EXCERPT)),
        Value::Array(_) => "an array".into(),
        Value::Object(_) => "an object".into(),
        Value::Null | Value::Bool(_) | Value::Number(_) => excerpt(&value.to_string(), EXCERPT),
    }
}

/// A name in backticks.
pub(super) fn quote(name: &str) -> String {
    format!("`{}`", excerpt(name, 2 * EXCERPT))
}

/// The first characters of `text`, without control characters.
pub(super) fn excerpt(text: &str, longest: usize) -> String {
    let mut short: String = text.chars().take(longest).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(longest).is_some() {
        short.push('…');
    }
    short
}

/// The name that was probably meant.
pub(super) fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // Comparing is quadratic in the length, and nobody misspells a name this long.
    const LONGEST: usize = 64;
    if name.len() > LONGEST {
        return None;
    }
    let distance = |known: &str| strsim::damerau_levenshtein(&name.to_lowercase(), &known.to_lowercase());
    let near = names.filter(|known| known.len() <= LONGEST).map(|known| (distance(known), known)).min_by_key(|(distance, _)| *distance);
    near.filter(|(distance, known)| *distance <= (known.chars().count() / 3).max(1)).map(|(_, known)| known)
}

fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.map(|name| format!("`{}`", excerpt(name, EXCERPT))).collect::<Vec<_>>().join(", ")
}
