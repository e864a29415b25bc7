//! What statements read of the caller, and what PostgreSQL is told of it.

use std::sync::Arc;

use callgate_model::{Caller, Fault, Json, Proof, Target};
use serde_json::json;

use super::world::{World, engines, open};

const TOOLS: &str = r"
tools:
  who:
    backend: shop
    description: Who is calling.
    effect: read
    input:
      caller: { type: string, optional: true }
    sql: |
      SELECT CAST(:caller.id AS TEXT) AS id, CAST(:caller.tenant AS TEXT) AS tenant, CAST(:caller.proof AS TEXT) AS proof,
        CAST(:caller.claims.region AS TEXT) AS region, CAST(:caller.claims.team.name AS TEXT) AS team, CAST(:caller AS TEXT) AS given
    returns: one
    nest:
      mine: { sql: SELECT id FROM orders WHERE customer_id = :caller.id ORDER BY id }
      named: { sql: 'SELECT name FROM products WHERE name IN (:caller.roles) ORDER BY id' }
  mine:
    backend: shop
    description: The caller's orders.
    effect: read
    sql: SELECT id FROM orders WHERE customer_id = :caller.id AND total < :caller.claims.limit ORDER BY id
    returns: many
  place:
    backend: shop
    description: Place an order.
    effect: write
    input: { id: { type: string } }
    sql: INSERT INTO orders (id, customer_id, total) VALUES (:id, :caller.id, 1) RETURNING customer_id
    returns: one
";

fn caller(tenant: &str, id: &str, roles: &[&str]) -> Arc<Caller> {
    let claims = json!({ "region": "eu", "limit": 200, "team": { "name": "blue" } });
    let mut caller = Caller::new(tenant, id, Proof::Key);
    caller.roles = roles.iter().map(|role| (*role).into()).collect();
    caller.claims = claims.as_object().cloned().unwrap();
    Arc::new(caller)
}

async fn say(world: &World, caller: &Arc<Caller>, tool: &str, arguments: &str) -> Result<Json, Fault> {
    let mut call = world.call(Target::Tool(tool.into()), arguments);
    call.caller = caller.clone();
    world.make(&call).await
}

