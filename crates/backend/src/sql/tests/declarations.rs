//! Mistakes in declarations: found at load, all at once, at their place.

use super::world::{World, engines, open_to};
use crate::Aim;

/// The mistakes of one tool on each engine, without their places.
async fn check(tool: &str, expected: &[&str]) {
    for engine in engines() {
        let yaml = format!("tools:\n  t:\n    backend: shop\n    description: A tool.\n{tool}");
        let told: Vec<_> = match World::open(&engine, &yaml).await {
            Ok(_) => Vec::new(),
            Err(problems) => problems.iter().map(|problem| problem.message().to_owned()).collect(),
        };
        let matches = told.len() == expected.len() && told.iter().zip(expected).all(|(told, expected)| told.contains(expected));
        assert!(matches, "{tool} on {engine:?}: {told:#?}");
    }
}

#[tokio::test]
async fn mistakes_are_found_before_anything_runs() {
    check("    effect: read\n    returns: many\n    sql: SELECT id FROM customers\n", &[]).await;
    check("    effect: read\n    returns: many\n    sql: SELECT nme FROM customers\n", &["nme"]).await;
    check("    effect: read\n    returns: many\n    sql: SELECT id FROM nowhere\n", &["nowhere"]).await;
    check("    effect: read\n    returns: many\n    sql: SELECT id FROM customers WHERE id = :idd\n", &["there is no parameter `:idd`"])
        .await;
    check(
        "    effect: read\n    returns: many\n    input: { id: { type: string } }\n    sql: SELECT id FROM customers\n",
        &["no statement uses `:id`"],
    )
    .await;
    check("    effect: read\n    returns: many\n    sql: DELETE FROM customers\n", &["a `read` tool cannot `DELETE`"]).await;
    check("    effect: read\n    returns: many\n    sql: SELECT id, id FROM customers\n", &["there are two columns `id`"]).await;
    check("    effect: write\n    returns: one\n    sql: DELETE FROM customers\n", &["no statement returns rows"]).await;
    check("    effect: read\n    returns: count\n    sql: SELECT id, name FROM customers\n", &["needs one column"]).await;
    check("    effect: read\n    returns: many\n", &["say what the tool runs"]).await;
    check("    effect: read\n    returns: many\n    nest: { a: { sql: SELECT 1 AS b } }\n    sql: SELECT 1 AS a\n", &["`nest` needs"])
        .await;
    check(
        "    effect: read\n    returns: one\n    nest: { a: { when: x, sql: SELECT 1 AS b } }\n    sql: SELECT 1 AS c\n",
        &["there is no boolean parameter `x`"],
    )
    .await;
    check(
        "    effect: write\n    returns: count\n    steps: [ { sql: BEGIN }, { sql: 'DROP TABLE orders' } ]\n",
        &["`BEGIN` cannot be used in a tool", "`DROP` cannot be used in a tool"],
    )
    .await;
    check(
        "    effect: write\n    returns: count\n    steps: [ { sql: DELETE FROM orders, otherwise: there are none } ]\n",
        &["`otherwise` needs `expect`"],
    )
    .await;
}

#[tokio::test]
async fn a_look_leaves_the_file_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("t.db");
    // As most programs leave it: without a write-ahead log.
    rusqlite::Connection::open(&file).unwrap().execute_batch("PRAGMA journal_mode = DELETE; CREATE TABLE t (a)").unwrap();
    std::fs::create_dir(folder.path().join("migrations")).unwrap();
    let before = std::fs::read(&file).unwrap();
    let yaml = "tools: { t: { backend: shop, description: A tool., effect: write, returns: count, sql: DELETE FROM t } }";
    crate::sql::tables("sqlite:t.db", folder.path()).await.unwrap();
    open_to(Aim::Check, folder.path(), "sqlite:t.db", yaml, "").await.unwrap();
    assert!(std::fs::read(&file).unwrap() == before, "a look changed the file");
    std::fs::write(&file, "this is a text and no database at all").unwrap();
    let Err(problems) = open_to(Aim::Check, folder.path(), "sqlite:t.db", "", "").await else { panic!("a text was taken") };
    assert!(problems.to_string().contains("file is not a database"), "{problems}");
}

#[tokio::test]
async fn the_place_is_that_of_the_statement() {
    let yaml = "
tools:
  first:
    backend: shop
    description: A tool.
    effect: read
    returns: many
    sql: SELECT nme FROM customers
  second:
    backend: shop
    description: A tool.
    effect: read
    returns: many
    sql: SELECT id FROM nowhere
";
    for engine in engines() {
        let Err(problems) = World::open(&engine, yaml).await else { panic!("no mistake was found") };
        let paths: Vec<_> = problems.iter().map(|problem| problem.path().to_owned()).collect();
        assert_eq!(paths, ["tools.first.sql", "tools.second.sql"]);
        let places: Vec<_> = problems.iter().filter_map(callgate_config::Problem::place).collect();
        assert!(places[0].ends_with(":15:10") && places[1].ends_with(":21:10"), "{places:?}");
    }
}

#[tokio::test]
async fn a_read_that_writes_by_a_function_is_stopped_by_the_engine() {
    let yaml = "
tools:
  sneaky: { backend: shop, description: Writes., effect: read, returns: one, sql: SELECT sneak() AS done }
";
    for engine in engines().into_iter().filter(|engine| !engine.is_sqlite()) {
        let function = "CREATE FUNCTION sneak() RETURNS int LANGUAGE sql VOLATILE AS 'DELETE FROM orders RETURNING 1'";
        let world = World::open(&engine, "").await.unwrap();
        let migration = world.folder.path().join("migrations/003.sql");
        std::fs::write(migration, function).unwrap();
        let backend = super::world::open(world.folder.path(), &world.url, yaml, "").await.unwrap();
        let fault = backend.call(&world.call(callgate_model::Target::Tool("sneaky".into()), "{}")).await.unwrap_err();
        assert!(fault.chain().contains("read-only transaction"), "{}", fault.chain());
    }
}
