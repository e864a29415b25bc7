//! The shop of `examples/shop`, opened and called through the kinds as a gate would: every tool, resource, prompt and completion.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use callgate_config::Document;
use callgate_model::{
    Body, Call, Caller, Catalog, Clock, Deadline, Fault, Invoke, Origin, Reference, Reply, ResourceText, Target, async_trait,
};
use serde_json::{Value, json};

use crate::{Aim, Declared, Opening, Plan, check};

/// A gate without a column: it finds the backend and lets it work.
struct Bare(Catalog);

#[async_trait]
impl Invoke for Bare {
    async fn invoke(&self, mut call: Call) -> Result<Reply, Fault> {
        call.found = self.0.find(&call.target);
        let (_, backend) = call.found.backend().ok_or_else(|| Fault::unknown(call.target.sort(), call.target.name()))?;
        match call.target {
            Target::Tool(_) => backend.call(&call).await,
            Target::Resource(_) => backend.read(&call).await,
            Target::Prompt(_) => backend.prompt(&call).await,
            Target::Completion { .. } => backend.complete(&call).await,
        }
    }
}

fn shop() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/shop")
}

/// The folder of the shop with its database elsewhere.
fn copy_of_shop() -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for folder in ["", "data", "docs", "migrations", "prompts"] {
        std::fs::create_dir_all(copy.path().join(folder)).unwrap();
        for entry in std::fs::read_dir(shop().join(folder)).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_file() && folder != "data" {
                std::fs::copy(entry.path(), copy.path().join(folder).join(entry.file_name())).unwrap();
            }
        }
    }
    copy
}

fn plan(folder: &Path) -> Plan {
    let root = Document::read(folder).unwrap().root();
    let part = |key: &str| root.get(key).unwrap();
    let declared = Declared { backends: part("backends"), tools: part("tools"), resources: part("resources"), prompts: part("prompts") };
    check(&declared).unwrap_or_else(|problems| panic!("{problems}"))
}

async fn ask(gate: &Arc<Bare>, target: Target, arguments: Value) -> Result<Reply, Fault> {
    let arguments = arguments.as_object().cloned().unwrap_or_default();
    let mut call = Call::new(target, arguments, Caller::local(), Arc::new(Origin::default()), Deadline::after(Duration::from_secs(60)));
    let gate: Arc<dyn Invoke> = gate.clone();
    call.gate = Some(Arc::downgrade(&gate));
    gate.invoke(call).await
}

/// What a call gave, as data: a tool's result, a resource's content, a prompt's text, the proposals; or the fault's code and sentence.
async fn shown(gate: &Arc<Bare>, target: Target, arguments: Value) -> Value {
    match ask(gate, target, arguments).await {
        Ok(Reply::Tool(reply)) => reply.structured.map_or(Value::Null, |json| json.to_value()),
        Ok(Reply::Resource(contents)) => match &contents[0].text {
            ResourceText::Text(text) => serde_json::from_str(text).unwrap_or_else(|_| text.as_str().into()),
            ResourceText::Blob(blob) => blob.as_str().into(),
        },
        Ok(Reply::Prompt(prompt)) => match &prompt.messages[0].content.body {
            Body::Text(text) => text.as_str().into(),
            other => panic!("{other:?}"),
        },
        Ok(Reply::Completion(completion)) => json!(completion.values),
        Ok(Reply::InputRequired(_)) => panic!("nothing here asks back"),
        Err(fault) => json!(format!("{}: {} {}", fault.kind().code(), fault.message(), fault.chain())),
    }
}

const PAULA: &str = "cust_lg4pnetrhr3z0yd63v8b";
const SOLO: &str = "prod_0planboardsolo000000";
const CRADLE: &str = "prod_0cradle0000000000000";

