//! The mistakes one can make in a parameter.

use callgate_config::{Mapping, Problems, Section};
use jsonschema::{Draft, PatternOptions, Validator};
use serde_json::{Number, Value};

use super::{Input, Parameter, ParameterConfig, Type, TypeName, schema};

/// The longest name of a parameter.
const LONGEST_NAME: usize = 64;

impl Input {
    /// The parameters that were written at `/input` of the tool in `section`.
    pub fn read(parameters: &Mapping<ParameterConfig>, section: &Section, problems: &mut Problems) -> Self {
        Self { parameters: Reader { section, problems }.members(parameters, "/input") }
    }
}

/// A validator that works in linear time and fetches nothing.
pub(crate) fn validator(schema: &Value) -> Result<Validator, String> {
    let options = jsonschema::options().with_draft(Draft::Draft202012).with_pattern_options(PatternOptions::regex()).offline();
    options.build(schema).map_err(|mistake| mistake.to_string())
}

struct Reader<'a> {
    section: &'a Section,
    problems: &'a mut Problems,
}

impl Reader<'_> {
    fn members(&mut self, members: &Mapping<ParameterConfig>, at: &str) -> Vec<Parameter> {
        let read = |(name, config): &(String, ParameterConfig)| self.parameter(name, config, &format!("{at}/{}", escaped(name)));
        members.iter().map(read).collect()
    }

    fn parameter(&mut self, name: &str, config: &ParameterConfig, at: &str) -> Parameter {
        if !is_name(name) {
            self.mistake(
                at,
                format!("`{name}` cannot name a parameter; use 1 to {LONGEST_NAME} of a-z A-Z 0-9 _, not beginning with a digit"),
            );
        }
        let (of, schema) = self.value(config, at);
        Parameter { name: name.into(), of, default: config.default.clone(), optional: config.optional, schema }
    }

    /// The type and the schema of a value.
    fn value(&mut self, config: &ParameterConfig, at: &str) -> (Type, Value) {
        self.keywords(config, at);
        let items = config.items.as_ref().map(|items| self.value(items, &format!("{at}/items")));
        let members = config.properties.as_ref().map(|members| self.members(members, &format!("{at}/properties")));
        let schema = schema::of_parameter(config, items.as_ref().map(|(_, schema)| schema), members.as_deref());
        self.fits(config, &schema, at);
        let of = match config.of {
            TypeName::String => Type::String,
            TypeName::Integer => Type::Integer,
            TypeName::Number => Type::Number,
            TypeName::Boolean => Type::Boolean,
            TypeName::Array => Type::Array(Box::new(items.map_or(Type::String, |(of, _)| of))),
            TypeName::Object => Type::Object(members.unwrap_or_default()),
        };
        (of, schema)
    }

    /// Keywords that say nothing about this type, that are missing, or that leave no value.
    fn keywords(&mut self, config: &ParameterConfig, at: &str) {
        use TypeName::{Array, Integer, Number, Object, String};
        let ParameterConfig { pattern, format, min_length, max_length, minimum, maximum, .. } = config;
        let ParameterConfig { exclusive_minimum, exclusive_maximum, multiple_of, items, min_items, max_items, unique_items, .. } = config;
        let words: [(&str, bool, &[TypeName]); 14] = [
            ("pattern", pattern.is_some(), &[String]),
            ("format", format.is_some(), &[String]),
            ("minLength", min_length.is_some(), &[String]),
            ("maxLength", max_length.is_some(), &[String]),
            ("minimum", minimum.is_some(), &[Integer, Number]),
            ("maximum", maximum.is_some(), &[Integer, Number]),
            ("exclusiveMinimum", exclusive_minimum.is_some(), &[Integer, Number]),
            ("exclusiveMaximum", exclusive_maximum.is_some(), &[Integer, Number]),
            ("multipleOf", multiple_of.is_some(), &[Integer, Number]),
            ("items", items.is_some(), &[Array]),
            ("minItems", min_items.is_some(), &[Array]),
            ("maxItems", max_items.is_some(), &[Array]),
            ("uniqueItems", unique_items.is_some(), &[Array]),
            ("properties", config.properties.is_some(), &[Object]),
        ];
        for (word, _, _) in words.iter().filter(|(_, written, types)| *written && !types.contains(&config.of)) {
            self.mistake(&format!("{at}/{word}"), format!("`{word}` says nothing about a value of type {}", config.of.as_str()));
        }
        if config.of == Array && items.is_none() {
            self.mistake(at, "say what the list holds, for example `items: { type: string }`");
        }
        if config.of == Object && config.properties.is_none() {
            self.mistake(at, "say the object's members with `properties`; others are refused");
        }
        let ranges = [
            ("minLength", "maxLength", more(*min_length, *max_length)),
            ("minItems", "maxItems", more(*min_items, *max_items)),
            ("minimum", "maximum", more(float(minimum.as_ref()), float(maximum.as_ref()))),
        ];
        for (least, most, _) in ranges.iter().filter(|(_, _, crossed)| *crossed) {
            self.mistake(&format!("{at}/{least}"), format!("`{least}` is greater than `{most}`: no value fits"));
        }
    }

    /// The pattern must compile; the default and the allowed values must fit what else is said.
    fn fits(&mut self, config: &ParameterConfig, schema: &Value, at: &str) {
        if let Some(pattern) = &config.pattern
            && let Err(why) = pattern_compiles(pattern)
        {
            self.mistake(&format!("{at}/pattern"), why);
            return;
        }
        let without = |words: &[&str]| {
            let mut schema = schema.clone();
            schema.as_object_mut().into_iter().for_each(|schema| words.iter().for_each(|word| drop(schema.remove(*word))));
            schema
        };
        let bare = without(&["enum", "const", "default"]);
        let values = config.values.iter().flatten().enumerate().map(|(index, value)| (format!("{at}/enum/{index}"), value));
        let constant = config.constant.iter().map(|value| (format!("{at}/const"), value));
        let allowed: Vec<_> = values.chain(constant).collect();
        self.all_fit(&bare, &allowed);
        if let Some(default) = &config.default {
            self.all_fit(&without(&["default"]), &[(format!("{at}/default"), default)]);
        }
        if config.values.as_ref().is_some_and(Vec::is_empty) {
            self.mistake(&format!("{at}/enum"), "an empty `enum` allows no value at all");
        }
    }

    fn all_fit(&mut self, schema: &Value, values: &[(String, &Value)]) {
        if values.is_empty() {
            return;
        }
        match validator(schema) {
            Ok(validator) => {
                for (at, value) in values {
                    if let Err(why) = validator.validate(value) {
                        self.mistake(at, format!("the value does not fit its own parameter: {why}"));
                    }
                }
            }
            // The part of the schema that is wrong has been reported where it stands.
            Err(_) if !self.problems.is_empty() => {}
            Err(why) => self.mistake(&values[0].0, why),
        }
    }

    fn mistake(&mut self, at: &str, message: impl Into<String>) {
        self.problems.push(self.section.problem(at, message));
    }
}

fn pattern_compiles(pattern: &str) -> Result<(), String> {
    regex::Regex::new(pattern).map_err(|mistake| {
        let text = mistake.to_string();
        // The first lines draw a picture of the pattern; the last says what is wrong.
        let reason = text.lines().last().unwrap_or_default().trim_start_matches("error: ");
        format!("`pattern` cannot be used: {reason}")
    })?;
    // What checks the arguments reads the dialect of JSON Schema; it must agree.
    validator(&serde_json::json!({ "type": "string", "pattern": pattern })).map(drop)
}

fn is_name(name: &str) -> bool {
    let begins = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    begins && name.len() <= LONGEST_NAME && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn more<T: PartialOrd>(least: Option<T>, most: Option<T>) -> bool {
    matches!((least, most), (Some(least), Some(most)) if least > most)
}

fn float(number: Option<&Number>) -> Option<f64> {
    number.and_then(Number::as_f64)
}

/// A name as a part of a JSON pointer.
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
