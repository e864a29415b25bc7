//! Makes the reply of a program's rows: JSON text, with an honest word about what was left out.

use callgate_model::{Fault, Json};

use super::{
    column::Column,
    config::Returns,
    engine::Answer,
    program::{Page, Program},
    rows::{Cut, Misfit, Rows},
};

/// Refuses what no reply can be made of. A write asks before it commits: afterwards it could only be refused as if it had not
/// happened.
pub(super) fn settle(program: &Program, answer: &Answer) -> Result<(), Fault> {
    match program.returns {
        Returns::One => one(program, answer.clone()).map(drop),
        Returns::Count => counted(program, &answer.main).map(drop),
        Returns::Many => more(program, &answer.main, Page::default(), Pages::None).map(drop),
    }
}

/// What a list says about its end.
pub(super) struct More {
    /// What was left out, and how to get it.
    pub(super) notice: String,
    /// Behind how many rows the list goes on.
    pub(super) offset: u64,
}

/// What is left out of a list of rows, if anything is.
pub(super) fn more(program: &Program, rows: &Rows, page: Page, pages: Pages) -> Result<Option<More>, Fault> {
    let Some(cut) = rows.cut else { return Ok(None) };
    if rows.count == 0 {
        let limit = program.bytes;
        return Err(Fault::refused(format!("one row alone is larger than the {limit} bytes a reply may have; ask for less")));
    }
    let (first, last) = (page.offset + 1, page.offset + rows.count as u64);
    let span = if first == 1 { format!("first {last} rows") } else { format!("rows {first} to {last}") };
    let why = if cut == Cut::Size { format!(", as many as fit into {} bytes", program.bytes) } else { String::new() };
    let how = match (pages, program.steps[program.answer].statement.writes) {
        (Pages::Cursor, _) => "; more follow: ask again with `after` from this reply and the same arguments",
        (Pages::None, true) => "; more were changed than are shown",
        (Pages::None, false) => "; there are more than are shown",
    };
    Ok(Some(More { notice: format!("{span}{why}{how}"), offset: last }))
}

/// Whether a list can be gone on with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pages {
    /// With a cursor.
    Cursor,
    /// Not at all.
    None,
}

/// The reply of a list; `after` is its cursor.
pub(super) fn many(rows: &Rows, more: Option<&More>, after: Option<&str>) -> Result<Json, Fault> {
    let mut out = Vec::with_capacity(rows.json.len() + 64);
    out.extend_from_slice(b"{\"rows\":[");
    out.extend_from_slice(&rows.json);
    out.push(b']');
    let odd = rows.odd.as_ref().map(Misfit::notice);
    let notices: Vec<_> = more.map(|more| more.notice.as_str()).into_iter().chain(odd.as_deref()).collect();
    if !notices.is_empty() {
        member("notice", &notices.join("; "), &mut out);
    }
    if let Some(after) = after {
        member("after", after, &mut out);
    }
    out.push(b'}');
    finished(out)
}

/// Nothing is left out, neither of a list nor of a row's nested lists.
pub(super) fn is_whole(answer: &Answer) -> bool {
    std::iter::once(&answer.main).chain(answer.nests.iter().flatten()).all(|rows| rows.cut.is_none() && rows.odd.is_none())
}

/// The reply of one row, with what is nested in it.
pub(super) fn one(program: &Program, answer: Answer) -> Result<Json, Fault> {
    program.settle(&answer.main)?;
    let mut out = answer.main.json;
    if program.nests.is_empty() {
        // Such a reply has no place for a notice.
        return answer.main.odd.map_or_else(|| finished(out), |misfit| Err(misfit.fault()));
    }
    out.pop();
    let mut notices: Vec<_> = answer.main.odd.iter().map(Misfit::notice).collect();
    for (nest, rows) in program.nests.iter().zip(answer.nests) {
        let Some(rows) = rows else { continue };
        if rows.cut == Some(Cut::Size) {
            return Err(program.too_large());
        }
        notices.extend(rows.odd.iter().map(|odd| format!("in `{}`, {}", nest.name, odd.notice())));
        if out.len() > 1 {
            out.push(b',');
        }
        super::rows::text(&nest.name, &mut out);
        out.push(b':');
        match nest.returns {
            Returns::One if rows.count == 0 => out.extend_from_slice(b"null"),
            Returns::One => out.extend_from_slice(&rows.json),
            Returns::Count => out.extend_from_slice(count(&nest.statement.columns, &rows)?.to_string().as_bytes()),
            Returns::Many => {
                out.push(b'[');
                out.extend_from_slice(&rows.json);
                out.push(b']');
                if rows.cut.is_some() {
                    notices.push(format!("`{}` has only the first {} rows", nest.name, rows.count));
                }
            }
        }
    }
    if !notices.is_empty() {
        member("notice", &notices.join("; "), &mut out);
    }
    out.push(b'}');
    if out.len() > program.bytes {
        return Err(program.too_large());
    }
    finished(out)
}

/// The reply of a count.
pub(super) fn counted(program: &Program, rows: &Rows) -> Result<Json, Fault> {
    finished(format!("{{\"count\":{}}}", count(program.columns(), rows)?).into_bytes())
}

/// The one number of the one row, or how many rows were changed. The sum of nothing is nothing.
fn count(columns: &[Column], rows: &Rows) -> Result<i64, Fault> {
    if let Some(misfit) = &rows.odd {
        return Err(misfit.clone().fault());
    }
    let [column] = columns else { return i64::try_from(rows.changed).map_err(Fault::internal) };
    let value = rows.first().and_then(|row| row.get(column.key.len() + 1..row.len().checked_sub(1)?));
    match value {
        None | Some(b"null") => Ok(0),
        Some(digits) => std::str::from_utf8(digits)
            .ok()
            .and_then(|digits| digits.parse().ok())
            .ok_or_else(|| Fault::internal(format!("column `{}` is not a whole number, which `returns: count` needs", column.name))),
    }
}

fn member(name: &str, value: &str, out: &mut Vec<u8>) {
    if out.len() > 1 {
        out.push(b',');
    }
    super::rows::text(name, out);
    out.push(b':');
    super::rows::text(value, out);
}

fn finished(out: Vec<u8>) -> Result<Json, Fault> {
    String::from_utf8(out).map(Json::written).map_err(Fault::internal)
}