/// Tool, arguments, where to look in the result, what is there. `*` is any value but null.
fn reads() -> Vec<(&'static str, Value, &'static str, Value)> {
    let paula = || json!({ "customer_id": PAULA });
    vec![
        ("get_customer", paula(), "/name", json!("Paula King")),
        ("get_customer", json!({ "customer_id": PAULA, "include_orders": true }), "/orders/0/status", json!("delivered")),
        (
            "get_customer",
            json!({ "customer_id": "cust_00000000000000000000" }),
            "",
            json!("not_found: customer_id: there is no customer with this id; search_customers finds one by name or e-mail "),
        ),
        ("search_customers", json!({ "text": "PAULA KING" }), "/rows/0/id", json!(PAULA)),
        ("search_customers", json!({ "text": "a_l" }), "/rows", json!([])),
        ("search_customers", json!({ "text": "%%" }), "/rows", json!([])),
        ("search_customers", json!({ "text": "a!l" }), "/rows", json!([])),
        ("search_customers", json!({ "tier": "enterprise", "status": "suspended" }), "/rows/34/tier", json!("enterprise")),
        ("search_customers", json!({}), "/after", json!("*")),
        (
            "get_customers_batch",
            json!({ "customer_ids": [PAULA, "cust_00000000000000000000", "cust_q0mz7rdym7cj5bh0plsu"] }),
            "/rows/1/name",
            json!("Ines Evans"),
        ),
        ("list_orders", paula(), "/rows/0/id", json!("*")),
        (
            "list_orders",
            json!({ "customer_id": PAULA, "status": "cancelled", "from": "2024-11-01", "to": "2024-11-01" }),
            "/rows",
            json!([]),
        ),
        ("list_tickets", json!({ "status": "open", "priority": "urgent" }), "/rows/0/priority", json!("urgent")),
        ("list_tickets", paula(), "/rows", json!("*")),
        ("get_product_usage", paula(), "/rows", json!("*")),
        ("get_product_usage", json!({ "customer_id": PAULA, "since": "2026-10" }), "/rows", json!("*")),
        ("list_products", json!({ "category": "software", "max_price_cents": 1000 }), "/rows/0/name", json!("Planboard Solo")),
        ("list_products", json!({ "only_low": true }), "/rows/0/name", json!("Small label rolls, box of 24")),
        ("list_products", json!({ "text": "__" }), "/rows", json!([])),
        ("list_products", json!({ "text": "SCANNER" }), "/rows/0/category", json!("accessories")),
        ("check_inventory", json!({ "product_ids": [SOLO, CRADLE] }), "/rows/0/stock", json!("low")),
        ("sales_report", json!({ "by": "month", "from": "2026-09-01", "to": "2026-10-31" }), "/rows/1/label", json!("2026-10")),
        ("sales_report", json!({ "by": "week", "from": "2026-10-19", "to": "2026-10-25" }), "/rows/0/label", json!("2026-10-19")),
        ("sales_report", json!({ "by": "day", "from": "2026-10-31", "to": "2026-10-31" }), "/rows/0/orders", json!("*")),
        ("sales_report", json!({ "by": "product", "from": "2026-10-01", "to": "2026-10-31" }), "/rows/0/product_id", json!("*")),
    ]
}

fn refusals() -> Vec<(&'static str, Value, &'static str)> {
    let order = |customer: &str, product: &str, quantity: i64| json!({ "customer_id": customer, "items": [{ "product_id": product, "quantity": quantity }] });
    vec![
        ("create_order", order("cust_00000000000000000000", SOLO, 1), "there is no customer with this id"),
        ("create_order", order(PAULA, "prod_00000000000000000000", 1), "items: prod_00000000000000000000 is not on sale"),
        ("create_order", order(PAULA, CRADLE, 1000), "of Charging cradle (prod_0cradle0000000000000) are left, 1000 were ordered"),
        (
            "create_customer",
            json!({ "name": "P", "email": "Paula.King@example.com", "country": "DE" }),
            "email: cust_lg4pnetrhr3z0yd63v8b (active) has this address",
        ),
        ("cancel_order", json!({ "order_id": "ord_00000000000000000000" }), "there is no order with this id"),
    ]
}

