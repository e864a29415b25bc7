//! Values into SQLite's statements and rows out of them.

use jiff::Timestamp;
use rusqlite::{
    Connection, Row, Statement as Prepared,
    types::{Null, ValueRef},
};
use serde_json::Value;

use crate::sql::{
    column::{Column, Shape},
    program::{Fed, Page, Statement, Values},
    rows::{self, Cut, Misfit, Rows},
};

/// Why a statement stopped.
#[derive(Debug, thiserror::Error)]
pub(super) enum Stop {
    /// The engine says so.
    #[error(transparent)]
    Engine(#[from] rusqlite::Error),
    /// A value is not what its column promises.
    #[error(transparent)]
    Misfit(#[from] Misfit),
    /// The rows do not have the columns they had when the gate opened.
    #[error("the columns of a table changed while the gate was running")]
    Changed,
    /// The call is refused.
    #[error(transparent)]
    Fault(#[from] callgate_model::Fault),
}

impl Stop {
    /// The same, in this row.
    fn in_row(self, row: u64) -> Self {
        match self {
            Self::Misfit(misfit) => Self::Misfit(misfit.in_row(row)),
            other => other,
        }
    }
}

/// How much of a result is read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reach {
    pub(super) page: Page,
    pub(super) rows: usize,
    pub(super) bytes: usize,
}

/// Runs one statement and writes its rows.
pub(super) fn run(connection: &Connection, statement: &Statement, values: &Values<'_>, reach: Reach) -> Result<Rows, Stop> {
    let mut prepared = connection.prepare_cached(&statement.text)?;
    for (place, feed) in statement.feeds.iter().enumerate() {
        bind(&mut prepared, place + 1, Statement::fed(*feed, values, reach.page, reach.rows))?;
    }
    let mut rows = Rows::within(reach.bytes);
    if statement.columns.is_empty() {
        rows.changed = prepared.raw_execute()? as u64;
        return Ok(rows);
    }
    if prepared.column_count() != statement.columns.len() {
        return Err(Stop::Changed);
    }
    let mut found = prepared.raw_query();
    while let Some(row) = found.next()? {
        if rows.count >= reach.rows {
            rows.cut = Some(Cut::Count);
            break;
        }
        let number = reach.page.offset + rows.count as u64 + 1;
        let mut odd = None;
        let written = rows.push(|out, room| object(row, &statement.columns, &mut odd, out, room));
        if !written.map_err(|stop| stop.in_row(number))? {
            break;
        }
        rows.odd = rows.odd.or_else(|| odd.map(|misfit: Misfit| misfit.in_row(number)));
    }
    drop(found);
    if statement.writes {
        rows.changed = connection.changes();
    }
    Ok(rows)
}

fn bind(prepared: &mut Prepared<'_>, place: usize, fed: Fed<'_>) -> rusqlite::Result<()> {
    match fed {
        Fed::Count(count) => prepared.raw_bind_parameter(place, i64::try_from(count).unwrap_or(i64::MAX)),
        Fed::Value(Value::Null, _) => prepared.raw_bind_parameter(place, Null),
        Fed::Value(Value::Bool(value), _) => prepared.raw_bind_parameter(place, *value),
        Fed::Value(Value::Number(number), _) => match number.as_i64() {
            Some(whole) => prepared.raw_bind_parameter(place, whole),
            None => prepared.raw_bind_parameter(place, number.as_f64()),
        },
        Fed::Value(Value::String(text), _) => prepared.raw_bind_parameter(place, text.as_str()),
        Fed::Value(value @ (Value::Array(_) | Value::Object(_)), _) => prepared.raw_bind_parameter(place, value.to_string()),
    }
}

/// Writes a row as an object. A value that does not fit its column is null where null is promised, and the first such one is `odd`.
fn object(row: &Row<'_>, columns: &[Column], odd: &mut Option<Misfit>, out: &mut Vec<u8>, room: usize) -> Result<(), Stop> {
    out.push(b'{');
    for (index, column) in columns.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend_from_slice(column.key.as_bytes());
        let value = row.get_ref(index)?;
        if let ValueRef::Text(bytes) | ValueRef::Blob(bytes) = value
            && out.len() + bytes.len() > room
        {
            // Too large already: the caller of this drops the row, so what stands here does not matter.
            out.resize(room + 1, b' ');
            return Ok(());
        }
        if let Err(misfit) = cell(value, column, out) {
            if !column.nullable {
                return Err(misfit.into());
            }
            out.extend_from_slice(b"null");
            odd.get_or_insert(misfit);
        }
    }
    out.push(b'}');
    Ok(())
}

/// Writes one value in the shape its column promises. SQLite's columns take any value; what can be told in that shape without loss
/// is told so.
fn cell(value: ValueRef<'_>, column: &Column, out: &mut Vec<u8>) -> Result<(), Misfit> {
    let found = match value {
        ValueRef::Null => {
            out.extend_from_slice(b"null");
            return Ok(());
        }
        ValueRef::Text(bytes) => {
            return text(std::str::from_utf8(bytes).map_err(|_| Misfit::new(column, "text that is not UTF-8"))?, column, out);
        }
        ValueRef::Integer(whole) => integer(whole, column, out),
        ValueRef::Real(float) => real(float, column, out),
        ValueRef::Blob(bytes) => match column.shape {
            Shape::Bytes | Shape::Scalar | Shape::Json => {
                rows::bytes(bytes, out);
                None
            }
            _ => Some("bytes"),
        },
    };
    found.map_or(Ok(()), |found| Err(Misfit::new(column, found)))
}

/// `None` if it could be told.
fn integer(whole: i64, column: &Column, out: &mut Vec<u8>) -> Option<&'static str> {
    match column.shape {
        Shape::Boolean if whole == 0 || whole == 1 => rows::boolean(whole == 1, out),
        Shape::Boolean => return Some("a number"),
        Shape::Integer | Shape::Number | Shape::Json | Shape::Scalar => rows::integer(whole, out),
        Shape::Decimal(Some(places)) if places > 0 => rows::text(&format!("{whole}.{:0places$}", 0, places = usize::from(places)), out),
        Shape::Decimal(_) | Shape::Text | Shape::Date => rows::text(&whole.to_string(), out),
        // Seconds, if they make a year that has four digits. What else it counts is not known, and it is told as it stands.
        Shape::Moment | Shape::Local => {
            let moment = Timestamp::from_second(whole).map_or_else(|_| whole.to_string(), |moment| moment.to_string());
            rows::text(&moment, out);
        }
        Shape::Bytes => rows::bytes(whole.to_string().as_bytes(), out),
    }
    None
}

