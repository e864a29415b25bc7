//! What a live database says about its tables.

use serde::Serialize;

/// A table or view.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub struct Table {
    /// Its name; with its schema where that is not the usual one.
    pub name: String,
    /// `table` or `view`.
    pub kind: &'static str,
    /// Its columns, in order.
    pub columns: Vec<TableColumn>,
    /// The names of the columns of the primary key, in order.
    pub primary_key: Vec<String>,
    /// What it refers to.
    pub foreign_keys: Vec<ForeignKey>,
    /// Its indexes.
    pub indexes: Vec<Index>,
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TableColumn {
    /// Its name.
    pub name: String,
    /// Its type as the engine spells it.
    #[serde(rename = "type")]
    pub of: String,
    /// It may be null.
    pub nullable: bool,
    /// Its default, as SQL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
}

/// A reference to another table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ForeignKey {
    /// The columns that refer.
    pub columns: Vec<String>,
    /// The table they refer to.
    pub table: String,
    /// The columns they refer to.
    pub references: Vec<String>,
}

/// An index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Index {
    /// Its name.
    pub name: String,
    /// Its columns; an expression is shown as `(…)`.
    pub columns: Vec<String>,
    /// No two rows have the same values.
    pub unique: bool,
}
