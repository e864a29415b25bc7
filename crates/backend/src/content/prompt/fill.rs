//! `{name}` in a value, filled in with an argument of the prompt.

use callgate_model::{Fault, Members};
use serde_json::{Number, Value};

use crate::declare::Type;

/// A value in which texts may hold `{name}`.
#[derive(Debug)]
pub(super) enum Filler {
    /// No text to fill in.
    Literal(Value),
    /// A text that is wholly one argument: it takes the type of the parameter.
    Whole(String, Scalar),
    /// A text around arguments.
    Text(Vec<Piece>),
    List(Vec<Filler>),
    Object(Vec<(String, Filler)>),
}

/// What the text of an argument is turned into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scalar {
    Text,
    Integer,
    Number,
    Boolean,
}

#[derive(Debug, PartialEq)]
pub(super) enum Piece {
    Text(String),
    Argument(String),
}

impl Scalar {
    /// What an argument becomes for a parameter of type `of`; `None` if a text cannot become that.
    pub(super) fn of(of: &Type) -> Option<Self> {
        match of {
            Type::String => Some(Self::Text),
            Type::Integer => Some(Self::Integer),
            Type::Number => Some(Self::Number),
            Type::Boolean => Some(Self::Boolean),
            Type::Array(_) | Type::Object(_) => None,
        }
    }

    pub(super) fn read(self, name: &str, text: &str) -> Result<Value, Fault> {
        let (value, what) = match self {
            Self::Text => return Ok(text.into()),
            Self::Integer => (text.trim().parse::<i64>().ok().map(Value::from), "a whole number"),
            Self::Number => (text.trim().parse().ok().and_then(Number::from_f64).map(Value::Number), "a number"),
            Self::Boolean => (text.trim().parse::<bool>().ok().map(Value::from), "`true` or `false`"),
        };
        value.ok_or_else(|| Fault::request(format!("`{name}` must be {what}")))
    }
}

impl Filler {
    /// Reads a value that was written for a parameter of type `of`.
    pub(super) fn parse(value: &Value, of: Option<&Type>) -> Result<Self, String> {
        match value {
            Value::String(text) => {
                let mut pieces = pieces(text)?;
                match (pieces.pop(), pieces.is_empty()) {
                    (Some(Piece::Argument(name)), true) => match of.map_or(Some(Scalar::Text), Scalar::of) {
                        Some(scalar) => Ok(Self::Whole(name, scalar)),
                        None => Err(format!("`{{{name}}}` is a text, and this parameter is a list or an object")),
                    },
                    (Some(Piece::Text(text)), true) => Ok(Self::Literal(text.into())),
                    (Some(last), _) => {
                        pieces.push(last);
                        Ok(Self::Text(pieces))
                    }
                    (None, _) => Ok(Self::Literal("".into())),
                }
            }
            Value::Array(values) => {
                let of = of.and_then(|of| if let Type::Array(of) = of { Some(of.as_ref()) } else { None });
                values.iter().map(|value| Self::parse(value, of)).collect::<Result<_, _>>().map(Self::List)
            }
            Value::Object(members) => {
                let of = |key: &str| match of {
                    Some(Type::Object(members)) => members.iter().find(|member| member.name == key).map(|member| &member.of),
                    _ => None,
                };
                let member = |(key, value): (&String, &Value)| Ok((key.clone(), Self::parse(value, of(key))?));
                members.iter().map(member).collect::<Result<_, String>>().map(Self::Object)
            }
            other => Ok(Self::Literal(other.clone())),
        }
    }

    /// The arguments it needs.
    pub(super) fn names(&self) -> Vec<&str> {
        match self {
            Self::Literal(_) => Vec::new(),
            Self::Whole(name, _) => vec![name],
            Self::Text(pieces) => {
                pieces.iter().filter_map(|piece| if let Piece::Argument(name) = piece { Some(name.as_str()) } else { None }).collect()
            }
            Self::List(values) => values.iter().flat_map(Self::names).collect(),
            Self::Object(members) => members.iter().flat_map(|(_, value)| value.names()).collect(),
        }
    }

    /// The value, or nothing if it needs an argument that was not given.
    pub(super) fn fill(&self, arguments: &Members) -> Result<Option<Value>, Fault> {
        let given = |name: &str| arguments.get(name).and_then(Value::as_str);
        match self {
            Self::Literal(value) => Ok(Some(value.clone())),
            Self::Whole(name, scalar) => given(name).map(|text| scalar.read(name, text)).transpose(),
            Self::Text(pieces) => Ok(pieces
                .iter()
                .map(|piece| match piece {
                    Piece::Text(text) => Some(text.as_str()),
                    Piece::Argument(name) => given(name),
                })
                .collect::<Option<String>>()
                .map(Value::String)),
            Self::List(values) => {
                let values: Vec<_> = values.iter().map(|value| value.fill(arguments)).collect::<Result<_, _>>()?;
                Ok(Some(values.into_iter().flatten().collect()))
            }
            Self::Object(members) => {
                let mut filled = Members::new();
                for (key, value) in members {
                    filled.extend(value.fill(arguments)?.map(|value| (key.clone(), value)));
                }
                Ok(Some(Value::Object(filled)))
            }
        }
    }
}

/// The pieces of a text; `{{` and `}}` are braces.
pub(super) fn pieces(text: &str) -> Result<Vec<Piece>, String> {
    let (mut pieces, mut plain) = (Vec::new(), String::new());
    let mut chars = text.chars().peekable();
    while let Some(next) = chars.next() {
        match next {
            '{' | '}' if chars.next_if_eq(&next).is_some() => plain.push(next),
            '{' => {
                let name: String = std::iter::from_fn(|| chars.next_if(|c| *c != '}')).collect();
                if chars.next().is_none() || name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-') {
                    return Err(format!("`{{{name}` is not `{{name}}`; write `{{{{` for a brace"));
                }
                if !plain.is_empty() {
                    pieces.push(Piece::Text(std::mem::take(&mut plain)));
                }
                pieces.push(Piece::Argument(name));
            }
            '}' => return Err("`}` without `{`; write `}}` for a brace".into()),
            other => plain.push(other),
        }
    }
    if !plain.is_empty() {
        pieces.push(Piece::Text(plain));
    }
    Ok(pieces)
}
