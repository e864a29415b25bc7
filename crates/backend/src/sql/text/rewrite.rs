//! From the operator's text to the engine's: `:name` stays in SQLite and becomes `$n` in PostgreSQL; lists and tables of values
//! become one placeholder; a cap on rows is added outside.

use std::fmt::Write as _;

use super::{Dialect, Sort, Text, Verb, guard};
use crate::declare::{Parameter, Type};

/// A parameter that a text may name.
#[derive(Clone, Copy, Debug)]
pub(in crate::sql) struct Known<'a> {
    /// Its name.
    pub(in crate::sql) name: &'a str,
    /// Its type.
    pub(in crate::sql) of: &'a Type,
}

/// In which form a parameter is bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sql) enum Form {
    /// As it is; lists and objects as JSON.
    Value,
    /// Only to ask whether it is null; always a text.
    Presence,
    /// A list to search in.
    List,
    /// A list of objects, read as a table.
    Rows,
}

/// What a placeholder is fed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sql) enum Feed {
    /// The parameter of this index.
    Parameter(usize, Form),
    /// How many rows to read.
    Limit,
    /// How many rows to skip.
    Offset,
}

/// How many rows of a reading statement are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sql) enum Window {
    /// As many as there are.
    Open,
    /// At most this many.
    First(usize),
    /// As many as the call says, after as many as the call says.
    Paged,
}

/// A statement for an engine: its text and what feeds its placeholders, in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::sql) struct Rewritten {
    pub(in crate::sql) text: String,
    pub(in crate::sql) feeds: Vec<Feed>,
}

/// The names of all parameters in the text, each once, in order.
pub(in crate::sql) fn names<'a>(text: &Text<'a>) -> Vec<&'a str> {
    let mut names = Vec::new();
    for index in 0..text.tokens.len() {
        if text.sort(index) == Some(Sort::Parameter) && !names.contains(&&text.at(index)[1..]) {
            names.push(&text.at(index)[1..]);
        }
    }
    names
}

/// Rewrites the first `end` tokens. Parameters that are not among `known` were reported before; they are left as they are.
pub(in crate::sql) fn rewrite(text: &Text<'_>, end: usize, dialect: Dialect, known: &[Known<'_>], window: Window) -> Rewritten {
    let mut writer = Writer { text, dialect, known, out: String::with_capacity(text.sql.len() + 32), feeds: Vec::new() };
    let mut index = 0;
    let mut copied = text.tokens[0].span.start;
    while index < end {
        if let Some(used) = writer.replacement(index, &mut copied) {
            index += used;
        } else {
            index += 1;
        }
    }
    let last = text.tokens[end - 1].span.end;
    writer.out.push_str(&text.sql[copied..last]);
    writer.close(window);
    Rewritten { text: writer.out, feeds: writer.feeds }
}

struct Writer<'a> {
    text: &'a Text<'a>,
    dialect: Dialect,
    known: &'a [Known<'a>],
    out: String,
    feeds: Vec<Feed>,
}

