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
    explain(
        &folder,
        &["--role", "finance"],
        r#"{"amount": 5000}"#,
        &expect![[r#"
        exit 0
        allow    write:refunds                                               does not hold
        allow    finance                                                     holds
        allow    caller.claims.department == 'support' && args.amount <= 50  does not hold
        require  args.amount <= 1000 || 'finance' in caller.roles            holds
        acme/ann: allowed by `finance`
    "#]],
    )
    .await;
    explain(
        &folder,
        &["--scope", "write:refunds"],
        r#"{"amount": 5000}"#,
        &expect![[r#"
        exit 1
        allow    write:refunds                                               holds
        allow    finance                                                     does not hold
        allow    caller.claims.department == 'support' && args.amount <= 50  does not hold
        require  args.amount <= 1000 || 'finance' in caller.roles            does not hold
        acme/ann: denied: `args.amount <= 1000 || 'finance' in caller.roles` is not met
    "#]],
    )
    .await;
    explain(
        &folder,
        &["--claim", "department=support", "--proof", "key"],
        r#"{"amount": 20}"#,
        &expect![[r#"
        exit 0
        allow    write:refunds                                               does not hold
        allow    finance                                                     does not hold
        allow    caller.claims.department == 'support' && args.amount <= 50  holds
        require  args.amount <= 1000 || 'finance' in caller.roles            holds
        acme/ann: allowed by `caller.claims.department == 'support' && args.amount <= 50`
    "#]],
    )
    .await;
    explain(
        &folder,
        &["--proof", "key"],
        r#"{"amount": 20}"#,
        &expect![[r#"
        exit 1
        allow    write:refunds                                               does not hold
        allow    finance                                                     does not hold
        allow    caller.claims.department == 'support' && args.amount <= 50  does not hold: `department` is not there
        require  args.amount <= 1000 || 'finance' in caller.roles            holds
        acme/ann: denied: no rule of `allow` holds for these arguments: `department` is not there
    "#]],
    )
    .await;
    assert!(!folder.path().join("data/callgate.db").exists(), "a question leaves nothing behind");
}

#[tokio::test]
async fn mistakes_in_rules_are_reported_where_they_stand() {
    let broken =
        CONFIG.replace("finance, \"caller", "'*', \"callr").replace("'finance' in caller.roles\"", "'finance' in caller.roles &&\"");
    let folder = Folder::with([("gate.yaml", broken.as_str()), ("migrations/1.sql", "SELECT 1;\n")]).unwrap();
    let (code, _, errors) = run(folder.path(), &["check", "FOLDER"]).await;
    expect![[r#"
        exit 1
        FOLDER/gate.yaml:11:30: tools.refund.allow[1]: `*` is no rule; write `anyone` for every caller that was recognised
          help: a scope (`read:customers`), a role (`finance`), `anyone`, or a condition (`caller.tenant == 'acme'`)
        FOLDER/gate.yaml:11:35: tools.refund.allow[2]: there is no `callr` here; an expression can read `caller`, `tool`, `args`
          help: a scope (`read:customers`), a role (`finance`), `anyone`, or a condition (`caller.tenant == 'acme'`)
        FOLDER/gate.yaml:13:17: tools.refund.require[0].rule: this is no expression: mismatched input end (at character 52)"#]]
    .assert_eq(&format!("exit {code}\n{errors}"));
}

#[tokio::test]
async fn with_callers_told_apart_everything_says_who_may() {
    let unsaid: Vec<_> = CONFIG.lines().filter(|line| !line.trim_start().starts_with("allow:")).collect();
    let unsaid = unsaid.join("\n") + "\nresources:\n  \"docs://a\": { text: a }\n";
    let check = async |text: &str| {
        let folder = Folder::with([("gate.yaml", text), ("migrations/1.sql", "SELECT 1;\n")]).unwrap();
        let (code, _, errors) = run(folder.path(), &["check", "FOLDER"]).await;
        (code, errors)
    };
    assert_eq!(check(&unsaid).await.0, 0, "the machine's own user needs no rules");
    let (code, errors) = check(&format!("{unsaid}auth: {{ keys: {{}} }}\n")).await;
    assert_eq!(code, 1);
    for expected in ["tools.refund: `refund` does not say who may", "`docs://a` does not say who may", "add `allow: read:customers`"] {
        assert!(errors.contains(expected), "{errors}");
    }
}
