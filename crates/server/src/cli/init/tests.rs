//! Tables and the configuration that is drafted from them.

use callgate_backend::sql::{Table, TableColumn};
use expect_test::expect;

use super::draft::{Draft, name, without_password};

fn table(name: &str, columns: &[(&str, &str)], key: &[&str]) -> Table {
    let column = |(name, of): &(&str, &str)| TableColumn { name: (*name).into(), of: (*of).into(), nullable: true, default: None };
    Table {
        name: name.into(),
        kind: "table",
        columns: columns.iter().map(column).collect(),
        primary_key: key.iter().map(|&key| key.into()).collect(),
        foreign_keys: Vec::new(),
        indexes: Vec::new(),
    }
}

#[test]
fn each_table_gets_what_it_can() {
    let tables = [
        table("categories", &[("id", "INTEGER"), ("order", "TEXT")], &["id"]),
        table("Order Items", &[("Order", "uuid"), ("No: 1", "int4")], &["Order", "No: 1"]),
        table("log", &[("at", "timestamptz")], &[]),
    ];
    let text = Draft { name: "shop".into(), url: "sqlite:shop.db".into(), tables: &tables }.text();
    let start = text.find("\ntools:").unwrap() + 1;
    let end = text.find("\n  # A tool that writes").unwrap();
    expect![[r#"
        tools:
          # table `categories`
          get_category:
            backend: main
            description: Retrieve one row of categories by id.
            effect: read
            input:
              id: { type: integer }
            sql: SELECT id, "order" FROM categories WHERE id = :id
            returns: one
            missing: there is no row of categories with this id
          list_categories:
            backend: main
            description: List the rows of categories, 50 at a time.
            effect: read
            sql: SELECT id, "order" FROM categories ORDER BY id
            returns: many
            rows: 50

          # table `Order Items`
          get_order_item:
            backend: main
            description: Retrieve one row of Order Items by order and no_1.
            effect: read
            input:
              order: { type: string }
              no_1: { type: integer }
            sql: "SELECT \"Order\", \"No: 1\" FROM \"Order Items\" WHERE \"Order\" = :order AND \"No: 1\" = :no_1"
            returns: one
            missing: there is no row of Order Items with this order and no_1
          list_order_items:
            backend: main
            description: List the rows of Order Items, 50 at a time.
            effect: read
            sql: "SELECT \"Order\", \"No: 1\" FROM \"Order Items\" ORDER BY \"Order\", \"No: 1\""
            returns: many
            rows: 50

          # table `log`
          list_log:
            backend: main
            description: List the rows of log, 50 at a time.
            effect: read
            sql: SELECT at FROM log
            returns: many
            rows: 50
    "#]]
    .assert_eq(&text[start..end]);
}

#[test]
fn odd_names_make_a_draft_that_can_be_read() {
    let tables = [
        table("copy", &[("a b", "int"), ("a_b", "int"), ("update", "int"), ("between", "int")], &["a b", "a_b"]),
        table("a.b", &[("id", "int")], &[]),
        table("broken", &[], &[]),
    ];
    let text = Draft { name: "null".into(), url: "sqlite:null.db".into(), tables: &tables }.text();
    let lines: Vec<_> = text.lines().map(str::trim_start).collect();
    for line in [
        "name: \"null\"",
        "a_b: { type: integer }",
        "a_b_2: { type: integer }",
        r#"sql: SELECT "a b", a_b, "update", "between" FROM "copy" WHERE "a b" = :a_b AND a_b = :a_b_2"#,
        r#"sql: SELECT id FROM "a.b""#,
        "# Not drafted: table `broken` has no columns",
    ] {
        assert!(lines.contains(&line), "{line} in {text}");
    }
}

#[test]
fn a_name_is_found_and_a_password_is_not_written() {
    for (url, expected, written) in [
        ("sqlite:data/My Shop.db", "my_shop", "sqlite:data/My Shop.db"),
        ("postgres://localhost/shop?sslmode=require", "shop", "postgres://localhost/shop?sslmode=require"),
        ("postgres://me@db.example/shop", "shop", "postgres://me@db.example/shop"),
        ("postgres://me:pass@db.example:5432/shop", "shop", "${DATABASE_URL}"),
        ("postgres:///shop?user=me&password=x", "shop", "${DATABASE_URL}"),
    ] {
        assert_eq!((name(url).as_str(), without_password(url).as_str()), (expected, written), "{url}");
    }
}
