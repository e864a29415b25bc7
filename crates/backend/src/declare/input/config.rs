//! How an operator writes a parameter: JSON Schema keywords by their own names, and `optional`.

use callgate_config::Mapping;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Number, Value};

/// One parameter of a tool, or one property of an object. It must be given unless it has `default` or `optional: true`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ParameterConfig {
    /// The type of the value.
    #[serde(rename = "type")]
    pub of: TypeName,
    /// What a person reads instead of the name.
    pub title: Option<String>,
    /// What the model reads: what to give, where to get it from.
    pub description: Option<String>,
    /// The only values allowed.
    #[serde(rename = "enum")]
    pub values: Option<Vec<Value>>,
    /// The only value allowed.
    #[serde(rename = "const")]
    pub constant: Option<Value>,
    /// The value when none is given; the parameter is then not required.
    pub default: Option<Value>,
    /// A hint on the form of a text, such as `date` or `email`. Not enforced: use `pattern` for that.
    pub format: Option<String>,
    /// A regular expression that the text must match somewhere; anchor it with `^` and `$`. Linear-time syntax only: no look-around, no back-references.
    pub pattern: Option<String>,
    /// The least number of characters.
    pub min_length: Option<u64>,
    /// The greatest number of characters.
    pub max_length: Option<u64>,
    /// The least number allowed.
    pub minimum: Option<Number>,
    /// The greatest number allowed.
    pub maximum: Option<Number>,
    /// The number must be greater than this.
    pub exclusive_minimum: Option<Number>,
    /// The number must be less than this.
    pub exclusive_maximum: Option<Number>,
    /// The number must be a multiple of this.
    pub multiple_of: Option<Number>,
    /// What the list holds.
    pub items: Option<Box<ParameterConfig>>,
    /// The least number of items.
    pub min_items: Option<u64>,
    /// The greatest number of items.
    pub max_items: Option<u64>,
    /// No two items may be equal.
    pub unique_items: Option<bool>,
    /// The members of the object; others are refused.
    pub properties: Option<Mapping<ParameterConfig>>,
    /// It may be left out; it is then nothing at all (SQL: NULL).
    #[serde(default)]
    pub optional: bool,
}

/// The types a parameter can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TypeName {
    /// Text.
    String,
    /// A whole number.
    Integer,
    /// Any number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// A list; say what it holds with `items`.
    Array,
    /// An object; say its members with `properties`.
    Object,
}

impl TypeName {
    /// The word JSON Schema has for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Array => "array",
            Self::Object => "object",
        }
    }
}
