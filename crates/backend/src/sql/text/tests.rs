//! How we know that SQL is read as it is meant.

use super::*;
use crate::declare::{Parameter, Type};

fn parameters() -> Vec<Parameter> {
    let parameter =
        |name: &str, of: Type| Parameter { name: name.into(), of, default: None, optional: false, schema: serde_json::Value::Null };
    let members = vec![parameter("product_id", Type::String), parameter("quantity", Type::Integer), parameter("it's", Type::Boolean)];
    vec![
        parameter("id", Type::String),
        parameter("n", Type::Integer),
        parameter("ids", Type::Array(Box::new(Type::String))),
        parameter("items", Type::Array(Box::new(Type::Object(members)))),
    ]
}

/// The text an engine gets, or the mistake.
fn rewritten(sql: &str, dialect: Dialect, window: Window) -> String {
    let parameters = parameters();
    let known: Vec<_> = parameters.iter().map(|parameter| Known { name: &parameter.name, of: &parameter.of }).collect();
    let scanned = Text::scan(sql, dialect).and_then(|text| one_statement(&text).map(|end| (text, end)));
    scanned.map_or_else(|error| error.to_string(), |(text, end)| rewrite(&text, end, dialect, &known, window).text)
}

#[test]
fn parameters_become_placeholders_and_nothing_else_does() {
    let cases = [
        ("SELECT :id", "SELECT ?1", "SELECT $1"),
        ("SELECT :id, :n, :id", "SELECT ?1, ?2, ?1", "SELECT $1, $2, $1"),
        ("SELECT ':id', \":id\" -- :id\n, :id /* :id */", "SELECT ':id', \":id\" -- :id\n, ?1", "SELECT ':id', \":id\" -- :id\n, $1"),
        ("SELECT 'it''s :id', :n", "SELECT 'it''s :id', ?1", "SELECT 'it''s :id', $1"),
        ("SELECT :n::text", "SELECT ?1::text", "SELECT $1::text"),
        ("SELECT 1 WHERE x IN (:ids)", "SELECT 1 WHERE x IN (SELECT value FROM json_each(?1))", "SELECT 1 WHERE x = ANY($1)"),
        ("SELECT 1 WHERE x not in (:ids)", "SELECT 1 WHERE x NOT IN (SELECT value FROM json_each(?1))", "SELECT 1 WHERE x <> ALL($1)"),
        ("SELECT 1 WHERE x IN (:id)", "SELECT 1 WHERE x IN (?1)", "SELECT 1 WHERE x IN ($1)"),
        ("SELECT 1 WHERE x IN (:id, :n)", "SELECT 1 WHERE x IN (?1, ?2)", "SELECT 1 WHERE x IN ($1, $2)"),
        ("SELECT 1 WHERE :id IS NULL OR x = :id", "SELECT 1 WHERE ?1 IS NULL OR x = ?1", "SELECT 1 WHERE $1 IS NULL OR x = $2"),
        ("SELECT 1 WHERE :id IS NOT NULL OR x = :id", "SELECT 1 WHERE ?1 IS NOT NULL OR x = ?1", "SELECT 1 WHERE $1 IS NOT NULL OR x = $2"),
        ("SELECT :id IS DISTINCT FROM x, :id", "SELECT ?1 IS DISTINCT FROM x, ?1", "SELECT $1 IS DISTINCT FROM x, $1"),
        ("SELECT :id IS NOT DISTINCT FROM x, :id", "SELECT ?1 IS NOT DISTINCT FROM x, ?1", "SELECT $1 IS NOT DISTINCT FROM x, $1"),
        ("SELECT :id IS TRUE, :id", "SELECT ?1 IS TRUE, ?1", "SELECT $1 IS TRUE, $1"),
        ("SELECT 1; -- done", "SELECT 1", "SELECT 1"),
        ("SELECT 1; SELECT 2", SECOND, SECOND),
        ("SELECT 1;;", "SELECT 1", "SELECT 1"),
        ("-- nothing", "there is no statement here", "there is no statement here"),
        ("SELECT 'open", "a string does not end", "a string does not end"),
        ("SELECT (1", "`(` and `)` do not pair up", "`(` and `)` do not pair up"),
    ];
    for (sql, sqlite, postgres) in cases {
        assert_eq!(rewritten(sql, Dialect::Sqlite, Window::Open), sqlite, "{sql}");
        assert_eq!(rewritten(sql, Dialect::Postgres, Window::Open), postgres, "{sql}");
    }
}

