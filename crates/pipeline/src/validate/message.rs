//! The sentence about arguments that do not fit: which one, what was wrong, what would be right.

use callgate_model::{Fault, excerpt};
use jsonschema::{ValidationError, error::ValidationErrorKind};
use serde_json::Value;

use super::{
    describe::{TOLD, describe},
    schema::Schema,
};
use crate::redact::Redaction;

/// How long the whole text may become: about 120 tokens.
const LONGEST: usize = 400;

/// How much of a value, a name or the validator's words is repeated.
const EXCERPT: usize = 40;
const WORDS: usize = 120;

/// How many names of arguments are listed when none is near.
const LISTED: usize = 12;

/// How many parts arguments may have for all their problems to be looked for: each problem costs memory, and arguments can be
/// megabytes of them.
const SMALL: usize = 2000;

/// All problems of `value`, as far as there is room.
pub(super) fn fault(schema: &Schema, value: &Value, redaction: &Redaction) -> Fault {
    let teller = Teller { schema, redaction };
    let mut text = Listing::default();
    if parts(value, SMALL) < SMALL {
        schema.validator.iter_errors(value).for_each(|error| teller.tell(&error, &mut text));
    } else if let Err(error) = schema.validator.validate(value) {
        teller.tell(&error, &mut text);
    }
    Fault::arguments(text.finish())
}

/// How many values `value` is made of; `most` if there are more.
fn parts(value: &Value, most: usize) -> usize {
    let count = |sum: usize, part: &Value| if sum < most { sum + parts(part, most - sum) } else { most };
    match value {
        Value::Array(items) => items.iter().fold(1, count),
        Value::Object(members) => members.values().fold(1, count),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 1,
    }
    .min(most)
}

/// The sentences that fit, and how many did not.
#[derive(Default)]
struct Listing {
    text: String,
    left_out: usize,
}

impl Listing {
    fn add(&mut self, problem: impl FnOnce() -> String) {
        if self.left_out > 0 {
            // No room any more: a problem that is not told is not put into words either.
            self.left_out += 1;
            return;
        }
        let problem = problem();
        if self.text.is_empty() {
            self.text = problem;
        } else if self.text.len() + problem.len() < LONGEST {
            self.text.push_str("; ");
            self.text.push_str(&problem);
        } else {
            self.left_out = 1;
        }
    }

    fn finish(mut self) -> String {
        if self.left_out > 0 {
            self.text.push_str(&format!("; and {} more", self.left_out));
        }
        self.text
    }
}

struct Teller<'a> {
    schema: &'a Schema,
    redaction: &'a Redaction,
}

impl Teller<'_> {
    /// Adds one sentence, or one for each name if the error is about several.
    fn tell(&self, error: &ValidationError<'_>, text: &mut Listing) {
        let path = Path::of(error.instance_path().as_str());
        match error.kind() {
            ValidationErrorKind::AdditionalProperties { unexpected } | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
                let listed = if unexpected.len() == 1 { LISTED } else { 0 };
                unexpected.iter().for_each(|name| text.add(|| self.unknown(&path, name, error, listed)));
            }
            ValidationErrorKind::Required { property } => {
                text.add(|| self.missing(&path, property.as_str().unwrap_or_default(), error));
            }
            kind if TOLD.contains(&kind.keyword()) => text.add(|| self.unfit(&path, error)),
            _ => text.add(|| self.in_its_words(&path, error)),
        }
    }

    fn unknown(&self, path: &Path, name: &str, error: &ValidationError<'_>, listed: usize) -> String {
        let known = self.beside(error, "properties").and_then(Value::as_object);
        let names = || known.into_iter().flat_map(|properties| properties.keys()).map(String::as_str);
        let hint = match nearest(name, names()) {
            Some(near) => format!(" (did you mean `{near}`?)"),
            None if (1..=listed).contains(&names().count()) => format!(" (there are {})", list(names())),
            None => String::new(),
        };
        format!("there is no argument {}{hint}", quote(&self.redaction.name(&path.member(name))))
    }

    fn missing(&self, path: &Path, name: &str, error: &ValidationError<'_>) -> String {
        let wanted = self.beside(error, "properties").and_then(|properties| properties.get(name)).and_then(describe);
        let wanted = wanted.map_or_else(String::new, |wanted| format!(": {wanted}"));
        format!("{} is missing{wanted}", quote(&self.redaction.name(&path.member(name))))
    }

    fn unfit(&self, path: &Path, error: &ValidationError<'_>) -> String {
        let own = self.beside(error, "");
        let Some(wanted) = own.and_then(describe) else { return self.in_its_words(path, error) };
        let sentence = format!("{} must be {wanted}", self.subject(path));
        let is_hidden = |name: &String| self.redaction.hides(Some(self.schema.tool), name);
        // What stands below a hidden path is hidden too.
        let is_below = (1..=path.names.len()).any(|end| self.redaction.hides_path(&path.names[..end]));
        if is_below || path.names.iter().any(is_hidden) {
            return sentence;
        }
        let value = error.instance();
        let got = shown(value, error.kind().keyword(), self.redaction).map_or_else(String::new, |shown| format!(", not {shown}"));
        let options = own.and_then(|own| own.get("enum")).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        let near = value.as_str().and_then(|value| nearest(value, options));
        let hint = near.map_or_else(String::new, |near| format!(" (did you mean `{}`?)", excerpt(near, EXCERPT)));
        format!("{sentence}{got}{hint}")
    }

    /// The validator's own words, without the value.
    fn in_its_words(&self, path: &Path, error: &ValidationError<'_>) -> String {
        format!("{}: {}", self.subject(path), excerpt(&error.masked().to_string(), WORDS))
    }

    /// What it is about. Names of members may be the caller's own.
    fn subject(&self, path: &Path) -> String {
        if path.text.is_empty() { "the arguments".into() } else { quote(&self.redaction.name(&path.text)) }
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
}

/// What was given, as it may be repeated: a short excerpt of a scalar, only the sort or size of anything else.
/// What is not written down is not repeated either: replies end in transcripts.
fn shown(value: &Value, keyword: &str, redaction: &Redaction) -> Option<String> {
    match value {
        Value::String(text) => Some(format!("\"{}\"", excerpt(&redaction.name(text), EXCERPT))),
        Value::Array(items) if keyword.ends_with("Items") => (keyword != "uniqueItems").then(|| format!("{} items", items.len())),
        Value::Array(_) => Some("an array".into()),
        Value::Object(_) => Some("an object".into()),
        Value::Null | Value::Bool(_) | Value::Number(_) => Some(excerpt(&redaction.name(&value.to_string()), EXCERPT)),
    }
}

/// A name in backticks.
pub(super) fn quote(name: &str) -> String {
    format!("`{}`", excerpt(name, 2 * EXCERPT))
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
    let names: Vec<_> = names.map(|name| format!("`{}`", excerpt(name, EXCERPT))).collect();
    excerpt(&names.join(", "), 2 * WORDS)
}
