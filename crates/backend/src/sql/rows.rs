//! Rows on their way out: written as JSON text at once, under a cap on their number and their size.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use callgate_model::Fault;

use super::column::{Column, Shape};

/// The rows of one statement as JSON objects, one after the other.
#[derive(Clone, Debug, Default)]
pub(super) struct Rows {
    /// The objects, with commas between them.
    pub(super) json: Vec<u8>,
    /// How many there are.
    pub(super) count: usize,
    /// Why there are no more, if there would have been.
    pub(super) cut: Option<Cut>,
    /// How many rows the statement changed.
    pub(super) changed: u64,
    /// The first value that could not be told and is null instead.
    pub(super) odd: Option<Misfit>,
    /// Where the first row ends.
    first: usize,
    /// What is left of the allowed size.
    room: usize,
}

/// Room for a row or two, so that the usual reply is not moved while it grows.
const USUAL: usize = 512;

/// Which bound ended a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// The number of rows.
    Count,
    /// Their size.
    Size,
}

/// A value that cannot be told in the shape its column promises.
#[derive(Clone, Debug, thiserror::Error)]
#[error("`{column}` of row {row} holds {found}, which is not what its type promises")]
pub(super) struct Misfit {
    column: String,
    found: &'static str,
    row: u64,
}

impl Misfit {
    /// The column holds `found`, in the first row unless somebody says otherwise.
    pub(super) fn new(column: &Column, found: &'static str) -> Self {
        Self { column: column.name.clone(), found, row: 1 }
    }

    /// The same in this row, counted from 1.
    pub(super) fn in_row(self, row: u64) -> Self {
        Self { row, ..self }
    }

    /// The sentence for the caller where the value may be left out.
    pub(super) fn notice(&self) -> String {
        format!("{self}, and is null here, as are others like it")
    }

    /// The refusal where it may not be.
    pub(super) fn fault(self) -> Fault {
        Fault::refused(format!("{self}; ask for other rows, or have the value mended")).because(self)
    }
}

impl Rows {
    /// No rows yet, and room for `bytes`.
    pub(super) fn within(bytes: usize) -> Self {
        Self { json: Vec::with_capacity(USUAL.min(bytes)), room: bytes, ..Self::default() }
    }

    /// The first row's JSON.
    pub(super) fn first(&self) -> Option<&[u8]> {
        (self.count > 0).then(|| &self.json[..self.first])
    }

    /// What is left of the allowed size.
    pub(super) fn room(&self) -> usize {
        self.room.saturating_sub(self.json.len())
    }

    /// Writes one row with `write`, unless it is too large; then nothing of it stays, and the list ends here.
    pub(super) fn push<E>(&mut self, write: impl FnOnce(&mut Vec<u8>, usize) -> Result<(), E>) -> Result<bool, E> {
        let before = self.json.len();
        if self.count > 0 {
            self.json.push(b',');
        }
        write(&mut self.json, self.room)?;
        if self.json.len() > self.room {
            self.json.truncate(before);
            self.cut = Some(Cut::Size);
            return Ok(false);
        }
        if self.count == 0 {
            self.first = self.json.len();
        }
        self.count += 1;
        Ok(true)
    }
}

/// Writes a text.
pub(super) fn text(text: &str, out: &mut Vec<u8>) {
    // Writing a text into memory cannot fail.
    let _ = serde_json::to_writer(out, text);
}

/// Writes bytes as base64.
pub(super) fn bytes(bytes: &[u8], out: &mut Vec<u8>) {
    text(&BASE64_STANDARD.encode(bytes), out);
}

/// Writes a whole number.
pub(super) fn integer(number: i64, out: &mut Vec<u8>) {
    let _ = serde_json::to_writer(out, &number);
}

/// Writes a number; what JSON cannot say is null.
pub(super) fn number(number: f64, out: &mut Vec<u8>) {
    let _ = serde_json::to_writer(out, &number);
}

/// Writes JSON as it is. What is no JSON is told as a text.
pub(super) fn json(found: &str, out: &mut Vec<u8>) {
    if serde_json::from_str::<serde::de::IgnoredAny>(found).is_ok() {
        out.extend_from_slice(found.as_bytes());
    } else {
        text(found, out);
    }
}

/// Writes a boolean.
pub(super) fn boolean(value: bool, out: &mut Vec<u8>) {
    out.extend_from_slice(if value { b"true" } else { b"false" });
}

/// Writes a decimal number, given as text, with the places its column promises.
pub(super) fn decimal(number: f64, shape: Shape, out: &mut Vec<u8>) {
    let shown = match shape {
        Shape::Decimal(Some(places)) => format!("{number:.*}", usize::from(places)),
        _ => number.to_string(),
    };
    text(&shown, out);
}

/// Writes a number of single precision with its own digits, not those of its neighbour in double precision.
pub(super) fn single(number: f32, out: &mut Vec<u8>) {
    let _ = serde_json::to_writer(out, &number);
}