const SECOND: &str = "one statement only: there is more after `;`. Several statements in one transaction are written as `steps`";

#[test]
fn what_only_one_engine_knows_is_read_its_way() {
    let sqlite = |sql: &str| rewritten(sql, Dialect::Sqlite, Window::Open);
    let postgres = |sql: &str| rewritten(sql, Dialect::Postgres, Window::Open);
    assert_eq!(postgres("SELECT $$ :id ; $$, $a$ ' $a$, :id"), "SELECT $$ :id ; $$, $a$ ' $a$, $1");
    assert_eq!(postgres(r"SELECT E'\':id', :id"), r"SELECT E'\':id', $1");
    assert_eq!(postgres("SELECT /* /* :id */ ; */ :id"), "SELECT /* /* :id */ ; */ $1");
    assert_eq!(postgres("SELECT a ? 'b', c[1:2]"), "SELECT a ? 'b', c[1:2]");
    assert_eq!(sqlite("SELECT [a:id], `b:id`, :id"), "SELECT [a:id], `b:id`, ?1");
    for placeholder in ["?", "?1", "@id", "$id"] {
        let sql = format!("SELECT {placeholder}");
        assert_eq!(sqlite(&sql), format!("`{placeholder}` is not how parameters are written here; write `:name`"));
    }
    assert_eq!(postgres("SELECT $1"), "`$1` is not how parameters are written here; write `:name`");
}

#[test]
fn a_list_of_objects_is_a_table() {
    let sql = "SELECT i.quantity FROM products AS p JOIN :items AS i ON i.product_id = p.id";
    assert_eq!(
        rewritten(sql, Dialect::Sqlite, Window::Open),
        "SELECT i.quantity FROM products AS p JOIN (SELECT json_extract(value, '$.\"product_id\"') AS \"product_id\", \
         json_extract(value, '$.\"quantity\"') AS \"quantity\", json_extract(value, '$.\"it''s\"') AS \"it's\" FROM json_each(?1)) AS i \
         ON i.product_id = p.id"
    );
    assert_eq!(
        rewritten(sql, Dialect::Postgres, Window::Open),
        "SELECT i.quantity FROM products AS p JOIN jsonb_to_recordset($1::jsonb) AS i(\"product_id\" text, \"quantity\" bigint, \"it's\" boolean) \
         ON i.product_id = p.id"
    );
}

#[test]
fn a_window_is_added_outside() {
    let cases = [
        ("SELECT a FROM t ORDER BY a", Window::Paged, "SELECT a FROM t ORDER BY a LIMIT $1 OFFSET $2"),
        ("SELECT a FROM t WHERE b = :id", Window::Paged, "SELECT a FROM t WHERE b = $1 LIMIT $2 OFFSET $3"),
        ("SELECT a FROM t LIMIT 5", Window::Paged, "SELECT * FROM (SELECT a FROM t LIMIT 5) AS callgate_rows LIMIT $1 OFFSET $2"),
        ("SELECT (SELECT 1 LIMIT 1)", Window::First(3), "SELECT (SELECT 1 LIMIT 1) LIMIT 3"),
        ("VALUES (1), (2)", Window::First(2), "SELECT * FROM (VALUES (1), (2)) AS callgate_rows LIMIT 2"),
        ("SELECT a FROM t LIMIT 5", Window::First(1), "SELECT a FROM t LIMIT 5"),
        ("INSERT INTO t VALUES (1) RETURNING a", Window::Paged, "INSERT INTO t VALUES (1) RETURNING a"),
    ];
    for (sql, window, expected) in cases {
        assert_eq!(rewritten(sql, Dialect::Postgres, window), expected, "{sql}");
    }
}

