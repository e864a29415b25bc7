//! Resources, descriptions of tables, completions.

use callgate_model::{Reference, Reply, Target};

use super::world::{World, engines};

const YAML: &str = "
resources:
  \"database://schema/{table}\": { backend: shop, schema: true, description: A table. }
  \"shop://products\": { backend: shop, sql: SELECT id FROM products ORDER BY id, rows: 2 }
  \"shop://customer/{id}\":
    backend: shop
    sql: SELECT name FROM customers WHERE id = :id
    returns: one
    complete: { id: { backend: shop, sql: \"SELECT id FROM customers WHERE id LIKE :value || '%' ORDER BY id\" } }
";

#[tokio::test]
async fn resources_are_read_from_rows() {
    for engine in engines() {
        let world = World::open(&engine, YAML).await.unwrap_or_else(|problems| panic!("{problems}"));
        let products = world.resource("shop://products").await.unwrap();
        assert_eq!(products, r#"{"rows":[{"id":1},{"id":2}],"notice":"first 2 rows; there are more than are shown"}"#);
        assert_eq!(world.resource("shop://customer/c1").await.unwrap(), r#"{"name":"Ann"}"#);
        assert_eq!(world.resource("shop://customer/zz").await.unwrap_err().kind().code(), "not_found");
    }
}

#[tokio::test]
async fn tables_are_described_as_they_are() {
    for engine in engines() {
        let world = World::open(&engine, YAML).await.unwrap();
        let orders: serde_json::Value = serde_json::from_str(&world.resource("database://schema/orders").await.unwrap()).unwrap();
        assert_eq!(orders["columns"][1]["name"], "customer_id");
        assert_eq!(orders["columns"][1]["nullable"], false);
        assert_eq!(orders["primary_key"], serde_json::json!(["id"]));
        let key = serde_json::json!([{ "columns": ["customer_id"], "table": "customers", "references": ["id"] }]);
        assert_eq!(orders["foreign_keys"], key, "{engine:?}");
        let index = serde_json::json!({ "name": "orders_customer", "columns": ["customer_id"], "unique": false });
        assert!(orders["indexes"].as_array().unwrap().contains(&index), "{orders}");
        let fault = world.resource("database://schema/nowhere").await.unwrap_err();
        assert_eq!(fault.kind().code(), "unknown");
        let found = crate::sql::tables(&world.url, world.folder.path()).await.unwrap();
        // On PostgreSQL other tests have schemas of their own, whose tables are named with their schema.
        let found = found.iter().filter(|table| !table.name.contains('.'));
        let names: Vec<_> = found.map(|table| format!("{} {}", table.kind, table.name)).collect();
        assert_eq!(names, ["table customers", "view names", "table orders", "table products", "table strange things"]);
    }
}

#[tokio::test]
async fn names_that_need_quotes_and_generated_columns_are_described() {
    for engine in engines() {
        let world = World::open(&engine, YAML).await.unwrap();
        let strange: serde_json::Value =
            serde_json::from_str(&world.resource("database://schema/strange%20things").await.unwrap()).unwrap();
        let columns: Vec<_> = strange["columns"].as_array().unwrap().iter().map(|column| column["name"].as_str().unwrap()).collect();
        assert_eq!(columns, ["B c", "a", "twice"], "{engine:?}");
        assert_eq!(strange["primary_key"], serde_json::json!(["B c", "a"]), "{engine:?}");
        let index = strange["indexes"].as_array().unwrap().iter().find(|index| index["name"] == "strange_things_index").unwrap();
        assert_eq!(index["columns"], serde_json::json!(["B c", "(…)"]), "{engine:?}");
    }
}

#[tokio::test]
async fn a_view_whose_tables_are_gone_hides_no_others() {
    let folder = tempfile::tempdir().unwrap();
    let connection = rusqlite::Connection::open(folder.path().join("t.db")).unwrap();
    connection.execute_batch("CREATE VIEW broken AS SELECT a FROM gone; CREATE TABLE whole (a)").unwrap();
    let found = crate::sql::tables("sqlite:t.db", folder.path()).await.unwrap();
    let found: Vec<_> = found.iter().map(|table| (table.name.as_str(), table.columns.len())).collect();
    assert_eq!(found, [("broken", 0), ("whole", 1)]);
}

#[tokio::test]
async fn what_is_typed_is_completed() {
    for engine in engines() {
        let world = World::open(&engine, YAML).await.unwrap();
        let cases = [
            ("database://schema/{table}", "table", "c", "customers"),
            ("database://schema/{table}", "table", "o", "orders"),
            ("shop://customer/{id}", "id", "c", "c1 c2"),
            ("shop://customer/{id}", "id", "%'", ""),
        ];
        for (of, argument, value, expected) in cases {
            let target = Target::Completion { of: Reference::Template(of.into()), argument: argument.into(), value: value.into() };
            let Reply::Completion(completion) = world.backend.complete(&world.call(target, "{}")).await.unwrap() else {
                panic!("no completion")
            };
            let values: Vec<_> = completion.values.into_iter().filter(|value| !value.contains('.')).collect();
            assert_eq!(values.join(" "), expected, "{of} {value}");
        }
    }
}
