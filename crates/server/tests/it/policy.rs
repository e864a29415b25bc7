//! Who may do what, as an operator asks and is told.

use callgate_testkit::Folder;
use expect_test::{Expect, expect};

use crate::command::run;

const CONFIG: &str = r#"
version: 1
name: desk
backends:
  main: { kind: sql, url: "sqlite:data/desk.db", migrations: migrations, migrate: at_start }
tools:
  refund:
    backend: main
    description: Give money back.
    effect: read
    allow: ["write:refunds", finance, "caller.claims.department == 'support' && args.amount <= 50"]
    require:
      - { rule: "args.amount <= 1000 || 'finance' in caller.roles", message: "`amount` must be 1000 or less" }
    input: { amount: { type: number } }
    sql: SELECT :amount AS amount
    returns: one
"#;

fn desk() -> Folder {
    Folder::with([("gate.yaml", CONFIG), ("migrations/1.sql", "CREATE TABLE a (b INTEGER);\n"), ("data/.keep", "")]).unwrap()
}

async fn explain(folder: &Folder, caller: &[&str], arguments: &str, expected: &Expect) {
    let command = [&["explain", "-c", "FOLDER", "acme/ann", "refund", arguments], caller].concat();
    let (code, output, errors) = run(folder.path(), &command).await;
    expected.assert_eq(&format!("exit {code}\n{output}{errors}"));
}

#[tokio::test]
async fn the_rule_that_decides_is_named() {
    let folder = desk();
    run(folder.path(), &["migrate", "FOLDER"]).await;
    explain(&folder, &["--role", "finance"], r#"{"amount": 5000}"#, &expect![[""]]).await;
    explain(&folder, &["--scope", "write:refunds"], r#"{"amount": 5000}"#, &expect![[""]]).await;
    explain(&folder, &["--claim", "department=support", "--proof", "key"], r#"{"amount": 20}"#, &expect![[""]]).await;
    explain(&folder, &["--proof", "key"], r#"{"amount": 20}"#, &expect![[""]]).await;
    assert!(!folder.path().join("data/callgate.db").exists(), "a question leaves nothing behind");
}

#[tokio::test]
async fn mistakes_in_rules_are_reported_where_they_stand() {
    let broken =
        CONFIG.replace("finance, \"caller", "'*', \"callr").replace("'finance' in caller.roles\"", "'finance' in caller.roles &&\"");
    let folder = Folder::with([("gate.yaml", broken.as_str()), ("migrations/1.sql", "SELECT 1;\n")]).unwrap();
    let (code, _, errors) = run(folder.path(), &["check", "FOLDER"]).await;
    expect![[""]].assert_eq(&format!("exit {code}\n{errors}"));
}
