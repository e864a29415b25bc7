//! The input schema of one tool, compiled.

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

impl Schema {
    /// Compiles the schema or says in a sentence why that cannot be done. Tools share what their patterns have in common.
    pub(super) fn compile(tool: usize, source: &Json, config: &Config, patterns: &PatternCache) -> Result<Self, String> {
        let text = source.as_str();
        if text.len() > config.schema.bytes() {
            return Err(format!("it has {} bytes; {} are allowed", text.len(), config.schema.bytes()));
        }
        let source: Value = serde_json::from_str(text).map_err(|cause| cause.to_string())?;
        let size = config.pattern.bytes();
        let validator = jsonschema::options()
            .offline()
            .should_validate_formats(true)
            .with_pattern_options(PatternOptions::regex().size_limit(size).dfa_size_limit(size))
            .with_pattern_cache(patterns.clone())
            .build(&source)
            .map_err(|error| format!("at `{}`: {error}", error.instance_path()))?;
        Ok(Self { tool, source, validator })
    }

    /// Fits, or gives the arguments back as the one value in which the problems can be found.
    pub(super) fn check(&self, arguments: &Members) -> Result<(), (Value, &Self)> {
        // The validator wants one value; the members are shared with the rest of the column, so this is a copy.
        let value = Value::Object(arguments.clone());
        if self.validator.is_valid(&value) { Ok(()) } else { Err((value, self)) }
    }
}
