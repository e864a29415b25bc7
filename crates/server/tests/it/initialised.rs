//! `callgate init`: what it writes is a configuration that works.

use callgate_testkit::Folder;
use expect_test::expect;

use crate::command::run;

const MIGRATION: &str = "CREATE TABLE customers (id TEXT PRIMARY KEY, name TEXT NOT NULL, \"order\" INTEGER);
CREATE TABLE \"Order Lines\" (customer TEXT REFERENCES customers, no INTEGER, price NUMERIC(10,2), PRIMARY KEY (customer, no));
INSERT INTO customers VALUES ('c1', 'Ada', 7);
INSERT INTO \"Order Lines\" VALUES ('c1', 1, '9.50');
";

const MIGRATING: &str = "version: 1\nname: old\nbackends:\n  main: { kind: sql, url: \"sqlite:old.db\", migrations: migrations }\n";

#[tokio::test]
async fn a_draft_serves_the_tables_it_was_drafted_from() {
    let folder = Folder::with([("old/gate.yaml", MIGRATING), ("old/migrations/1.sql", MIGRATION), ("new/readme.txt", "")]).unwrap();
    let path = folder.path();
    let (code, _, errors) = run(path, &["migrate", "FOLDER/old"]).await;
    assert_eq!(code, 0, "{errors}");
    let (code, _, errors) = run(path, &["init", "sqlite:FOLDER/old/old.db", "--out", "FOLDER/new/gate.yaml"]).await;
    assert_eq!(code, 0, "{errors}");
    let (code, output, errors) = run(path, &["check", "FOLDER/new", "--connect"]).await;
    assert_eq!((code, output.as_str()), (0, "ok: `old` with 4 tools, 1 resources, 0 prompts; every backend agrees\n"), "{errors}");
    let call = ["call", "get_order_line", r#"{"customer":"c1","no":1}"#, "--config", "FOLDER/new"];
    let (code, output, errors) = run(path, &call).await;
    assert_eq!(code, 0, "{errors}");
    expect![[r#"
        {"customer":"c1","no":1,"price":"9.50"}
    "#]]
    .assert_eq(&output);
    let (code, _, errors) = run(path, &["init", "sqlite:FOLDER/old/old.db", "--out", "FOLDER/new/gate.yaml"]).await;
    assert!(code == 1 && errors.contains("cannot write FOLDER/new/gate.yaml"), "{errors}");
    let (code, _, errors) = run(path, &["init", "sqlite:FOLDER/nowhere.db"]).await;
    assert_eq!((code, errors.as_str()), (1, "error: there is no file `FOLDER/nowhere.db`"));
}
