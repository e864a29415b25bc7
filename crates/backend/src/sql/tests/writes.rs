//! Writing: wholly or not at all.

use super::world::{World, check, engines};

const ORDER: &str = "
tools:
  order:
    backend: shop
    description: Order things.
    effect: write
    input:
      customer: { type: string }
      items: { type: array, items: { type: object, properties: { product: { type: integer }, quantity: { type: integer } } } }
    generate: { order_id: { id: ord_ }, now: { now: rfc3339 } }
    returns: one
    steps:
      - sql: SELECT 1 AS one FROM customers WHERE id = :customer AND active = CAST(1 AS BOOLEAN)
        expect: rows
        otherwise: \"customer: there is no active customer with this id\"
      - sql: SELECT p.name FROM :items AS i JOIN products AS p ON p.id = i.product WHERE p.stock < i.quantity
        expect: none
        otherwise: there is not enough of {name}
      - sql: UPDATE products SET stock = stock - (SELECT i.quantity FROM :items AS i WHERE i.product = products.id) WHERE id IN (SELECT i.product FROM :items AS i)
        expect: rows
        otherwise: there is no such product
      - sql: INSERT INTO orders (id, customer_id, total) VALUES (:order_id, :customer, 1) RETURNING substr(id, 1, 4) AS prefix, length(id) AS length, CAST(:now AS TEXT) AS made
  stock: { backend: shop, description: Stock., effect: read, returns: many, sql: \"SELECT id, stock FROM products ORDER BY id\" }
  orders: { backend: shop, description: Orders., effect: read, returns: count, sql: SELECT count(*) FROM orders }
";

#[tokio::test]
async fn steps_happen_together_or_not_at_all() {
    check(
        ORDER,
        &[
            (
                "order",
                r#"{"customer":"c1","items":[{"product":1,"quantity":2},{"product":3,"quantity":9}]}"#,
                r#"{"prefix":"ord_","length":24,"made":"2026-07-28T12:00:00Z"}"#,
            ),
            ("stock", "{}", r#"{"rows":[{"id":1,"stock":3},{"id":2,"stock":0},{"id":3,"stock":0}]}"#),
            ("order", r#"{"customer":"c2","items":[]}"#, "refused: customer: there is no active customer with this id"),
            ("order", r#"{"customer":"c1","items":[{"product":2,"quantity":1}]}"#, "refused: there is not enough of bolt"),
            ("order", r#"{"customer":"c1","items":[{"product":99,"quantity":1}]}"#, "refused: there is no such product"),
            ("stock", "{}", r#"{"rows":[{"id":1,"stock":3},{"id":2,"stock":0},{"id":3,"stock":0}]}"#),
            ("orders", "{}", r#"{"count":4}"#),
        ],
    )
    .await;
}

#[tokio::test]
async fn what_the_database_refuses_is_told_without_sql() {
    let yaml = "
tools:
  add:
    backend: shop
    description: Add a customer.
    effect: write
    input: { id: { type: string }, email: { type: string, optional: true } }
    sql: INSERT INTO customers (id, name, email, active, credit, joined) VALUES (:id, 'New', :email, CAST(1 AS BOOLEAN), 0, '2026-01-01 00:00:00')
    returns: count
  take:
    backend: shop
    description: Take from the stock.
    effect: write
    input: { id: { type: integer }, count: { type: integer } }
    sql: UPDATE products SET stock = stock - :count WHERE id = :id RETURNING stock
    returns: one
    missing: there is no such product
  order:
    backend: shop
    description: Order.
    effect: write
    input: { customer: { type: string } }
    sql: INSERT INTO orders (id, customer_id, total) VALUES ('o9', :customer, 1)
    returns: count
  wake: { backend: shop, description: Wake., effect: write, returns: many, sql: \"UPDATE customers SET active = CAST(1 AS BOOLEAN) RETURNING id, active, meta\" }
  clear: { backend: shop, description: Clear., effect: destroy, sql: DELETE FROM orders, returns: count }
";
    for engine in engines() {
        let world = World::open(&engine, yaml).await.unwrap_or_else(|problems| panic!("{engine:?}: {problems}"));
        let told = async |tool: &str, arguments: &str| match world.tool(tool, arguments).await {
            Ok(json) => json.as_str().to_owned(),
            Err(fault) => format!("{}: {fault}", fault.kind().code()),
        };
        assert_eq!(told("add", r#"{"id":"c3","email":"new@x.org"}"#).await, r#"{"count":1}"#);
        assert_eq!(told("add", r#"{"id":"c4","email":"ann@x.org"}"#).await, "refused: `email` is already taken; choose another value");
        assert_eq!(told("add", r#"{"id":"c1","email":"c@x.org"}"#).await, "refused: `id` is already taken; choose another value");
        assert_eq!(told("add", r#"{"id":"c5"}"#).await, "refused: `email` must be given");
        assert_eq!(told("take", r#"{"id":1,"count":2}"#).await, r#"{"stock":3}"#);
        assert_eq!(told("take", r#"{"id":1,"count":9}"#).await, "refused: the rule `stock_is_there` does not allow this");
        assert_eq!(told("take", r#"{"id":7,"count":9}"#).await, "not_found: there is no such product");
        let refused = told("order", r#"{"customer":"nobody"}"#).await;
        // PostgreSQL names the column.
        let sentence = "something this refers to does not exist, or is still in use elsewhere";
        let named = "`customer_id` refers to something that does not exist, or is still in use elsewhere";
        assert_eq!(refused, format!("refused: {}", if engine.is_sqlite() { sentence } else { named }));
        let woken = r#"{"rows":[{"id":"c1","active":true,"meta":{"vip": true}},{"id":"c2","active":true,"meta":null},{"id":"c3","active":true,"meta":null}]}"#;
        assert_eq!(told("wake", "{}").await, woken);
        assert_eq!(told("clear", "{}").await, r#"{"count":3}"#);
    }
}

#[tokio::test]
async fn a_write_whose_reply_is_too_large_did_not_happen() {
    let yaml = "
tools:
  nested:
    backend: shop
    description: The reply is too large only with what is nested in it.
    effect: write
    bytes: 60B
    sql: UPDATE products SET stock = stock + 1 WHERE id = 1 RETURNING id
    returns: one
    nest: { orders: { sql: \"SELECT id, total FROM orders ORDER BY id\" } }
  one:
    backend: shop
    description: The row alone is too large.
    effect: write
    bytes: 5B
    sql: UPDATE products SET stock = stock + 1 WHERE id = 1 RETURNING name
    returns: one
  many:
    backend: shop
    description: The first row is too large.
    effect: write
    bytes: 5B
    sql: UPDATE products SET stock = stock + 1 WHERE id = 1 RETURNING name
    returns: many
  stock: { backend: shop, description: Stock., effect: read, returns: count, sql: SELECT stock FROM products WHERE id = 1 }
";
    check(
        yaml,
        &[
            ("nested", "{}", "refused: the reply would be larger than 60 bytes; ask for less"),
            ("one", "{}", "refused: the reply would be larger than 5 bytes; ask for less"),
            ("many", "{}", "refused: one row alone is larger than the 5 bytes a reply may have; ask for less"),
            ("stock", "{}", r#"{"count":5}"#),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_capped_list_says_whether_more_was_changed() {
    let yaml = "
tools:
  change: { backend: shop, description: Change., effect: write, returns: many, rows: 1, sql: UPDATE products SET stock = 1 RETURNING stock }
  look:
    backend: shop
    description: Change, then look at something else.
    effect: write
    rows: 1
    steps: [{ sql: UPDATE products SET stock = 1 WHERE id = 1 }, { sql: SELECT id FROM orders ORDER BY id }]
    returns: many
";
    check(
        yaml,
        &[
            ("change", "{}", r#"{"rows":[{"stock":1}],"notice":"first 1 rows; more were changed than are shown"}"#),
            ("look", "{}", r#"{"rows":[{"id":"o1"}],"notice":"first 1 rows; there are more than are shown"}"#),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_value_that_does_not_fit_is_named() {
    let yaml = "
tools:
  since:
    backend: shop
    description: Since.
    effect: read
    input: { since: { type: string } }
    sql: SELECT id FROM customers WHERE joined >= :since ORDER BY id
    returns: many
";
    for engine in engines() {
        let world = World::open(&engine, yaml).await.unwrap();
        let good = world.tool("since", r#"{"since":"2026-02-01 00:00:00"}"#).await.unwrap();
        assert_eq!(good.as_str(), r#"{"rows":[{"id":"c2"}]}"#);
        if !engine.is_sqlite() {
            let fault = world.tool("since", r#"{"since":"yesterday evening"}"#).await.unwrap_err();
            assert_eq!(fault.to_string(), "`since` does not fit: invalid input syntax for type timestamp");
            assert_eq!(fault.kind().code(), "bad_arguments");
        }
    }
}

#[tokio::test]
async fn a_sentence_is_filled_in_once() {
    let yaml = "
tools:
  refuse:
    backend: shop
    description: Refuse.
    effect: write
    returns: count
    steps:
      - sql: SELECT '{b}' AS a, 'x' AS b
        expect: none
        otherwise: \"{a} {b} {c} {\"
      - sql: DELETE FROM orders
";
    check(yaml, &[("refuse", "{}", "refused: {b} x {c} {")]).await;
}

#[tokio::test]
async fn two_writes_in_each_others_way_are_both_made() {
    let yaml = "
tools:
  swap:
    backend: shop
    description: Take one of each, in this order.
    effect: write
    input: { first: { type: integer }, second: { type: integer } }
    returns: count
    steps:
      - sql: UPDATE products SET stock = stock - 1 WHERE id = :first
        expect: rows
        otherwise: there is no such product
      - sql: SELECT 1 AS one FROM (SELECT pg_sleep(0.3)) AS pause
        expect: rows
        otherwise: it did not wait
      - sql: UPDATE products SET stock = stock - 1 WHERE id = :second
  stock: { backend: shop, description: Stock., effect: read, returns: many, sql: \"SELECT id, stock FROM products ORDER BY id\" }
";
    for engine in engines().into_iter().filter(|engine| !engine.is_sqlite()) {
        let world = World::open(&engine, yaml).await.unwrap_or_else(|problems| panic!("{problems}"));
        let one = world.tool("swap", r#"{"first":1,"second":3}"#);
        let other = world.tool("swap", r#"{"first":3,"second":1}"#);
        let (one, other) = tokio::join!(one, other);
        assert!(one.is_ok() && other.is_ok(), "{one:?} {other:?}");
        let stock = world.tool("stock", "{}").await.unwrap();
        assert_eq!(stock.as_str(), r#"{"rows":[{"id":1,"stock":3},{"id":2,"stock":0},{"id":3,"stock":7}]}"#);
    }
}
