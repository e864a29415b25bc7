//! A database with a few rows in it, and a way to ask for things.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use callgate_config::{Document, Problems};
use callgate_model::{Backend, Call, Caller, Catalog, Clock, Deadline, Fault, Found, Json, Origin, Reply, ResourceText, Target};
use serde_json::Value;
use tempfile::TempDir;

use crate::{Aim, Declared, Opening};

const SQLITE: &str = "
CREATE TABLE customers (id TEXT PRIMARY KEY NOT NULL, name TEXT NOT NULL, email TEXT NOT NULL UNIQUE, active BOOLEAN NOT NULL,
  credit NUMERIC(10,2) NOT NULL, joined TIMESTAMP NOT NULL, meta JSON, photo BLOB, score DOUBLE PRECISION);
CREATE TABLE products (id INTEGER PRIMARY KEY, name TEXT NOT NULL, stock BIGINT NOT NULL, CONSTRAINT stock_is_there CHECK (stock >= 0));
CREATE TABLE orders (id TEXT PRIMARY KEY NOT NULL, customer_id TEXT NOT NULL REFERENCES customers (id), total BIGINT NOT NULL);
CREATE INDEX orders_customer ON orders (customer_id);
CREATE VIEW names AS SELECT name FROM customers;
INSERT INTO customers VALUES
 ('c1', 'Ann', 'ann@x.org', 1, 12.5, '2026-01-02 03:04:05', '{\"vip\": true}', x'0102', 1.5),
 ('c2', 'Bob', 'bob@x.org', 0, 0, '2026-02-03 04:05:06', NULL, NULL, NULL);
";

const POSTGRES: &str = "
CREATE TABLE customers (id TEXT PRIMARY KEY NOT NULL, name TEXT NOT NULL, email TEXT NOT NULL UNIQUE, active BOOLEAN NOT NULL,
  credit NUMERIC(10,2) NOT NULL, joined TIMESTAMP NOT NULL, meta JSONB, photo BYTEA, score DOUBLE PRECISION);
CREATE TABLE products (id INTEGER PRIMARY KEY, name TEXT NOT NULL, stock BIGINT NOT NULL, CONSTRAINT stock_is_there CHECK (stock >= 0));
CREATE TABLE orders (id TEXT PRIMARY KEY NOT NULL, customer_id TEXT NOT NULL REFERENCES customers (id), total BIGINT NOT NULL);
CREATE INDEX orders_customer ON orders (customer_id);
CREATE VIEW names AS SELECT name FROM customers;
INSERT INTO customers VALUES
 ('c1', 'Ann', 'ann@x.org', true, 12.5, '2026-01-02 03:04:05', '{\"vip\": true}', '\\x0102', 1.5),
 ('c2', 'Bob', 'bob@x.org', false, 0, '2026-02-03 04:05:06', NULL, NULL, NULL);
";

