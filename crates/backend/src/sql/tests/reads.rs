//! Reading: types, parameters, nests.

use super::world::{World, check, engines};

#[tokio::test]
async fn every_type_has_its_json() {
    let yaml = "
tools:
  get:
    backend: shop
    description: One customer.
    effect: read
    input: { id: { type: string } }
    sql: SELECT id, active, credit, joined, meta, photo, score FROM customers WHERE id = :id
    returns: one
    missing: no such customer
";
    check(
        yaml,
        &[
            (
                "get",
                r#"{"id":"c1"}"#,
                r#"{"id":"c1","active":true,"credit":"12.50","joined":"2026-01-02T03:04:05","meta":{"vip": true},"photo":"AQI=","score":1.5}"#,
            ),
            (
                "get",
                r#"{"id":"c2"}"#,
                r#"{"id":"c2","active":false,"credit":"0.00","joined":"2026-02-03T04:05:06","meta":null,"photo":null,"score":null}"#,
            ),
            ("get", r#"{"id":"' OR 1=1 --"}"#, "not_found: no such customer"),
        ],
    )
    .await;
}

#[tokio::test]
async fn the_end_of_a_day_is_a_time() {
    let yaml = "
tools:
  get: { backend: shop, description: A time., effect: read, returns: one, sql: \"SELECT TIME '24:00:00' AS last, TIME '00:00:00' AS first\" }
";
    for engine in engines().iter().filter(|engine| !engine.is_sqlite()) {
        let world = World::open(engine, yaml).await.unwrap();
        assert_eq!(world.tool("get", "{}").await.unwrap().as_str(), r#"{"last":"24:00:00","first":"00:00:00"}"#);
    }
}

#[tokio::test]
async fn dates_that_no_calendar_on_a_wall_shows_are_told() {
    let yaml = "
tools:
  get:
    backend: shop
    description: Times.
    effect: read
    returns: one
    sql: |
      SELECT DATE '9999-12-31' AS a, DATE '10000-01-01' AS b, DATE '5874897-12-31' AS c, DATE 'infinity' AS d,
        TIMESTAMP '10000-02-29 23:59:59.5' AS e, TIMESTAMPTZ '294276-12-31 23:59:59Z' AS f, TIMESTAMPTZ '-infinity' AS g,
        TIMESTAMP '9999-12-31 23:59:59' AS h, DATE '0044-03-15 BC' AS i, TIMESTAMP '1999-12-31 12:00:00' AS j
";
    for engine in engines().iter().filter(|engine| !engine.is_sqlite()) {
        let world = World::open(engine, yaml).await.unwrap();
        let expected = concat!(
            r#"{"a":"9999-12-31","b":"10000-01-01","c":"5874897-12-31","d":"infinity","#,
            r#""e":"10000-02-29T23:59:59.5","f":"294276-12-31T23:59:59Z","g":"-infinity","#,
            r#""h":"9999-12-31T23:59:59","i":"-000043-03-15","j":"1999-12-31T12:00:00"}"#
        );
        assert_eq!(world.tool("get", "{}").await.unwrap().as_str(), expected);
    }
}

#[tokio::test]
async fn one_strange_value_does_not_take_the_whole_list_away() {
    let yaml = r#"
tools:
  list: { backend: shop, description: All., effect: read, returns: many, sql: "SELECT id, age FROM odd ORDER BY id" }
  get: { backend: shop, description: One., effect: read, returns: one, input: { id: { type: string } }, sql: "SELECT id, age FROM odd WHERE id = :id" }
  strict: { backend: shop, description: All., effect: read, returns: many, sql: "SELECT id, size FROM odd ORDER BY id" }
  sum: { backend: shop, description: A number., effect: read, returns: count, sql: "SELECT age FROM odd WHERE id = 'b'" }
  put:
    backend: shop
    description: Adds one.
    effect: write
    returns: one
    sql: INSERT INTO odd (id, age, size) VALUES ('e', 'old', 1) RETURNING id, age
  nest:
    backend: shop
    description: One and all.
    effect: read
    returns: one
    sql: SELECT id FROM odd WHERE id = 'a'
    nest: { all: { sql: "SELECT age FROM odd ORDER BY id LIMIT 2" } }
"#;
    let setup = "CREATE TABLE odd (id TEXT PRIMARY KEY NOT NULL, age INTEGER, size INTEGER NOT NULL);
        INSERT INTO odd VALUES ('a', '41', 1), ('b', 'forty', 2), ('c', 40.0, 'large'), ('d', x'28', 4);";
    let world = World::open_over(&engines()[0], yaml, "", setup).await.unwrap();
    let told = async |tool: &str, arguments: &str| match world.tool(tool, arguments).await {
        Ok(json) => json.as_str().to_owned(),
        Err(fault) => format!("{:?}: {}", fault.kind(), fault.message()),
    };
    let text = "holds a text, which is not what its type promises";
    let null = format!("`age` of row 2 {text}, and is null here, as are others like it");
    let refused = |column: &str, row: u8| format!("Refused: `{column}` of row {row} {text}; ask for other rows, or have the value mended");
    let all = r#"{"id":"a","age":41},{"id":"b","age":null},{"id":"c","age":40},{"id":"d","age":null}"#;
    assert_eq!(told("list", "{}").await, format!(r#"{{"rows":[{all}],"notice":"{null}"}}"#));
    assert_eq!(told("nest", "{}").await, format!(r#"{{"id":"a","all":[{{"age":41}},{{"age":null}}],"notice":"in `all`, {null}"}}"#));
    assert_eq!(told("get", r#"{"id":"a"}"#).await, r#"{"id":"a","age":41}"#);
    assert_eq!(told("get", r#"{"id":"b"}"#).await, refused("age", 1));
    assert_eq!(told("strict", "{}").await, refused("size", 3));
    assert_eq!(told("sum", "{}").await, refused("age", 1));
    assert_eq!(told("put", "{}").await, refused("age", 1));
    assert_eq!(told("get", r#"{"id":"e"}"#).await, "NotFound: there is nothing for these arguments");
}

#[tokio::test]
async fn parameters_are_values() {
    let yaml = "
tools:
  find:
    backend: shop
    description: Customers.
    effect: read
    input:
      ids: { type: array, items: { type: string }, optional: true }
      not: { type: array, items: { type: string }, optional: true }
      name: { type: string, optional: true }
      active: { type: boolean, optional: true }
    sql: |
      SELECT id FROM customers
      WHERE (:ids IS NULL OR id IN (:ids)) AND id NOT IN (:not)
        AND (:name IS NULL OR name = :name) AND (:active IS NULL OR active = :active)
      ORDER BY id
    returns: many
  above:
    backend: shop
    description: Products.
    effect: read
    input: { stock: { type: integer } }
    sql: SELECT name FROM products WHERE stock > :stock ORDER BY name
    returns: many
  echo:
    backend: shop
    description: What comes in goes out.
    effect: read
    input: { text: { type: string }, number: { type: number, default: 2.5 }, limit: { type: integer, default: 1 } }
    sql: SELECT CAST(:text AS TEXT) AS text, CAST(:number AS DOUBLE PRECISION) AS number LIMIT :limit
    returns: one
";
    check(
        yaml,
        &[
            ("find", "{}", r#"{"rows":[{"id":"c1"},{"id":"c2"}]}"#),
            ("find", r#"{"ids":["c2","c9"]}"#, r#"{"rows":[{"id":"c2"}]}"#),
            ("find", r#"{"ids":[]}"#, r#"{"rows":[]}"#),
            ("find", r#"{"not":["c2"]}"#, r#"{"rows":[{"id":"c1"}]}"#),
            ("find", r#"{"name":"Ann"}"#, r#"{"rows":[{"id":"c1"}]}"#),
            ("find", r#"{"active":false}"#, r#"{"rows":[{"id":"c2"}]}"#),
            ("above", r#"{"stock":4}"#, r#"{"rows":[{"name":"anvil"},{"name":"crate"}]}"#),
            ("above", r#"{"stock":4.0}"#, r#"{"rows":[{"name":"anvil"},{"name":"crate"}]}"#),
            (
                "above",
                r#"{"stock":9223372036854775808}"#,
                "bad_arguments: `stock` must be a whole number between -9223372036854775808 and 9223372036854775807",
            ),
            ("find", r#"{"name":"Ann\u0000x"}"#, "bad_arguments: `name` must not hold the character U+0000"),
            ("find", r#"{"ids":["c1\u0000"]}"#, "bad_arguments: `ids` must not hold the character U+0000"),
            ("echo", r#"{"text":"a\"b\\c'd;--"}"#, r#"{"text":"a\"b\\c'd;--","number":2.5}"#),
        ],
    )
    .await;
}

#[tokio::test]
async fn nests_are_members_of_the_one_row() {
    let yaml = "
tools:
  get:
    backend: shop
    description: One customer.
    effect: read
    input:
      id: { type: string }
      orders: { type: boolean, default: false }
    sql: SELECT id FROM customers WHERE id = :id
    returns: one
    nest:
      latest: { when: orders, rows: 1, sql: SELECT id FROM orders WHERE customer_id = :id ORDER BY id }
      biggest: { returns: one, sql: SELECT total FROM orders WHERE customer_id = :id ORDER BY total DESC }
      bought: { returns: count, sql: SELECT count(*) FROM orders WHERE customer_id = :id }
";
    check(
        yaml,
        &[
            ("get", r#"{"id":"c1"}"#, r#"{"id":"c1","biggest":{"total":250},"bought":2}"#),
            (
                "get",
                r#"{"id":"c1","orders":true}"#,
                r#"{"id":"c1","latest":[{"id":"o1"}],"biggest":{"total":250},"bought":2,"notice":"`latest` has only the first 1 rows"}"#,
            ),
            ("get", r#"{"id":"c2","orders":true}"#, r#"{"id":"c2","latest":[{"id":"o3"}],"biggest":{"total":7},"bought":1}"#),
            ("get", r#"{"id":"c9","orders":true}"#, "not_found: there is nothing for these arguments"),
        ],
    )
    .await;
}

#[tokio::test]
async fn what_is_nested_is_never_silently_less() {
    let yaml = "
tools:
  list:
    backend: shop
    description: The list does not fit.
    effect: read
    bytes: 40B
    sql: SELECT 'aaaaaaaaaa' AS a
    returns: one
    nest: { orders: { sql: \"SELECT id FROM orders ORDER BY id\" } }
  row:
    backend: shop
    description: The row does not fit.
    effect: read
    bytes: 40B
    sql: SELECT 'aaaaaaaaaa' AS a
    returns: one
    nest: { order: { returns: one, sql: SELECT 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' AS b } }
  count:
    backend: shop
    description: The count does not fit.
    effect: read
    bytes: 20B
    sql: SELECT 'aaaaaaaaaa' AS a
    returns: one
    nest: { orders: { returns: count, sql: SELECT count(*) FROM orders } }
";
    let refusal = |bytes: u8| format!("refused: the reply would be larger than {bytes} bytes; ask for less");
    check(yaml, &[("list", "{}", &refusal(40)), ("row", "{}", &refusal(40)), ("count", "{}", &refusal(20))]).await;
}

#[tokio::test]
async fn counts_are_numbers() {
    let yaml = "
tools:
  count: { backend: shop, description: How many., effect: read, returns: count, sql: SELECT count(*) FROM orders }
  sum: { backend: shop, description: How much., effect: read, returns: count, sql: SELECT CAST(sum(total) AS BIGINT) FROM orders WHERE id = 'no' }
";
    check(yaml, &[("count", "{}", r#"{"count":3}"#), ("sum", "{}", r#"{"count":0}"#)]).await;
}

#[tokio::test]
async fn a_list_of_objects_is_one_query() {
    let yaml = "
tools:
  price:
    backend: shop
    description: What is there.
    effect: read
    input:
      items:
        type: array
        items: { type: object, properties: { product: { type: integer }, quantity: { type: integer, default: 1 } } }
    sql: SELECT p.name, i.quantity FROM :items AS i JOIN products AS p ON p.id = i.product ORDER BY p.id
    returns: many
";
    check(
        yaml,
        &[(
            "price",
            r#"{"items":[{"product":3,"quantity":2},{"product":1}]}"#,
            r#"{"rows":[{"name":"anvil","quantity":1},{"name":"crate","quantity":2}]}"#,
        )],
    )
    .await;
}

#[tokio::test]
async fn output_schemas_follow_from_the_statement() {
    let yaml = "
tools:
  get:
    backend: shop
    description: One customer.
    effect: read
    input: { id: { type: string } }
    sql: SELECT c.id, c.active, c.score, c.meta, c.credit FROM customers AS c WHERE c.id = :id
    returns: one
    nest: { orders: { sql: SELECT total FROM orders WHERE customer_id = :id } }
  outer:
    backend: shop
    description: Maybe an order.
    effect: read
    sql: SELECT c.name, o.id AS order_id FROM customers AS c LEFT JOIN orders AS o ON o.customer_id = c.id
    returns: many
";
    for engine in engines() {
        let world = World::open(&engine, yaml).await.unwrap();
        let offers = world.backend.offers();
        let schema = |index: usize| offers.tools[index].output.as_ref().unwrap().to_value().to_string();
        assert_eq!(
            schema(0),
            r#"{"type":"object","properties":{"id":{"type":"string"},"active":{"type":"boolean"},"score":{"type":["number","null"]},"meta":{},"credit":{"type":"string","description":"a decimal number"},"orders":{"type":"array","items":{"type":"object","properties":{"total":{"type":"integer"}},"required":["total"],"additionalProperties":false}},"notice":{"type":"string","description":"what was left out"}},"required":["id","active","score","meta","credit","orders"],"additionalProperties":false}"#,
            "{engine:?}"
        );
        assert!(
            schema(1).contains(r#""name":{"type":["string","null"]},"order_id":{"type":["string","null"]}"#),
            "{engine:?}: {}",
            schema(1)
        );
    }
}
