//! What a statement's columns are, as far as the text alone tells: names, casts, counts, plain columns.

use super::{Sort, Text, scan::bare};

/// One item of the list after `SELECT` or `RETURNING`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::sql) struct Item {
    /// The name of the column it gives, where the text shows it.
    pub(in crate::sql) name: String,
    /// What it is.
    pub(in crate::sql) body: Body,
}

/// What an item is, as far as the text tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::sql) enum Body {
    /// `column` or `t.column`.
    Column(String),
    /// `CAST(… AS type)`: the type's text.
    Cast(String),
    /// `count(…)`: a whole number, never null.
    Count,
    /// Anything else.
    Other,
}

/// The items of the outermost list. Empty where arms of a `UNION` could differ, or where a `*` hides names.
pub(in crate::sql) fn items(text: &Text<'_>) -> Vec<Item> {
    if text.has_outside(&["UNION", "INTERSECT", "EXCEPT"]) {
        return Vec::new();
    }
    let outside = |index: &usize| text.tokens[*index].depth == 0;
    let starts = |word: &str| (0..text.tokens.len()).filter(outside).find(|&index| text.is(index, word));
    let Some(start) = starts("RETURNING").or_else(|| starts("SELECT")) else { return Vec::new() };
    let mut from = start + 1;
    while text.is_any(from, &["DISTINCT", "ALL"]) {
        from += 1;
    }
    let to = (from..text.tokens.len()).filter(outside).find(|&index| {
        text.is_any(index, &["FROM", "WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "OFFSET", "FETCH", "FOR", "WINDOW"])
            || text.sort(index) == Some(Sort::End)
    });
    split(text, from, to.unwrap_or(text.tokens.len()))
}

fn split(text: &Text<'_>, from: usize, to: usize) -> Vec<Item> {
    let mut found = Vec::new();
    let mut start = from;
    for index in from..=to {
        if index == to || (text.tokens[index].depth == 0 && text.sort(index) == Some(Sort::Comma)) {
            found.extend(item(text, start, index));
            start = index + 1;
        }
    }
    found
}

fn item(text: &Text<'_>, from: usize, to: usize) -> Option<Item> {
    let last = to.checked_sub(1).filter(|&last| last >= from)?;
    let is_name = |index: usize| matches!(text.sort(index), Some(Sort::Word | Sort::Quoted));
    let renamed = last > from && text.is(last - 1, "AS") && is_name(last);
    let end = if renamed { last - 1 } else { to };
    let body = body(text, from, end);
    let name = match &body {
        _ if renamed => bare(text.at(last)),
        Body::Column(name) => name.clone(),
        _ => String::new(),
    };
    Some(Item { name, body })
}

fn body(text: &Text<'_>, from: usize, to: usize) -> Body {
    let is_name = |index: usize| matches!(text.sort(index), Some(Sort::Word | Sort::Quoted));
    let is_dotted = to - from == 3 && is_name(from) && text.sort(from + 1) == Some(Sort::Dot);
    if is_name(to - 1) && (to - from == 1 || is_dotted) && !text.is_any(to - 1, &["NULL", "TRUE", "FALSE"]) {
        return Body::Column(bare(text.at(to - 1)));
    }
    let is_call = text.sort(from + 1) == Some(Sort::Open) && text.sort(to - 1) == Some(Sort::Close);
    let closes_last = is_call && (from + 2..to - 1).all(|index| text.tokens[index].depth > text.tokens[from].depth);
    if !closes_last {
        return Body::Other;
    }
    if text.is(from, "count") {
        return Body::Count;
    }
    if text.is(from, "CAST") {
        let inner = text.tokens[from].depth + 1;
        let word = (from + 2..to - 1).rev().find(|&index| text.tokens[index].depth == inner && text.is(index, "AS"));
        if let Some(word) = word.filter(|&word| word + 2 < to) {
            let kind = text.tokens[word + 1].span.start..text.tokens[to - 2].span.end;
            return Body::Cast(text.sql[kind].to_owned());
        }
    }
    Body::Other
}

/// The names of the tables that the statement reads or changes, without their schema, as far as it names them outside parentheses.
pub(in crate::sql) fn sources(text: &Text<'_>) -> Vec<String> {
    const LEAD: &[&str] = &["FROM", "JOIN", "INTO", "UPDATE", "USING"];
    const CLOSE: &[&str] = &["WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "SET", "RETURNING", "VALUES", "WINDOW", "SELECT"];
    let mut found = Vec::new();
    let mut listing = false;
    for index in (0..text.tokens.len()).filter(|&index| text.tokens[index].depth == 0) {
        let next = if text.is_any(index, LEAD) {
            listing = true;
            true
        } else {
            listing &= !text.is_any(index, CLOSE);
            listing && text.sort(index) == Some(Sort::Comma)
        };
        if next {
            found.extend(source(text, index + 1));
        }
    }
    found
}

fn source(text: &Text<'_>, index: usize) -> Option<String> {
    let is_name = |index: usize| matches!(text.sort(index), Some(Sort::Word | Sort::Quoted));
    let mut last = index;
    while text.sort(last + 1) == Some(Sort::Dot) && is_name(last + 2) {
        last += 2;
    }
    text.sort(index).map(|_| bare(text.at(last)))
}

/// Whether a column that is never null in its table could be null in a row of this statement: outer joins, subqueries, several
/// arms, rolled-up groups, aggregates without groups.
pub(in crate::sql) fn may_lose_rows(text: &Text<'_>) -> bool {
    const DOUBTFUL: &[&str] = &["LEFT", "RIGHT", "FULL", "OUTER", "UNION", "INTERSECT", "EXCEPT", "ROLLUP", "CUBE", "GROUPING", "WITH"];
    const AGGREGATES: &[&str] =
        &["count", "sum", "min", "max", "avg", "total", "group_concat", "string_agg", "json_group_array", "json_group_object"];
    let count = text.tokens.len();
    let selects = (0..count).filter(|&index| text.is(index, "SELECT")).count();
    let doubtful = (0..count).any(|index| text.is_any(index, DOUBTFUL));
    let grouped = (0..count).any(|index| text.is(index, "GROUP"));
    let aggregates = (0..count).any(|index| text.is_any(index, AGGREGATES) && text.sort(index + 1) == Some(Sort::Open));
    selects > 1 || doubtful || (aggregates && !grouped)
}