impl Writer<'_> {
    /// Replaces what begins at token `index`, if anything does; gives how many tokens it took.
    fn replacement(&mut self, index: usize, copied: &mut usize) -> Option<usize> {
        let (used, replaced) = self.list(index).or_else(|| self.rows(index)).or_else(|| self.value(index))?;
        let tokens = &self.text.tokens[index..index + used];
        self.out.push_str(&self.text.sql[*copied..tokens[0].span.start]);
        self.out.push_str(&replaced);
        *copied = tokens[used - 1].span.end;
        Some(used)
    }

    fn parameter(&self, index: usize) -> Option<usize> {
        let is_parameter = self.text.sort(index) == Some(Sort::Parameter);
        let name = is_parameter.then(|| &self.text.at(index)[1..])?;
        self.known.iter().position(|known| known.name == name)
    }

    /// `[NOT] IN (:list)`.
    fn list(&mut self, index: usize) -> Option<(usize, String)> {
        let not = usize::from(self.text.is(index, "NOT"));
        let shape = self.text.is(index + not, "IN")
            && self.text.sort(index + not + 1) == Some(Sort::Open)
            && self.text.sort(index + not + 3) == Some(Sort::Close);
        let parameter = self.parameter(index + not + 2).filter(|_| shape)?;
        matches!(self.known[parameter].of, Type::Array(_)).then_some(())?;
        let place = self.place(Feed::Parameter(parameter, Form::List));
        let replaced = match (self.dialect, not) {
            (Dialect::Sqlite, 0) => format!("IN (SELECT value FROM json_each({place}))"),
            (Dialect::Sqlite, _) => format!("NOT IN (SELECT value FROM json_each({place}))"),
            (Dialect::Postgres, 0) => format!("= ANY({place})"),
            (Dialect::Postgres, _) => format!("<> ALL({place})"),
        };
        Some((not + 4, replaced))
    }

    /// `FROM :items AS i`, `JOIN :items AS i`, `, :items AS i`.
    fn rows(&mut self, index: usize) -> Option<(usize, String)> {
        let parameter = self.parameter(index)?;
        let Type::Array(inner) = self.known[parameter].of else { return None };
        let Type::Object(members) = inner.as_ref() else { return None };
        let before = index.checked_sub(1)?;
        let is_source = self.text.is_any(before, &["FROM", "JOIN"]) || self.text.sort(before) == Some(Sort::Comma);
        let alias = index + 1 + usize::from(self.text.is(index + 1, "AS"));
        let is_named = matches!(self.text.sort(alias), Some(Sort::Word | Sort::Quoted));
        (is_source && is_named).then_some(())?;
        let place = self.place(Feed::Parameter(parameter, Form::Rows));
        let alias_text = self.text.at(alias);
        let replaced = match self.dialect {
            Dialect::Sqlite => format!("(SELECT {} FROM json_each({place})) AS {alias_text}", extracts(members)),
            Dialect::Postgres => format!("jsonb_to_recordset({place}::jsonb) AS {alias_text}({})", record(members)),
        };
        Some((alias + 1 - index, replaced))
    }

    fn value(&mut self, index: usize) -> Option<(usize, String)> {
        let parameter = self.parameter(index)?;
        let form = if self.asks_for_null(index + 1) { Form::Presence } else { Form::Value };
        Some((1, self.place(Feed::Parameter(parameter, form))))
    }

    /// `IS [NOT] NULL` begins here; `IS DISTINCT FROM` and its like ask for more than whether there is a value.
    fn asks_for_null(&self, index: usize) -> bool {
        let not = usize::from(self.text.is(index + 1, "NOT"));
        self.text.is_any(index, &["ISNULL", "NOTNULL"]) || (self.text.is(index, "IS") && self.text.is(index + 1 + not, "NULL"))
    }

    /// The placeholder for this feed; the same feed has one placeholder. In SQLite a parameter has one, whatever its forms: all are
    /// bound alike.
    fn place(&mut self, feed: Feed) -> String {
        let feed = match (self.dialect, feed) {
            (Dialect::Sqlite, Feed::Parameter(parameter, _)) => Feed::Parameter(parameter, Form::Value),
            (_, feed) => feed,
        };
        let position = self.feeds.iter().position(|known| *known == feed).unwrap_or_else(|| {
            self.feeds.push(feed);
            self.feeds.len() - 1
        });
        match self.dialect {
            Dialect::Sqlite => format!("?{}", position + 1),
            Dialect::Postgres => format!("${}", position + 1),
        }
    }

    /// Adds the window. A statement with a window of its own gets ours around it, so that its own keeps its meaning.
    fn close(&mut self, window: Window) {
        let is_select = guard::verb(self.text) == Ok(Verb::Select);
        if window == Window::Open || guard::writes(self.text) {
            return;
        }
        let has_own = self.text.has_outside(&["LIMIT", "OFFSET", "FETCH", "FOR"]);
        if has_own && window == Window::First(1) {
            // The first row is the first row; no more are read.
            return;
        }
        if !is_select || has_own {
            self.out.insert_str(0, "SELECT * FROM (");
            self.out.push_str(") AS callgate_rows");
        }
        if let Window::First(rows) = window {
            // Writing to a String cannot fail.
            let _ = write!(self.out, " LIMIT {rows}");
        } else {
            let limit = self.place(Feed::Limit);
            let offset = self.place(Feed::Offset);
            let _ = write!(self.out, " LIMIT {limit} OFFSET {offset}");
        }
    }
}

fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn extracts(members: &[Parameter]) -> String {
    let extract = |member: &Parameter| {
        let path = member.name.replace('\'', "''");
        format!("json_extract(value, '$.\"{path}\"') AS {}", quote(&member.name))
    };
    members.iter().map(extract).collect::<Vec<_>>().join(", ")
}

fn record(members: &[Parameter]) -> String {
    let column = |member: &Parameter| {
        let kind = match member.of {
            Type::String => "text",
            Type::Integer => "bigint",
            Type::Number => "numeric",
            Type::Boolean => "boolean",
            Type::Array(_) | Type::Object(_) => "jsonb",
        };
        format!("{} {kind}", quote(&member.name))
    };
    members.iter().map(column).collect::<Vec<_>>().join(", ")
}