fn real(float: f64, column: &Column, out: &mut Vec<u8>) -> Option<&'static str> {
    match column.shape {
        Shape::Number | Shape::Json | Shape::Scalar => rows::number(float, out),
        Shape::Decimal(_) => rows::decimal(float, column.shape, out),
        Shape::Text | Shape::Moment | Shape::Local | Shape::Date => rows::text(&float.to_string(), out),
        #[expect(clippy::cast_possible_truncation, reason = "checked: a whole number that fits")]
        Shape::Integer if float.fract() == 0.0 && float.abs() < 9e15 => rows::integer(float as i64, out),
        _ => return Some("a number with a fraction"),
    }
    None
}

fn text(text: &str, column: &Column, out: &mut Vec<u8>) -> Result<(), Misfit> {
    match column.shape {
        Shape::Text | Shape::Date | Shape::Decimal(_) | Shape::Scalar => rows::text(text, out),
        Shape::Moment => rows::text(&moment(text, "Z"), out),
        Shape::Local => rows::text(&moment(text, ""), out),
        Shape::Json => rows::json(text, out),
        Shape::Bytes => rows::bytes(text.as_bytes(), out),
        Shape::Boolean => match text.to_ascii_lowercase().as_str() {
            "true" | "t" | "yes" | "1" => rows::boolean(true, out),
            "false" | "f" | "no" | "0" => rows::boolean(false, out),
            _ => return Err(Misfit::new(column, "a text")),
        },
        Shape::Integer => rows::integer(text.trim().parse().map_err(|_| Misfit::new(column, "a text"))?, out),
        Shape::Number => rows::number(text.trim().parse().map_err(|_| Misfit::new(column, "a text"))?, out),
    }
    Ok(())
}

/// `2026-07-28 12:00:00`, as SQLite's own functions write it, becomes `2026-07-28T12:00:00` with `zone` behind it.
fn moment(text: &str, zone: &str) -> String {
    match (text.get(..10), text.get(10..11), text.get(11..)) {
        (Some(day), Some(" "), Some(time)) if time.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b':' | b'.')) => {
            format!("{day}T{time}{zone}")
        }
        _ => text.to_owned(),
    }
}
