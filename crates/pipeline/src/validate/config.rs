//! What an operator may write under `calls.validate`.

use callgate_config::{Problems, Section, Size};
use callgate_model::Json;
use jsonschema::PatternCache;
use schemars::JsonSchema;
use serde::Deserialize;

use super::schema::{Schema, Unusable};

/// Bounds on the schemas that arguments are checked against.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// How long the input schema of a tool may be; default `256KiB`. A longer one is refused before the gate opens.
    pub schema: Size,
    /// How much memory one compiled pattern may take; default `1MiB`. A pattern that takes more is refused.
    pub pattern: Size,
}

/// What can be done about a schema that is too large to be used.
const HELP: &str = "make it smaller, or allow more under `calls.validate`";

impl Default for Config {
    fn default() -> Self {
        Self { schema: Size::kib(256), pattern: Size::mib(1) }
    }
}

impl Config {
    /// Refuses the tools whose arguments could not be checked, as the gate would when it opens: the input schema of each, and where the
    /// tool stands.
    pub fn check<'a>(&self, tools: impl Iterator<Item = (Json, &'a Section)>, problems: &mut Problems) {
        let patterns = PatternCache::new();
        for (index, (schema, section)) in tools.enumerate() {
            if let Err(Unusable { at, why }) = Schema::compile(index, &schema, self, &patterns) {
                // That it is a pattern at all has been checked where it was declared. The members of the schema are called as the operator called them; only the outermost have another name.
                let is_wide = at.ends_with("/pattern");
                let why = if is_wide { format!("compiled, this pattern takes more than {}", self.pattern) } else { why };
                let pointer = format!("/input{}", at.strip_prefix("/properties").unwrap_or_default());
                problems.push(section.problem(&pointer, format!("the input schema cannot be used: {why}")).help(HELP));
            }
        }
    }
}
