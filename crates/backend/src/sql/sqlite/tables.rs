//! SQLite's tables, as they are now.

use rusqlite::{Connection, OptionalExtension as _, Row};

use crate::sql::table::{ForeignKey, Index, Table, TableColumn};

/// The names of all tables and views that are not SQLite's own or ours.
pub(super) fn names(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare_cached(
        "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
         AND name <> 'callgate_migrations' ORDER BY name",
    )?;
    statement.query_map([], |row| row.get(0))?.collect()
}

/// One table or view.
pub(super) fn table(connection: &Connection, name: &str) -> rusqlite::Result<Option<Table>> {
    let found = connection
        .prepare_cached("SELECT name, type FROM sqlite_schema WHERE type IN ('table', 'view') AND name = ?1")?
        .query_row([name], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))
        .optional()?;
    let Some((name, kind)) = found else { return Ok(None) };
    // A view whose tables are gone has no columns; everything else can still be described.
    let (columns, primary_key) =
        columns(connection, &name).or_else(|error| if kind == "view" { Ok(Default::default()) } else { Err(error) })?;
    Ok(Some(Table {
        kind: if kind == "view" { "view" } else { "table" },
        columns,
        primary_key,
        foreign_keys: foreign_keys(connection, &name)?,
        indexes: indexes(connection, &name)?,
        name,
    }))
}

fn columns(connection: &Connection, table: &str) -> rusqlite::Result<(Vec<TableColumn>, Vec<String>)> {
    // Hidden are the columns that virtual tables keep to themselves (1), not those that are generated (2 and 3).
    let mut statement = connection
        .prepare_cached("SELECT name, type, \"notnull\", dflt_value, pk FROM pragma_table_xinfo(?1) WHERE hidden <> 1 ORDER BY cid")?;
    let read = |row: &Row<'_>| {
        let column = TableColumn { name: row.get(0)?, of: row.get(1)?, nullable: !row.get::<_, bool>(2)?, default: row.get(3)? };
        Ok((row.get::<_, i64>(4)?, column))
    };
    let found = statement.query_map([table], read)?.collect::<rusqlite::Result<Vec<_>>>()?;
    let mut keyed: Vec<_> = found.iter().filter(|(key, _)| *key > 0).collect();
    keyed.sort_by_key(|(key, _)| *key);
    let primary_key: Vec<_> = keyed.iter().map(|(_, column)| column.name.clone()).collect();
    // `INTEGER PRIMARY KEY` is the row's number: never null, whatever was declared.
    let is_number = |column: &TableColumn| primary_key == [column.name.as_str()] && column.of.eq_ignore_ascii_case("INTEGER");
    let columns = found.into_iter().map(|(_, column)| TableColumn { nullable: column.nullable && !is_number(&column), ..column });
    Ok((columns.collect(), primary_key.clone()))
}

fn foreign_keys(connection: &Connection, table: &str) -> rusqlite::Result<Vec<ForeignKey>> {
    let mut statement =
        connection.prepare_cached("SELECT id, \"table\", \"from\", \"to\" FROM pragma_foreign_key_list(?1) ORDER BY id DESC, seq")?;
    let read =
        |row: &Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?, row.get::<_, Option<String>>(3)?));
    let mut keys: Vec<(i64, ForeignKey)> = Vec::new();
    for part in statement.query_map([table], read)? {
        let (id, table, from, to) = part?;
        if keys.last().is_none_or(|(last, _)| *last != id) {
            keys.push((id, ForeignKey { columns: Vec::new(), table, references: Vec::new() }));
        }
        if let Some((_, key)) = keys.last_mut() {
            key.columns.push(from);
            key.references.extend(to);
        }
    }
    Ok(keys.into_iter().map(|(_, key)| key).collect())
}

fn indexes(connection: &Connection, table: &str) -> rusqlite::Result<Vec<Index>> {
    let mut statement = connection.prepare_cached(
        "SELECT list.name, list.\"unique\", column.name FROM pragma_index_list(?1) AS list, pragma_index_info(list.name) AS column \
         ORDER BY list.name, column.seqno",
    )?;
    let read = |row: &Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, bool>(1)?, row.get::<_, Option<String>>(2)?));
    let mut indexes: Vec<Index> = Vec::new();
    for part in statement.query_map([table], read)? {
        let (name, unique, column) = part?;
        if indexes.last().is_none_or(|last| last.name != name) {
            indexes.push(Index { name, columns: Vec::new(), unique });
        }
        if let Some(index) = indexes.last_mut() {
            index.columns.push(column.unwrap_or_else(|| "(…)".into()));
        }
    }
    Ok(indexes)
}
