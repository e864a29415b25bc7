//! What a schema says about a mistake, in words for the person who made it.

use jsonschema::{
    JsonType, ValidationError,
    error::{TypeKind, ValidationErrorKind},
};
use serde_json::Value;

use super::Side;
use crate::{
    tree::escape,
    value::{EXPECTED, REFERENCE},
};

/// One mistake, before it is given its place.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Mistake {
    pub(super) pointer: String,
    pub(super) side: Side,
    pub(super) message: String,
    /// What was written instead; left out where it may be secret.
    pub(super) found: Option<String>,
    pub(super) help: Option<String>,
}

impl Mistake {
    fn value(pointer: &str, message: String) -> Self {
        Self { pointer: pointer.to_owned(), side: Side::Value, message, found: None, help: None }
    }

    fn instead(self, value: &Value) -> Self {
        Self { found: Some(found(value)), ..self }
    }
}

/// The mistakes that `error` stands for; one error may name several keys.
pub(super) fn explain(error: &ValidationError<'_>, schema: &Value, beside: &[String]) -> Vec<Mistake> {
    use ValidationErrorKind as Kind;
    let pointer = error.instance_path().as_str();
    let around = parent(error, schema);
    match error.kind() {
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            let beside = if pointer.is_empty() { beside } else { &[] };
            unexpected.iter().map(|key| unknown_key(pointer, key, around, beside)).collect()
        }
        Kind::OneOfNotValid { context } | Kind::AnyOf { context } => choice(error, context, schema, beside),
        Kind::PropertyNames { error: inner } => {
            let pointer = format!("{pointer}/{}", escape(inner.instance().as_str().unwrap_or_default()));
            vec![Mistake { side: Side::Key, ..sentence(&pointer, inner, parent(inner, schema)) }]
        }
        Kind::Required { property } => vec![missing(pointer, property.as_str().unwrap_or_default(), around)],
        _ => vec![sentence(pointer, error, around)],
    }
}

/// The schema in which the broken keyword stands.
fn parent<'s>(error: &ValidationError<'_>, schema: &'s Value) -> &'s Value {
    let path = error.schema_path().as_str();
    path.rfind('/').and_then(|end| schema.pointer(&path[..end])).unwrap_or(schema)
}

fn unknown_key(pointer: &str, key: &str, around: &Value, beside: &[String]) -> Mistake {
    let mut known: Vec<&str> =
        around.get("properties").and_then(Value::as_object).into_iter().flatten().map(|(key, _)| key.as_str()).collect();
    known.extend(beside.iter().map(String::as_str));
    let (meant, help) = match closest(key, &known) {
        Some(meant) => (format!("; did you mean `{meant}`?"), None),
        None => (String::new(), Some(format!("the keys here are {}", quoted(&known)))),
    };
    let mistake = Mistake::value(&format!("{pointer}/{}", escape(key)), format!("unknown key `{key}`{meant}"));
    Mistake { side: Side::Key, help: help.filter(|_| !known.is_empty()), ..mistake }
}

fn missing(pointer: &str, property: &str, around: &Value) -> Mistake {
    let about = around.pointer(&format!("/properties/{}/description", escape(property))).and_then(Value::as_str);
    let first = about.and_then(|text| text.lines().next()).map(str::to_owned);
    Mistake { help: first, ..Mistake::value(pointer, format!("`{property}` is missing")) }
}

