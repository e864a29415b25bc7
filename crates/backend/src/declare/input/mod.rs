//! The parameters of a tool: what an operator wrote under `input`, checked, typed, and as JSON Schema.
//!
//! It promises that the schema is JSON Schema 2020-12, closed (`additionalProperties: false`) and in the order of the file, that
//! every pattern runs in linear time, and that each default and each allowed value fits its own schema. How a value is bound to a
//! statement or a request is left to the kinds.

mod check;
mod config;
mod schema;

pub use config::{ParameterConfig, TypeName};

pub(crate) use check::validator;

use callgate_model::Json;
use serde_json::Value;

/// The parameters of one tool, in order.
#[derive(Clone, Debug, Default)]
pub struct Input {
    /// The parameters.
    pub parameters: Vec<Parameter>,
}

/// One parameter, or one property of an object.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Its type.
    pub of: Type,
    /// Its value when it is not given.
    pub default: Option<Value>,
    /// It may be left out. Without a default it is then nothing at all (SQL: NULL).
    pub optional: bool,
    /// Its JSON Schema.
    pub schema: Value,
}

/// The type of a parameter.
#[derive(Clone, Debug)]
pub enum Type {
    /// Text.
    String,
    /// A whole number.
    Integer,
    /// Any number.
    Number,
    /// True or false.
    Boolean,
    /// A list of one type.
    Array(Box<Type>),
    /// An object with these members, in order.
    Object(Vec<Parameter>),
}

impl Input {
    /// The parameter of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Parameter> {
        self.parameters.iter().find(|parameter| parameter.name == name)
    }

    /// The JSON Schema of the whole: an object with these parameters and no others.
    #[must_use]
    pub fn schema(&self) -> Json {
        schema::of_input(&self.parameters)
    }
}

impl Parameter {
    /// It must be given.
    #[must_use]
    pub fn is_required(&self) -> bool {
        !self.optional && self.default.is_none()
    }

    /// An optional text, as kinds add for themselves (`after`).
    #[must_use]
    pub fn optional_text(name: &str, description: &str) -> Self {
        let schema = serde_json::json!({ "type": "string", "description": description });
        Self { name: name.into(), of: Type::String, default: None, optional: true, schema }
    }
}