async fn open(folder: &Path) -> Arc<Bare> {
    let opening = Opening { clock: Clock::Fixed("2026-11-02T09:00:00Z".parse().unwrap()), key: [7; 32], aim: Aim::Serve };
    let opened = plan(folder).open(&opening).await.unwrap_or_else(|problems| panic!("{problems}"));
    let backends: Vec<_> = opened.into_iter().map(|opened| (opened.name, opened.backend)).collect();
    Arc::new(Bare(Catalog::of(backends).unwrap()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_shop_answers() {
    let folder = copy_of_shop();
    answers(&open(folder.path()).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_shop_answers_on_postgresql_and_locks_stock_in_one_order() {
    let Some(server) = std::env::var_os("CALLGATE_TEST_POSTGRES").and_then(|url| url.into_string().ok()) else {
        eprintln!("PostgreSQL is skipped: CALLGATE_TEST_POSTGRES is not set");
        return;
    };
    let schema = format!("callgate_shop_{}", std::process::id());
    let sign = if server.contains('?') { '&' } else { '?' };
    let url = format!("{server}{sign}options=-csearch_path%3D{schema}");
    let database = connect(&url).await;
    database.batch_execute(&format!("DROP SCHEMA IF EXISTS {schema} CASCADE; CREATE SCHEMA {schema}")).await.unwrap();
    let folder = copy_of_shop();
    let main = folder.path().join("callgate.yaml");
    let text = std::fs::read_to_string(&main).unwrap();
    std::fs::write(&main, text.replace("${SHOP_DATABASE_URL:-sqlite:data/shop.db}", &url)).unwrap();
    let gate = open(folder.path()).await;
    answers(&gate).await;
    stock_is_locked_in_one_order(&gate, &database).await;
    database.batch_execute(&format!("DROP SCHEMA {schema} CASCADE")).await.unwrap();
}

async fn connect(url: &str) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// An order that waits for the first of its products has not taken the second, whichever comes first in the order and in the table.
async fn stock_is_locked_in_one_order(gate: &Arc<Bare>, database: &tokio_postgres::Client) {
    for (moved, items) in [(CRADLE, [SOLO, CRADLE]), (CRADLE, [CRADLE, SOLO]), (SOLO, [SOLO, CRADLE]), (SOLO, [CRADLE, SOLO])] {
        // What was written last stands last in the table.
        database.batch_execute(&format!("UPDATE inventory SET on_hand = on_hand + 9 WHERE product_id = '{moved}'")).await.unwrap();
        database.batch_execute(&format!("BEGIN; SELECT 1 FROM inventory WHERE product_id = '{CRADLE}' FOR UPDATE")).await.unwrap();
        let items = items.map(|product| json!({ "product_id": product, "quantity": 1 }));
        let order = json!({ "customer_id": PAULA, "items": items });
        let (order, ()) = tokio::join!(shown(gate, Target::Tool("create_order".into()), order), async {
            let waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))";
            while database.query_one(waits, &[]).await.unwrap().get::<_, i64>(0) == 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            let other = format!("SELECT 1 FROM inventory WHERE product_id = '{SOLO}' FOR UPDATE NOWAIT");
            database.batch_execute(&other).await.expect("the second product is not locked before the first");
            database.batch_execute("COMMIT").await.unwrap();
        });
        assert_eq!(order["total_cents"], json!(4900 + 900), "{order}");
    }
}

async fn answers(gate: &Arc<Bare>) {
    for (tool, arguments, at, expected) in reads() {
        let result = shown(gate, Target::Tool(tool.into()), arguments.clone()).await;
        let found = result.pointer(at).cloned().unwrap_or(Value::Null);
        let fits = if expected == json!("*") { !found.is_null() } else { found == expected };
        assert!(fits, "{tool} {arguments} at {at}: {result}");
    }
    for (tool, arguments, sentence) in refusals() {
        let result = shown(gate, Target::Tool(tool.into()), arguments.clone()).await.to_string();
        assert!(result.contains(sentence), "{tool} {arguments}: {result}");
    }
    an_order_is_placed_and_cancelled(gate).await;
    what_is_read(gate).await;
    what_is_asked_for(gate).await;
}

async fn an_order_is_placed_and_cancelled(gate: &Arc<Bare>) {
    let tool = |name: &str, arguments: Value| shown(gate, Target::Tool(name.into()), arguments);
    let left = async || tool("check_inventory", json!({ "product_ids": [CRADLE] })).await["rows"][0]["on_hand"].as_i64().unwrap();
    let before = left().await;
    let items =
        json!([{ "product_id": CRADLE, "quantity": 2 }, { "product_id": SOLO, "quantity": 1 }, { "product_id": CRADLE, "quantity": 1 }]);
    let customer = tool("create_customer", json!({ "name": "Nora Test", "email": "Nora.Test@example.net", "country": "SE" })).await;
    let order = tool("create_order", json!({ "customer_id": customer["id"], "items": items, "method": "paypal" })).await;
    assert_eq!(order["total_cents"], json!(3 * 4900 + 900), "{customer} {order}");
    assert_eq!(order["created_at"], json!("2026-11-02T09:00:00Z"));
    assert_eq!(left().await, before - 3);

    let order = tool("get_order", json!({ "order_id": order["id"] })).await;
    assert_eq!(order["items"].as_array().unwrap().len(), 2, "{order}");
    assert_eq!(order["payments"][0]["amount_cents"], order["total_cents"], "{order}");
    let cancelled = tool("cancel_order", json!({ "order_id": order["id"] })).await;
    assert_eq!((&cancelled["status"], &cancelled["refunded_cents"]), (&json!("cancelled"), &order["total_cents"]), "{cancelled}");
    assert_eq!(left().await, before);
    let again = tool("cancel_order", json!({ "order_id": order["id"] })).await.to_string();
    assert!(again.contains("the order is cancelled and can no longer be cancelled"), "{again}");
}

async fn what_is_read(gate: &Arc<Bare>) {
    let cases = [
        ("database://schema/orders", "customer_id"),
        ("catalogue://products", "Planboard Solo"),
        ("customer://cust_lg4pnetrhr3z0yd63v8b", "spent_cents"),
        ("docs://returns", "within 30 days"),
        ("docs://tiers", "named contact"),
    ];
    for (uri, text) in cases {
        let result = shown(gate, Target::Resource(uri.into()), Value::Null).await.to_string();
        assert!(result.contains(text), "{uri}: {result}");
    }
}

async fn what_is_asked_for(gate: &Arc<Bare>) {
    let week = json!({ "from": "2026-10-19", "to": "2026-10-25" });
    let cases = [
        ("analyze_customer_churn", json!({ "customer_id": PAULA, "tone": "brief" }), "In five sentences at most"),
        ("analyze_customer_churn", json!({ "customer_id": PAULA }), "# Paula King (cust_lg4pnetrhr3z0yd63v8b)"),
        (
            "analyze_customer_churn",
            json!({ "customer_id": "cust_00000000000000000000" }),
            "the prompt needs `customer`, but `get_customer` failed",
        ),
        ("analyze_customer_churn", json!({ "customer": PAULA }), "bad_request: prompt `analyze_customer_churn` has no argument `customer`"),
        ("analyze_customer_churn", json!({}), "bad_request: prompt `analyze_customer_churn` needs the argument `customer_id`"),
        ("weekly_sales_review", week, "- 2026-10-19: "),
    ];
    for (prompt, arguments, text) in cases {
        let result = shown(gate, Target::Prompt(prompt.into()), arguments.clone()).await.to_string();
        assert!(result.contains(text), "{prompt} {arguments}: {result}");
    }
    let churn = || Reference::Prompt("analyze_customer_churn".into());
    let cases = [
        (churn(), "customer_id", "cust_lg4pne", json!(["cust_lg4pneinm7cj9wr54r9k", PAULA])),
        (churn(), "customer_id", "cust%lg4pne", json!([])),
        (churn(), "tone", "h", json!(["thorough"])),
        (Reference::Prompt("weekly_sales_review".into()), "from", "2026-10-19", json!(["2026-10-19"])),
        (Reference::Template("customer://{customer_id}".into()), "customer_id", "cust_lg4pne", json!(["cust_lg4pneinm7cj9wr54r9k", PAULA])),
        (Reference::Template("database://schema/{table}".into()), "table", "order_", json!(["order_items"])),
    ];
    for (of, argument, value, expected) in cases {
        let target = Target::Completion { of, argument: argument.into(), value: value.into() };
        assert_eq!(shown(gate, target.clone(), Value::Null).await, expected, "{target:?}");
    }
}
