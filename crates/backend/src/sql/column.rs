//! The columns of a statement: their names, what their values look like in JSON, and the JSON Schema that follows.

use serde_json::{Value, json};

/// What the values of a column are in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// `true` or `false`.
    Boolean,
    /// A whole number.
    Integer,
    /// A number. Always nullable: JSON has no infinity.
    Number,
    /// A decimal number as text, with this many places if they are fixed.
    Decimal(Option<u8>),
    /// A text.
    Text,
    /// A moment as ISO 8601 text: of the world.
    Moment,
    /// A moment as ISO 8601 text: by a clock on a wall.
    Local,
    /// A day as ISO 8601 text.
    Date,
    /// Bytes as base64 text.
    Bytes,
    /// Any JSON.
    Json,
    /// A text, number or nothing: the engine does not say which.
    Scalar,
}

impl Shape {
    /// The shape for a declared type, as both engines spell them. This is SQLite's own rule (the name decides), refined.
    pub(super) fn declared(kind: &str) -> Self {
        let kind = kind.to_ascii_uppercase();
        let has = |words: &[&str]| words.iter().any(|word| kind.contains(word));
        match () {
            () if kind.is_empty() => Self::Scalar,
            () if has(&["BOOL"]) => Self::Boolean,
            () if has(&["JSON"]) => Self::Json,
            () if has(&["DECIMAL", "NUMERIC", "MONEY"]) => Self::Decimal(places(&kind)),
            () if has(&["INTERVAL"]) => Self::Text,
            () if has(&["TIMESTAMPTZ", "TIMESTAMP WITH TIME ZONE"]) => Self::Moment,
            () if has(&["TIMESTAMP", "DATETIME"]) => Self::Local,
            () if kind == "DATE" => Self::Date,
            () if has(&["INT", "SERIAL"]) => Self::Integer,
            () if has(&["REAL", "FLOA", "DOUB"]) => Self::Number,
            () if has(&["BLOB", "BYTEA"]) => Self::Bytes,
            () if has(&["CHAR", "CLOB", "TEXT", "UUID", "TIME"]) => Self::Text,
            () => Self::Scalar,
        }
    }

    fn schema(self) -> Value {
        match self {
            Self::Boolean => json!({ "type": "boolean" }),
            Self::Integer => json!({ "type": "integer" }),
            Self::Number => json!({ "type": "number" }),
            Self::Decimal(_) => json!({ "type": "string", "description": "a decimal number" }),
            Self::Text | Self::Local => json!({ "type": "string" }),
            Self::Moment => json!({ "type": "string", "format": "date-time" }),
            Self::Date => json!({ "type": "string", "format": "date" }),
            Self::Bytes => json!({ "type": "string", "contentEncoding": "base64" }),
            Self::Json => json!({}),
            Self::Scalar => json!({ "type": ["string", "number", "null"] }),
        }
    }
}

/// The second number of `DECIMAL(10,2)`.
fn places(kind: &str) -> Option<u8> {
    let (_, inside) = kind.split_once('(')?;
    let (_, places) = inside.split_once(')')?.0.split_once(',')?;
    places.trim().parse().ok()
}

/// A column of a statement's rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Column {
    /// Its name.
    pub(super) name: String,
    /// `"name":`, ready to be written.
    pub(super) key: String,
    /// What its values are.
    pub(super) shape: Shape,
    /// A value may be missing.
    pub(super) nullable: bool,
}

impl Column {
    /// A column that may be null.
    pub(super) fn new(name: &str, shape: Shape) -> Self {
        let key = format!("{}:", Value::String(name.to_owned()));
        Self { name: name.to_owned(), key, shape, nullable: true }
    }

    /// The same column, never null; numbers stay nullable for what JSON cannot say.
    pub(super) fn never_null(mut self) -> Self {
        self.nullable = self.shape == Shape::Number;
        self
    }

    fn schema(&self) -> Value {
        let mut schema = self.shape.schema();
        if let (true, Some(Value::String(kind))) = (self.nullable, schema.get("type")) {
            schema["type"] = json!([kind, "null"]);
        }
        schema
    }
}

/// The JSON Schema of one row: an object with these members and no others.
pub(super) fn row_schema(columns: &[Column]) -> Value {
    let properties: serde_json::Map<_, _> = columns.iter().map(|column| (column.name.clone(), column.schema())).collect();
    let required: Vec<_> = columns.iter().map(|column| column.name.as_str()).collect();
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

/// The first name that stands twice. SQLite numbers repeated names of a wrapped statement `name:1`.
pub(super) fn repeated(columns: &[Column]) -> Option<&str> {
    let original = |name: &'_ str| name.rsplit_once(':').filter(|(_, n)| n.parse::<u8>().is_ok()).map(|(name, _)| name.to_owned());
    columns.iter().enumerate().find_map(|(index, column)| {
        let earlier = &columns[..index];
        let is_again = |name: &str| earlier.iter().any(|earlier| earlier.name == name);
        let again = is_again(&column.name) || original(&column.name).is_some_and(|name| is_again(&name));
        again.then_some(column.name.as_str())
    })
}