/// None of several shapes fits: speaks of the one that was meant.
fn choice(error: &ValidationError<'_>, branches: &[Vec<ValidationError<'static>>], schema: &Value, beside: &[String]) -> Vec<Mistake> {
    let pointer = error.instance_path().as_str();
    let around = parent(error, schema);
    if let Some(expected) = around.get(EXPECTED).and_then(Value::as_str) {
        return vec![Mistake::value(pointer, format!("expected {expected}")).instead(error.instance())];
    }
    // All shapes are told apart by one value, here or one step below: say which values there are.
    let told_apart: Option<Vec<_>> = branches.iter().map(|branch| branch.iter().find(|error| constants(error).is_some())).collect();
    if let Some(tags) = told_apart.filter(|tags| !tags.is_empty()) {
        let at = tags[0].instance_path().as_str();
        if tags.iter().all(|tag| tag.instance_path().as_str() == at) {
            let values: Vec<_> = tags.iter().filter_map(|tag| constants(tag)).flatten().collect();
            return vec![one_of(at, &values, tags[0].instance())];
        }
    }
    let keys: Vec<&str> = branches.iter().filter_map(|branch| wanted_key(branch, pointer)).collect();
    if keys.len() == branches.len() {
        return vec![without_shape(pointer, error.instance(), &keys)];
    }
    if branches.iter().all(|branch| branch.iter().any(|error| too_many_keys(error, pointer)))
        && error.instance().as_object().is_some_and(|members| members.len() > 1)
    {
        let written: Vec<&str> = error.instance().as_object().into_iter().flatten().map(|(key, _)| key.as_str()).collect();
        return vec![Mistake::value(pointer, format!("only one of {} may stand here", quoted(&written)))];
    }
    let nearest = branches.iter().min_by_key(|branch| (distance(branch, pointer), branch.len()));
    match nearest {
        Some(branch) if distance(branch, pointer) < OTHER_TYPE => branch.iter().flat_map(|error| explain(error, schema, beside)).collect(),
        _ => {
            let mut types: Vec<_> =
                branches.iter().flatten().filter(|error| error.instance_path().as_str() == pointer).filter_map(wanted_type).collect();
            types.dedup();
            let expected = if types.is_empty() { "something else".to_owned() } else { types.join(" or ") };
            vec![Mistake::value(pointer, format!("expected {expected}")).instead(error.instance())]
        }
    }
}

const OTHER_TAG: u32 = 10;
const OTHER_KEYS: u32 = 12;
const OTHER_TYPE: u32 = 1000;

