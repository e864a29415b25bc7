//! The input schema of one tool, compiled.

use std::fmt;

use callgate_model::{Json, Members};
use jsonschema::{PatternCache, PatternOptions, Validator};
use serde_json::Value;

use super::Config;

/// A compiled schema; the source is kept for messages.
#[derive(Debug)]
pub(super) struct Schema {
    /// The tool's index, for the rules of redaction.
    pub(super) tool: usize,
    pub(super) source: Value,
    pub(super) validator: Validator,
}

/// Why a schema cannot be used.
#[derive(Debug)]
pub(super) struct Unusable {
    /// The part that is wrong, as a JSON pointer; empty for the whole.
    pub(super) at: String,
    pub(super) why: String,
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at.as_str() {
            "" => f.write_str(&self.why),
            at => write!(f, "at `{at}`: {}", self.why),
        }
    }
}

impl Schema {
    /// Compiles the schema or says why that cannot be done. Tools share what their patterns have in common.
    pub(super) fn compile(tool: usize, source: &Json, config: &Config, patterns: &PatternCache) -> Result<Self, Unusable> {
        let text = source.as_str();
        let whole = |why| Unusable { at: String::new(), why };
        if text.len() > config.schema.bytes() {
            return Err(whole(format!("it has {} bytes; {} are allowed", text.len(), config.schema.bytes())));
        }
        let source: Value = serde_json::from_str(text).map_err(|cause| whole(cause.to_string()))?;
        let size = config.pattern.bytes();
        let validator = jsonschema::options()
            .offline()
            .should_validate_formats(true)
            .with_pattern_options(PatternOptions::regex().size_limit(size).dfa_size_limit(size))
            .with_pattern_cache(patterns.clone())
            .build(&source)
            .map_err(|error| Unusable { at: error.instance_path().to_string(), why: error.to_string() })?;
        Ok(Self { tool, source, validator })
    }

    /// Fits, or gives the arguments back as the one value in which the problems can be found.
    pub(super) fn check(&self, arguments: &Members) -> Result<(), (Value, &Self)> {
        // The validator wants one value; the members are shared with the rest of the column, so this is a copy.
        let value = Value::Object(arguments.clone());
        if self.validator.is_valid(&value) { Ok(()) } else { Err((value, self)) }
    }
}
