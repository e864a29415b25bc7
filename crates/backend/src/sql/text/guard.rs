//! Judges a statement before an engine sees it: one statement, and reads that only read.
//!
//! This is the first of two walls. The second is the engine: reads run on read-only connections or in read-only transactions.

use super::{Sort, Text, TextError};

/// What a statement begins with, after `WITH …`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sql) enum Verb {
    /// `SELECT`.
    Select,
    /// `VALUES`.
    Values,
    /// `INSERT`, `UPDATE`, `DELETE`, `MERGE`, `REPLACE`.
    Change,
}

const CHANGES: &[&str] = &["INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE"];

/// Words that change something wherever they stand as words of their own. Statements such as `COPY` or `CALL` cannot begin a read
/// anyway and are named here because people look for them.
const WRITING: &[&str] = &["INSERT", "UPDATE", "DELETE", "MERGE", "INTO", "TRUNCATE", "COPY", "CALL", "VACUUM", "PRAGMA", "ATTACH"];

/// Functions with an effect beyond the rows they return, or that look outside of the database. The engines stop most of them too.
const REACHING: &[&str] = &[
    "set_config",
    "nextval",
    "setval",
    "pg_notify",
    "pg_terminate_backend",
    "pg_cancel_backend",
    "pg_reload_conf",
    "pg_rotate_logfile",
    "pg_switch_wal",
    "pg_promote",
    "pg_start_backup",
    "pg_stop_backup",
    "pg_export_snapshot",
    "pg_import_system_collations",
    "pg_stat_file",
    // They run a text as a statement.
    "ts_stat",
    "load_extension",
    "readfile",
    "writefile",
    "edit",
];

/// Beginnings of the names of such functions.
const REACHING_FAMILIES: &[&str] = &[
    "dblink",
    "lo_",
    "pg_advisory_",
    "pg_try_advisory_",
    "pg_backup_",
    "pg_copy_",
    "pg_create_",
    "pg_drop_",
    "pg_file_",
    "pg_log_",
    "pg_logical_",
    "pg_ls_",
    "pg_read_",
    "pg_replication_",
    "pg_stat_reset",
    "pg_wal_replay_",
    "query_to_xml",
    "cursor_to_xml",
    "crosstab",
];

/// Refuses a second statement; gives the number of tokens before a closing `;`.
pub(in crate::sql) fn one_statement(text: &Text<'_>) -> Result<usize, TextError> {
    let end = (0..text.tokens.len()).find(|&index| text.sort(index) == Some(Sort::End)).unwrap_or(text.tokens.len());
    if (end..text.tokens.len()).any(|index| text.sort(index) != Some(Sort::End)) {
        return Err(TextError::Second);
    }
    if end == 0 { Err(TextError::Empty) } else { Ok(end) }
}

/// What the statement does, by its first word; after `WITH` by the first such word outside parentheses.
pub(in crate::sql) fn verb(text: &Text<'_>) -> Result<Verb, TextError> {
    let is_verb =
        |index: &usize| text.tokens[*index].depth == 0 && (text.is_any(*index, &["SELECT", "VALUES"]) || text.is_any(*index, CHANGES));
    let first = if text.is(0, "WITH") { (1..text.tokens.len()).find(is_verb).unwrap_or(0) } else { 0 };
    if text.is(first, "SELECT") {
        Ok(Verb::Select)
    } else if text.is(first, "VALUES") {
        Ok(Verb::Values)
    } else if text.is_any(first, CHANGES) {
        Ok(Verb::Change)
    } else {
        Err(TextError::Verb(text.at(first).to_ascii_uppercase()))
    }
}

/// Refuses everything that a read may not do.
pub(in crate::sql) fn reads_only(text: &Text<'_>) -> Result<(), TextError> {
    for index in 0..text.tokens.len() {
        if text.sort(index) == Some(Sort::Quoted) && text.sort(index + 1) == Some(Sort::Open) {
            refuse_function(&super::scan::bare(text.at(index)))?;
        }
        if text.sort(index) != Some(Sort::Word) || is_name_of_something(text, index) {
            continue;
        }
        if text.is_any(index, WRITING) {
            return Err(TextError::Writes(text.at(index).to_ascii_uppercase()));
        }
        if text.is(index, "FOR") && text.is_any(index + 1, &["UPDATE", "SHARE", "NO", "KEY"]) {
            return Err(TextError::Writes(format!("FOR {}", text.at(index + 1).to_ascii_uppercase())));
        }
        if text.sort(index + 1) == Some(Sort::Open) {
            refuse_function(text.at(index))?;
        }
    }
    match verb(text)? {
        Verb::Change => Err(TextError::Writes(text.at(0).to_ascii_uppercase())),
        Verb::Select | Verb::Values => Ok(()),
    }
}

/// Whether the statement changes something, data-modifying `WITH` included.
pub(in crate::sql) fn writes(text: &Text<'_>) -> bool {
    (0..text.tokens.len())
        .any(|index| text.is_any(index, CHANGES) && !is_name_of_something(text, index) && text.sort(index + 1) != Some(Sort::Open))
}

fn refuse_function(name: &str) -> Result<(), TextError> {
    let name = name.to_ascii_lowercase();
    if REACHING.contains(&name.as_str()) || REACHING_FAMILIES.iter().any(|family| name.starts_with(family)) {
        return Err(TextError::Function(name));
    }
    Ok(())
}

/// `t.update` is a name, but a function after a schema's name is still called.
fn is_name_of_something(text: &Text<'_>, index: usize) -> bool {
    let before = index.checked_sub(1);
    let dotted = before.is_some_and(|before| text.sort(before) == Some(Sort::Dot));
    dotted && text.sort(index + 1) != Some(Sort::Open)
}