/// How far a shape is from what was written. A wrong tag is nearer than a missing key beside a foreign one, so that the value of
/// the one key that does fit is spoken of; a wrong type is farthest.
fn distance(branch: &[ValidationError<'static>], pointer: &str) -> u32 {
    let here = |error: &&ValidationError<'static>| error.instance_path().as_str() == pointer;
    let any = |matches: fn(&ValidationErrorKind) -> bool| branch.iter().filter(here).any(|error| matches(error.kind()));
    let other_type = any(|kind| matches!(kind, ValidationErrorKind::Type { .. }));
    let lacks = any(|kind| matches!(kind, ValidationErrorKind::Required { .. }));
    let foreign = any(|kind| matches!(kind, ValidationErrorKind::AdditionalProperties { .. }));
    let tag = branch.iter().any(|error| constants(error).is_some());
    u32::from(other_type) * OTHER_TYPE + u32::from(lacks && foreign) * OTHER_KEYS + u32::from(tag) * OTHER_TAG
}

fn too_many_keys(error: &ValidationError<'_>, pointer: &str) -> bool {
    error.instance_path().as_str() == pointer && matches!(error.kind(), ValidationErrorKind::AdditionalProperties { .. })
}

/// The one key by which a shape is known, if what was written lacks it.
fn wanted_key<'e>(branch: &'e [ValidationError<'static>], pointer: &str) -> Option<&'e str> {
    branch.iter().filter(|error| error.instance_path().as_str() == pointer).find_map(|error| match error.kind() {
        ValidationErrorKind::Required { property } => property.as_str(),
        _ => None,
    })
}

fn without_shape(pointer: &str, instance: &Value, keys: &[&str]) -> Mistake {
    let mut keys = keys.to_vec();
    keys.dedup();
    if let [only] = keys.as_slice() {
        return Mistake::value(pointer, format!("`{only}` is missing"));
    }
    let written: Vec<&str> = instance.as_object().into_iter().flatten().map(|(key, _)| key.as_str()).collect();
    match written.as_slice() {
        [key] => Mistake {
            side: Side::Key,
            ..Mistake::value(&format!("{pointer}/{}", escape(key)), format!("unknown key `{key}`{}", must_be(key, &keys)))
        },
        _ => Mistake::value(pointer, format!("one of {} is missing", quoted(&keys))),
    }
}

fn must_be(key: &str, keys: &[&str]) -> String {
    closest(key, keys).map_or_else(|| format!("; use one of {}", quoted(keys)), |meant| format!("; did you mean `{meant}`?"))
}

fn constants(error: &ValidationError<'_>) -> Option<Vec<Value>> {
    match error.kind() {
        ValidationErrorKind::Constant { expected_value } => Some(vec![expected_value.as_ref().clone()]),
        ValidationErrorKind::Enum { options } => options.as_array().cloned(),
        _ => None,
    }
}

fn one_of(pointer: &str, values: &[Value], written: &Value) -> Mistake {
    let names: Vec<String> = values.iter().map(plain).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let meant = written.as_str().and_then(|written| closest(written, &names));
    let several = if names.len() == 1 { "" } else { "one of " };
    let mistake = Mistake::value(pointer, format!("must be {several}{}", quoted(&names))).instead(written);
    Mistake { help: meant.map(|meant| format!("did you mean `{meant}`?")), ..mistake }
}

fn wanted_type(error: &ValidationError<'_>) -> Option<String> {
    match error.kind() {
        ValidationErrorKind::Type { kind: TypeKind::Single(name) } => Some(type_name(*name).to_owned()),
        ValidationErrorKind::Type { kind: TypeKind::Multiple(names) } => Some(names.iter().map(type_name).collect::<Vec<_>>().join(" or ")),
        _ => None,
    }
}

/// One sentence about an error that is about one value.
fn sentence(pointer: &str, error: &ValidationError<'_>, around: &Value) -> Mistake {
    use ValidationErrorKind as Kind;
    let says = |message: String| Mistake::value(pointer, message);
    if let Some(expected) = around.get(EXPECTED).and_then(Value::as_str) {
        let mistake = says(format!("expected {expected}"));
        return if around.get(REFERENCE).is_some() { mistake } else { mistake.instead(error.instance()) };
    }
    match error.kind() {
        Kind::Type { .. } => says(format!("expected {}", wanted_type(error).unwrap_or_default())).instead(error.instance()),
        Kind::Constant { .. } | Kind::Enum { .. } => one_of(pointer, &constants(error).unwrap_or_default(), error.instance()),
        Kind::Minimum { limit } => says(format!("must be at least {limit}")).instead(error.instance()),
        Kind::Maximum { limit } => says(format!("must be at most {limit}")).instead(error.instance()),
        Kind::MinLength { limit: 1 } | Kind::MinItems { limit: 1 } | Kind::MinProperties { limit: 1 } => {
            says("must not be empty".to_owned())
        }
        Kind::MinLength { limit } => says(format!("must have at least {limit} characters")),
        Kind::MaxLength { limit } => says(format!("must have at most {limit} characters")),
        Kind::MinItems { limit } => says(format!("must have at least {limit} items")),
        Kind::MaxItems { limit } => says(format!("must have at most {limit} items")),
        Kind::UniqueItems => says("has an item twice".to_owned()),
        Kind::Pattern { pattern } => says(format!("must match `{pattern}`")).instead(error.instance()),
        _ => says(error.masked_with("the value").to_string()),
    }
}

/// The known word that was probably meant.
#[must_use]
pub fn closest<'k>(written: &str, known: &[&'k str]) -> Option<&'k str> {
    let distance = |name: &&&str| strsim::damerau_levenshtein(&written.to_lowercase(), &name.to_lowercase());
    let nearest = known.iter().min_by_key(distance)?;
    // One slip in three letters still looks like the word.
    (distance(&nearest) <= written.chars().count().max(3) / 3).then_some(*nearest)
}

fn quoted(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// What was written, short enough for a sentence.
fn found(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a mapping".to_owned(),
        other => {
            let text = plain(other);
            let short: String = text.chars().take(60).collect();
            let rest = if short.len() < text.len() { "…" } else { "" };
            format!("`{short}{rest}`")
        }
    }
}

fn type_name(name: JsonType) -> &'static str {
    match name {
        JsonType::Array => "a list",
        JsonType::Boolean => "true or false",
        JsonType::Integer => "a whole number",
        JsonType::Null => "nothing",
        JsonType::Number => "a number",
        JsonType::Object => "a mapping",
        JsonType::String => "a text",
    }
}