#[test]
fn reads_that_write_are_refused() {
    let judged = |sql: &str| Text::scan(sql, Dialect::Postgres).and_then(|text| reads_only(&text)).map_err(|error| error.to_string());
    let good = [
        "SELECT \"update\", t.delete, replace(a, 'insert', 'into') FROM t",
        "WITH a AS (SELECT 1) SELECT * FROM a",
        "SELECT substring(name FROM 1 FOR 3) FROM t",
        "VALUES (1)",
        "SELECT 'DELETE FROM t'",
    ];
    for sql in good {
        assert_eq!(judged(sql), Ok(()), "{sql}");
    }
    let bad = [
        "DELETE FROM t",
        "WITH x AS (DELETE FROM t RETURNING id) SELECT * FROM x",
        "WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x",
        "SELECT * FROM t FOR UPDATE",
        "SELECT * FROM t FOR NO KEY UPDATE",
        "SELECT * INTO u FROM t",
        "EXPLAIN ANALYZE DELETE FROM t",
        "COPY t TO PROGRAM 'sh'",
        "DO $$ BEGIN END $$",
        "CALL p()",
        "LISTEN x",
        "LOCK TABLE t",
        "CREATE TEMP TABLE x (a int)",
        "SET ROLE postgres",
        "BEGIN",
        "SELECT set_config('transaction_read_only', 'off', true)",
        "SELECT pg_catalog.set_config('a', 'b', true)",
        "SELECT \"set_config\"('a', 'b', true)",
        "SELECT nextval('s')",
        "SELECT lo_import('/etc/passwd')",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT * FROM dblink('…', '…')",
        "SELECT pg_terminate_backend(1)",
        "SELECT pg_stat_reset()",
        "SELECT pg_stat_reset_shared('bgwriter')",
        "SELECT pg_create_physical_replication_slot('s')",
        "SELECT pg_drop_replication_slot('s')",
        "SELECT pg_logical_slot_get_changes('s', NULL, NULL)",
        "SELECT pg_ls_logdir()",
        "SELECT pg_promote()",
        "SELECT pg_wal_replay_pause()",
        "SELECT query_to_xml_and_xmlschema('DELETE FROM t', true, true, '')",
        "SELECT * FROM ts_stat('DELETE FROM t RETURNING a')",
        "SELECT * FROM crosstab('DELETE FROM t')",
    ];
    for sql in bad {
        assert!(judged(sql).is_err(), "{sql}");
    }
}

#[test]
fn items_tell_what_they_can() {
    let found = |sql: &str| {
        let text = Text::scan(sql, Dialect::Sqlite).unwrap();
        items(&text).into_iter().map(|Item { name, body }| format!("{name}={body:?}")).collect::<Vec<_>>().join(" ")
    };
    let cases = [
        ("SELECT a, t.b, \"c d\" FROM t", "a=Column(\"a\") b=Column(\"b\") c d=Column(\"c d\")"),
        ("SELECT count(*) AS n, CAST(x AS BOOLEAN) AS y FROM t", "n=Count y=Cast(\"BOOLEAN\")"),
        ("SELECT CAST(sum(x) AS DECIMAL(10,2)) AS s", "s=Cast(\"DECIMAL(10,2)\")"),
        ("SELECT count(*) + count(*) AS n, a AS b", "n=Other b=Column(\"a\")"),
        ("INSERT INTO t (a) VALUES (1) RETURNING a, b AS c", "a=Column(\"a\") c=Column(\"b\")"),
        ("WITH w AS (SELECT x FROM y) SELECT a FROM w", "a=Column(\"a\")"),
        ("SELECT a FROM t UNION SELECT b FROM u", ""),
    ];
    for (sql, expected) in cases {
        assert_eq!(found(sql), expected, "{sql}");
    }
}

#[test]
fn a_column_may_be_null_wherever_rows_can_be_missing() {
    let doubtful = |sql: &str| may_lose_rows(&Text::scan(sql, Dialect::Sqlite).unwrap());
    assert!(!doubtful("SELECT a FROM t JOIN u ON t.x = u.x WHERE b = 1"));
    assert!(!doubtful("SELECT a, count(*) FROM t GROUP BY a"));
    for sql in ["SELECT a FROM t LEFT JOIN u ON 1", "SELECT (SELECT a FROM t)", "SELECT a, max(b) FROM t", "SELECT a FROM t UNION SELECT 1"]
    {
        assert!(doubtful(sql), "{sql}");
    }
}
