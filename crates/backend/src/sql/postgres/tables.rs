//! PostgreSQL's tables, as they are now.

use futures_util::future::try_join3;
use tokio_postgres::{Client, Error};

use crate::sql::table::{ForeignKey, Index, Table, TableColumn};

/// Tables and views outside of the system's own schemas. One that is found by its bare name is called by it.
const NAMES: &str = "\
    SELECT CASE WHEN pg_table_is_visible(c.oid) THEN c.relname ELSE n.nspname || '.' || c.relname END::text AS name, c.oid, c.relkind::text AS kind \
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace \
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema') \
    AND n.nspname NOT LIKE 'pg\\_toast%' AND n.nspname NOT LIKE 'pg\\_temp%' AND c.relname <> 'callgate_migrations' \
    AND NOT c.relispartition";

const COLUMNS: &str = "\
    SELECT a.attname::text, format_type(a.atttypid, a.atttypmod), NOT a.attnotnull, pg_get_expr(d.adbin, d.adrelid) \
    FROM pg_attribute AS a LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum AND a.attgenerated = '' \
    WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum";

const FOREIGN_KEYS: &str = "\
    SELECT f.relname::text, \
    ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY AS u(n, o) \
          JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = u.n ORDER BY u.o), \
    ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY AS u(n, o) \
          JOIN pg_attribute AS a ON a.attrelid = k.confrelid AND a.attnum = u.n ORDER BY u.o) \
    FROM pg_constraint AS k JOIN pg_class AS f ON f.oid = k.confrelid WHERE k.contype = 'f' AND k.conrelid = $1 ORDER BY k.conname";

const INDEXES: &str = "\
    SELECT c.relname::text, i.indisunique, i.indisprimary, \
    ARRAY(SELECT coalesce(a.attname::text, '(…)') FROM generate_series(1, i.indnkeyatts) AS n \
          LEFT JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[n - 1] AND a.attnum <> 0 ORDER BY n) \
    FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid WHERE i.indrelid = $1 ORDER BY c.relname";

/// The names of all tables and views; those with their schema in front come last.
pub(super) async fn names(client: &Client) -> Result<Vec<String>, Error> {
    let rows = client.query(&format!("SELECT name FROM ({NAMES}) AS t ORDER BY strpos(name, '.') > 0, name"), &[]).await?;
    rows.iter().map(|row| row.try_get(0)).collect()
}

/// One table or view.
pub(super) async fn table(client: &Client, name: &str) -> Result<Option<Table>, Error> {
    let found = client.query_opt(&format!("SELECT name, oid, kind FROM ({NAMES}) AS t WHERE name = $1"), &[&name]).await?;
    let Some(found) = found else { return Ok(None) };
    let oid: u32 = found.try_get(1)?;
    let (columns, foreign_keys, indexes) =
        try_join3(client.query(COLUMNS, &[&oid]), client.query(FOREIGN_KEYS, &[&oid]), client.query(INDEXES, &[&oid])).await?;
    let column = |row: &tokio_postgres::Row| {
        Ok(TableColumn { name: row.try_get(0)?, of: row.try_get(1)?, nullable: row.try_get(2)?, default: row.try_get(3)? })
    };
    let key = |row: &tokio_postgres::Row| Ok(ForeignKey { table: row.try_get(0)?, columns: row.try_get(1)?, references: row.try_get(2)? });
    let mut primary_key = Vec::new();
    let mut others = Vec::new();
    for row in &indexes {
        let index = Index { name: row.try_get(0)?, unique: row.try_get(1)?, columns: row.try_get(3)? };
        if row.try_get(2)? {
            primary_key.clone_from(&index.columns);
        }
        others.push(index);
    }
    Ok(Some(Table {
        name: found.try_get(0)?,
        kind: if matches!(found.try_get::<_, &str>(2)?, "v" | "m") { "view" } else { "table" },
        columns: columns.iter().map(column).collect::<Result<_, Error>>()?,
        primary_key,
        foreign_keys: foreign_keys.iter().map(key).collect::<Result<_, Error>>()?,
        indexes: others,
    }))
}