#[tokio::test]
async fn statements_read_who_is_calling() {
    for engine in engines() {
        let world = World::open(&engine, TOOLS).await.unwrap_or_else(|problems| panic!("{problems}"));
        let ann = caller("acme", "c1", &["anvil", "crate"]);
        let told = say(&world, &ann, "who", r#"{"caller": "{\"id\": \"c2\"}"}"#).await.unwrap();
        let expected = json!({
            "id": "c1", "tenant": "acme", "proof": "key", "region": "eu", "team": "blue", "given": "{\"id\": \"c2\"}",
            "mine": [{ "id": "o1" }, { "id": "o2" }], "named": [{ "name": "anvil" }, { "name": "crate" }],
        });
        assert_eq!(told.to_value(), expected, "{engine:?}");
        assert_eq!(say(&world, &ann, "mine", "{}").await.unwrap().as_str(), r#"{"rows":[{"id":"o1"}]}"#, "{engine:?}");
        let bob = caller("acme", "c2", &[]);
        assert_eq!(say(&world, &bob, "mine", "{}").await.unwrap().as_str(), r#"{"rows":[{"id":"o3"}]}"#, "{engine:?}");
        assert_eq!(say(&world, &bob, "place", r#"{"id": "o9"}"#).await.unwrap().as_str(), r#"{"customer_id":"c2"}"#, "{engine:?}");
        let bare = Arc::new(Caller::new("acme", "c3", Proof::Key));
        let told = say(&world, &bare, "who", "{}").await.unwrap().to_value();
        assert!(told["region"].is_null() && told["team"].is_null() && told["named"] == json!([]), "{told}");
        assert_eq!(say(&world, &bare, "mine", "{}").await.unwrap().as_str(), r#"{"rows":[]}"#, "a claim that is not there is NULL");
        let odd = Arc::new(Caller::new("acme", "c\0", Proof::Key));
        assert_eq!(say(&world, &odd, "mine", "{}").await.unwrap_err().kind().code(), "denied");
    }
}

#[tokio::test]
async fn mistakes_about_the_caller_are_reported() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("migrations")).unwrap();
    let tool =
        |sql: &str| format!("tools:\n  t:\n    backend: shop\n    description: d\n    effect: read\n    sql: {sql}\n    returns: many\n");
    let session = "    session: { role: a, settings: { app.tenant: caller.tenant } }\n";
    for (url, yaml, keys, expected) in [
        ("sqlite:a.db", tool("SELECT :caller.name AS a"), "", "there is no `:caller.name`"),
        ("sqlite:a.db", tool("SELECT :caller.claims AS a"), "", "there is no `:caller.claims`"),
        ("sqlite:a.db", tool("SELECT :caller.id.x AS a"), "", "there is no `:caller.id.x`"),
        ("sqlite:a.db", tool("SELECT 1 AS a"), session, "SQLite has no roles"),
        (
            "postgres://h/d",
            tool("SELECT 1 AS a"),
            "    session: { settings: { role: caller.id } }\n",
            "`role` cannot be set from the caller",
        ),
        ("postgres://h/d", tool("SELECT 1 AS a"), "    session: { settings: { app.x: args.id } }\n", "there is no `args.id`"),
        (
            "postgres://h/d",
            tool("SELECT 1 AS a"),
            "    session: { settings: { \"app.x'\": caller.id } }\n",
            "cannot be set from the caller",
        ),
    ] {
        let told = open(folder.path(), url, &yaml, keys).await.err().unwrap().to_string();
        assert!(told.contains(expected), "{yaml}{keys}: {told}");
    }
}

/// The statement filters nothing: the policy alone keeps tenants apart, in reads, in writes, and in what is nested.
#[tokio::test]
async fn row_level_security_keeps_tenants_apart() {
    let Some(engine) = engines().into_iter().find(|engine| !engine.is_sqlite()) else { return };
    let role = format!("callgate_agent_{}", std::process::id());
    let yaml = "
tools:
  count: { backend: shop, description: d, effect: read, sql: SELECT count(*) FROM notes, returns: count }
  list:
    backend: shop
    description: d
    effect: read
    sql: SELECT current_user::text AS me, current_setting('app.tenant', true) AS tenant
    returns: one
    nest: { notes: { sql: SELECT tenant FROM notes ORDER BY id } }
  add:
    backend: shop
    description: d
    effect: write
    input: { tenant: { type: string } }
    sql: INSERT INTO notes (tenant) VALUES (:tenant) RETURNING tenant
    returns: one
";
    let setup = format!(
        "CREATE TABLE notes (id SERIAL PRIMARY KEY, tenant TEXT NOT NULL);
         INSERT INTO notes (tenant) VALUES ('acme'), ('acme'), ('acme'), ('beta'), ('beta');
         ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
         DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN CREATE ROLE {role} NOLOGIN; END IF; END $$;
         CREATE POLICY tenants ON notes TO {role} USING (tenant = current_setting('app.tenant', true));
         DO $$ BEGIN EXECUTE format('GRANT USAGE ON SCHEMA %I TO {role}', current_schema()); END $$;
         GRANT SELECT, INSERT ON notes TO {role}; GRANT USAGE ON SEQUENCE notes_id_seq TO {role};"
    );
    let keys = format!("    pool: {{ size: 1 }}\n    session: {{ role: {role}, settings: {{ app.tenant: caller.tenant }} }}\n");
    let world = World::open_over(&engine, yaml, &keys, &setup).await.unwrap_or_else(|problems| panic!("{problems}"));
    let (ann, bob, none) = (caller("acme", "ann", &[]), caller("beta", "bob", &[]), caller("", "eve", &[]));
    // One connection serves them all, one after the other.
    for _ in 0..3 {
        for (caller, count) in [(&ann, 3), (&bob, 2), (&none, 0)] {
            assert_eq!(say(&world, caller, "count", "{}").await.unwrap().as_str(), format!("{{\"count\":{count}}}"));
            let told = say(&world, caller, "list", "{}").await.unwrap().to_value();
            assert_eq!(told["me"], role.as_str());
            assert_eq!(told["tenant"], caller.tenant().as_ref());
            let notes = told["notes"].as_array().unwrap();
            assert!(notes.len() == count && notes.iter().all(|note| note["tenant"] == caller.tenant().as_ref()), "{told}");
        }
    }
    let refused = say(&world, &ann, "add", r#"{"tenant": "beta"}"#).await.unwrap_err();
    assert!(refused.chain().contains("row-level security"), "{}", refused.chain());
    assert_eq!(say(&world, &bob, "add", r#"{"tenant": "beta"}"#).await.unwrap().as_str(), r#"{"tenant":"beta"}"#);
    assert_eq!(say(&world, &ann, "count", "{}").await.unwrap().as_str(), r#"{"count":3}"#);
    assert_eq!(say(&world, &bob, "count", "{}").await.unwrap().as_str(), r#"{"count":3}"#);
    world.clean(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
}