const BOTH: &str = "
CREATE TABLE \"strange things\" (\"B c\" INTEGER NOT NULL, a TEXT NOT NULL, twice INTEGER GENERATED ALWAYS AS (\"B c\" * 2) STORED,
  PRIMARY KEY (\"B c\", a));
CREATE INDEX strange_things_index ON \"strange things\" (\"B c\", lower(a));
INSERT INTO products VALUES (1, 'anvil', 5), (2, 'bolt', 0), (3, 'crate', 9);
INSERT INTO orders VALUES ('o1', 'c1', 100), ('o2', 'c1', 250), ('o3', 'c2', 7);
";

/// The engines of this run.
pub(super) fn engines() -> Vec<Engine> {
    let postgres = std::env::var_os("CALLGATE_TEST_POSTGRES").and_then(|url| url.into_string().ok());
    if postgres.is_none() {
        eprintln!("PostgreSQL is skipped: CALLGATE_TEST_POSTGRES is not set");
    }
    std::iter::once(Engine::Sqlite).chain(postgres.map(Engine::Postgres)).collect()
}

#[derive(Clone, Debug)]
pub(super) enum Engine {
    Sqlite,
    Postgres(String),
}

impl Engine {
    pub(super) fn is_sqlite(&self) -> bool {
        matches!(self, Self::Sqlite)
    }

    /// A database of the test's own.
    async fn url(&self, folder: &Path) -> String {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        match self {
            Self::Sqlite => format!("sqlite:{}", folder.join("test.db").display()),
            Self::Postgres(url) => {
                let schema = format!("callgate_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
                let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
                tokio::spawn(connection);
                client.batch_execute(&format!("DROP SCHEMA IF EXISTS {schema} CASCADE; CREATE SCHEMA {schema}")).await.unwrap();
                let sign = if url.contains('?') { '&' } else { '?' };
                format!("{url}{sign}application_name={schema}&options=-csearch_path%3D{schema}")
            }
        }
    }
}

/// An open database.
pub(super) struct World {
    pub(super) folder: TempDir,
    pub(super) url: String,
    pub(super) backend: Arc<dyn Backend>,
    catalog: Catalog,
}

impl World {
    /// Opens what `yaml` declares (`tools`, `resources`, …) over the rows above.
    pub(super) async fn open(engine: &Engine, yaml: &str) -> Result<Self, Problems> {
        Self::open_with(engine, yaml, "").await
    }

    /// The same with more keys for the backend.
    pub(super) async fn open_with(engine: &Engine, yaml: &str, keys: &str) -> Result<Self, Problems> {
        Self::open_over(engine, yaml, keys, "").await
    }

    /// The same over more than the rows above: `setup` runs after them.
    pub(super) async fn open_over(engine: &Engine, yaml: &str, keys: &str, setup: &str) -> Result<Self, Problems> {
        let folder = tempfile::tempdir().unwrap();
        let migrations = folder.path().join("migrations");
        std::fs::create_dir(&migrations).unwrap();
        std::fs::write(migrations.join("001.sqlite.sql"), SQLITE).unwrap();
        std::fs::write(migrations.join("001.postgres.sql"), POSTGRES).unwrap();
        std::fs::write(migrations.join("002.sql"), BOTH).unwrap();
        if !setup.is_empty() {
            std::fs::write(migrations.join("003.sql"), setup).unwrap();
        }
        let url = engine.url(folder.path()).await;
        let backend = open(folder.path(), &url, yaml, keys).await?;
        let name = callgate_model::BackendName::new("shop").unwrap();
        let catalog = Catalog::of([(name, backend.clone())]).unwrap();
        Ok(Self { folder, url, backend, catalog })
    }

    /// Runs a script in a database of PostgreSQL, past the gate.
    pub(super) async fn clean(&self, script: &str) {
        let (client, connection) = tokio_postgres::connect(&self.url, tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        client.batch_execute(script).await.unwrap();
    }

    pub(super) fn call(&self, target: Target, arguments: &str) -> Call {
        self.call_by(target, arguments, "local", Duration::from_secs(10))
    }

    pub(super) fn call_by(&self, target: Target, arguments: &str, caller: &str, within: Duration) -> Call {
        let arguments = serde_json::from_str(arguments).unwrap();
        let caller = Arc::new(Caller::new("local", caller, callgate_model::Proof::Local));
        let mut call = Call::new(target, arguments, caller, Arc::new(Origin::default()), Deadline::after(within));
        call.found = self.catalog.find(&call.target);
        call
    }

    /// What a tool gives.
    pub(super) async fn tool(&self, name: &str, arguments: &str) -> Result<Json, Fault> {
        self.make(&self.call(Target::Tool(name.into()), arguments)).await
    }

    pub(super) async fn make(&self, call: &Call) -> Result<Json, Fault> {
        match self.backend.call(call).await? {
            Reply::Tool(reply) => {
                let json = reply.structured.unwrap();
                if let Found::Tool(item) = &call.found {
                    fits(&json.to_value(), &item.offer.output.as_ref().unwrap().to_value());
                }
                Ok(json)
            }
            other => panic!("{other:?}"),
        }
    }

    /// What reading a resource gives.
    pub(super) async fn resource(&self, uri: &str) -> Result<String, Fault> {
        match self.backend.read(&self.call(Target::Resource(uri.into()), "{}")).await? {
            Reply::Resource(contents) => match &contents[0].text {
                ResourceText::Text(text) => Ok(text.clone()),
                ResourceText::Blob(_) => panic!("bytes"),
            },
            other => panic!("{other:?}"),
        }
    }
}

pub(super) async fn open(folder: &Path, url: &str, yaml: &str, keys: &str) -> Result<Arc<dyn Backend>, Problems> {
    open_to(Aim::Serve, folder, url, yaml, keys).await
}

pub(super) async fn open_to(aim: Aim, folder: &Path, url: &str, yaml: &str, keys: &str) -> Result<Arc<dyn Backend>, Problems> {
    let head = format!("backends:\n  shop:\n    kind: sql\n    url: '{url}'\n    migrations: migrations\n    migrate: at_start\n{keys}");
    std::fs::write(folder.join("callgate.yaml"), format!("{head}\n{yaml}")).unwrap();
    let root = Document::read(&folder.join("callgate.yaml"))?.root();
    std::fs::write(folder.join("empty.yml"), "none: {}").unwrap();
    let none = Document::read(&folder.join("empty.yml")).unwrap().root().get("none").unwrap();
    let part = |key: &str| root.get(key).unwrap_or_else(|| none.clone());
    let declared = Declared { backends: part("backends"), tools: part("tools"), resources: part("resources"), prompts: part("prompts") };
    let opening = Opening { clock: Clock::Fixed("2026-07-28T12:00:00Z".parse().unwrap()), key: [7; 32], aim };
    let opened = crate::check(&declared)?.open(&opening).await?;
    Ok(opened.into_iter().find(|opened| opened.name.as_str() == "shop").unwrap().backend)
}

/// Does `value` fit the parts of JSON Schema that output schemas are made of?
pub(super) fn fits(value: &Value, schema: &Value) {
    if let Some(choices) = schema.get("anyOf").and_then(Value::as_array) {
        assert!(choices.iter().any(|choice| types(choice).contains(&kind(value))), "{value} in {schema}");
        return;
    }
    let types = types(schema);
    let is_number = kind(value) == "integer" && types.contains(&"number");
    assert!(types.is_empty() || types.contains(&kind(value)) || is_number, "{value} in {schema}");
    if let (Some(members), Some(properties)) = (value.as_object(), schema["properties"].as_object()) {
        for (name, member) in members {
            fits(member, properties.get(name).unwrap_or_else(|| panic!("{name} in {schema}")));
        }
        for name in schema["required"].as_array().unwrap() {
            assert!(members.contains_key(name.as_str().unwrap()), "{name} in {value}");
        }
    }
    for item in value.as_array().into_iter().flatten() {
        fits(item, schema.get("items").unwrap_or(&Value::Bool(true)));
    }
}

fn types(schema: &Value) -> Vec<&str> {
    match schema.get("type") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Opens `yaml` on each engine and makes the calls in order: tool, arguments, and the reply or `code: sentence`.
pub(super) async fn check(yaml: &str, calls: &[(&str, &str, &str)]) {
    for engine in engines() {
        let world = World::open(&engine, yaml).await.unwrap_or_else(|problems| panic!("{engine:?}: {problems}"));
        for (tool, arguments, expected) in calls {
            let told = match world.tool(tool, arguments).await {
                Ok(json) => json.as_str().to_owned(),
                Err(fault) if fault.kind().code() == "internal" => format!("internal: {}", fault.chain()),
                Err(fault) => format!("{}: {fault}", fault.kind().code()),
            };
            assert_eq!(told, *expected, "{tool} {arguments} on {engine:?}");
        }
    }
}
