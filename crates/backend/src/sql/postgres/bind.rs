//! Values into PostgreSQL's statements: as text, which the server reads by the type it has found for each placeholder.

use std::error::Error;

use bytes::BytesMut;
use postgres_types::{Format, IsNull, Kind, ToSql, Type, to_sql_checked};
use serde_json::Value;

use crate::{
    declare,
    sql::{
        program::{Fed, Parameter},
        text::{Feed, Form},
    },
};

/// One value on its way.
#[derive(Debug)]
pub(super) struct Bound<'a>(pub(super) Fed<'a>);

impl ToSql for Bound<'_> {
    fn to_sql(&self, of: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        let text = match self.0 {
            Fed::Count(count) => count.to_string(),
            // A list that is not given holds nothing: `IN` finds nothing in it, `NOT IN` everything, as on SQLite.
            Fed::Value(Value::Null, Form::List) => "{}".into(),
            Fed::Value(Value::Null, _) => return Ok(IsNull::Yes),
            Fed::Value(_, Form::Presence) => "given".into(),
            Fed::Value(Value::String(text), _) => {
                out.extend_from_slice(text.as_bytes());
                return Ok(IsNull::No);
            }
            Fed::Value(Value::Array(items), Form::List | Form::Value) if is_list(of) => list(items),
            Fed::Value(value, _) => value.to_string(),
        };
        out.extend_from_slice(text.as_bytes());
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, _: &Type) -> Format {
        Format::Text
    }

    to_sql_checked!();
}

fn is_list(of: &Type) -> bool {
    match of.kind() {
        Kind::Array(_) => true,
        Kind::Domain(inner) => is_list(inner),
        _ => false,
    }
}

/// PostgreSQL's text for an array.
fn list(items: &[Value]) -> String {
    let item = |item: &Value| match item {
        Value::Null => "NULL".to_owned(),
        Value::Bool(_) | Value::Number(_) => item.to_string(),
        Value::Array(inner) => list(inner),
        Value::String(text) => quoted(text),
        Value::Object(_) => quoted(&item.to_string()),
    };
    format!("{{{}}}", items.iter().map(item).collect::<Vec<_>>().join(","))
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// The types that the server is told; what it is not told it finds out by itself.
pub(super) fn types(feeds: &[Feed]) -> Vec<Type> {
    let told = |feed: &Feed| match feed {
        Feed::Parameter(_, Form::Presence) => Type::TEXT,
        Feed::Parameter(..) => Type::UNKNOWN,
        Feed::Limit | Feed::Offset => Type::INT8,
    };
    feeds.iter().map(told).collect()
}

/// The type to tell where the server cannot find out.
pub(super) fn told(feed: Feed, parameters: &[Parameter]) -> Type {
    let Feed::Parameter(index, _) = feed else { return Type::INT8 };
    match &parameters[index].of {
        declare::Type::String => Type::TEXT,
        declare::Type::Integer => Type::INT8,
        declare::Type::Number => Type::NUMERIC,
        declare::Type::Boolean => Type::BOOL,
        declare::Type::Object(_) => Type::JSONB,
        declare::Type::Array(inner) => match inner.as_ref() {
            declare::Type::String => Type::TEXT_ARRAY,
            declare::Type::Integer => Type::INT8_ARRAY,
            declare::Type::Number => Type::NUMERIC_ARRAY,
            declare::Type::Boolean => Type::BOOL_ARRAY,
            declare::Type::Object(_) | declare::Type::Array(_) => Type::JSONB,
        },
    }
}
