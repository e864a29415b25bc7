//! The walls that PostgreSQL itself keeps: who sees which rows even where a statement filters nothing, and what no statement of a tool
//! that reads can do, however it came to run. Also the gate's own wall before it, which takes one statement, and reads that read.

use callgate_testkit::{Folder, Postgres, http::Request};
use expect_test::expect;
use serde_json::{Value, json};
use tokio_postgres::{Client, NoTls};

use crate::{
    canary,
    gate::{Gate, run},
    row::{Edit as _, Row, call, row},
};

/// `gate` may log in and nothing else; `agent` owns nothing. The functions are what a careless operator has.
const SETUP: &str = "
    CREATE ROLE agent NOLOGIN; CREATE ROLE gate LOGIN NOINHERIT; GRANT agent TO gate; ALTER ROLE gate SET log_statement = 'all';
    CREATE TABLE notes (id SERIAL PRIMARY KEY, tenant TEXT NOT NULL, owner TEXT NOT NULL, text TEXT NOT NULL);
    INSERT INTO notes (tenant, owner, text) VALUES
        ('acme', 'ann', 'a1'), ('acme', 'ann', 'a2'), ('acme', 'bob', 'b1'), ('globex', 'ann', 'g1'), ('globex', 'gil', 'g2');
    ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
    CREATE POLICY own ON notes TO agent USING (tenant = current_setting('app.tenant', true) AND owner = current_setting('app.owner', true));
    GRANT SELECT, INSERT, UPDATE, DELETE ON notes TO agent; GRANT USAGE ON SEQUENCE notes_id_seq TO agent;
    CREATE TABLE strict_notes (text TEXT PRIMARY KEY, password TEXT CHECK (length(password) < 8));
    GRANT SELECT, INSERT ON strict_notes TO agent;
    INSERT INTO strict_notes VALUES ('{EMAIL}', ''), ('{CARD}', '');
    CREATE FUNCTION all_notes() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM notes';
    REVOKE EXECUTE ON FUNCTION all_notes() FROM PUBLIC;
    CREATE FUNCTION as_itself() RETURNS bigint LANGUAGE plpgsql AS
        $$ BEGIN PERFORM set_config('role', 'none', true); RETURN (SELECT count(*) FROM notes); END $$;
    CREATE FUNCTION as_owner() RETURNS bigint LANGUAGE plpgsql AS
        $$ BEGIN EXECUTE 'SET LOCAL ROLE callgate'; RETURN (SELECT count(*) FROM notes); END $$;
    CREATE FUNCTION careless(statement text) RETURNS text LANGUAGE plpgsql AS
        $$ BEGIN EXECUTE statement; RETURN 'done'; END $$;
";

const TOOLS: &str = "
  seen: { backend: pg, description: Every note there is., effect: read, allow: anyone, returns: many, sql: 'SELECT tenant, owner, text FROM notes ORDER BY id' }
  found:
    backend: pg
    description: Every note with this text.
    effect: read
    allow: anyone
    input: { text: { type: string } }
    sql: SELECT tenant, owner, text FROM notes WHERE text = :text ORDER BY id
    returns: many
  put:
    backend: pg
    description: Add a note for anybody.
    effect: write
    allow: anyone
    input: { tenant: { type: string }, owner: { type: string } }
    sql: INSERT INTO notes (tenant, owner, text) VALUES (:tenant, :owner, 'new') RETURNING tenant
    returns: one
  take:
    backend: pg
    description: Remove every note there is.
    effect: destroy
    allow: anyone
    sql: DELETE FROM notes RETURNING tenant, owner
    returns: many
  all_notes: { backend: pg, description: Count past the rules., effect: read, allow: anyone, returns: one, sql: SELECT all_notes() AS n }
  as_itself: { backend: pg, description: Count as who logs in., effect: read, allow: anyone, returns: one, sql: SELECT as_itself() AS n }
  as_owner: { backend: pg, description: Count as who owns it., effect: read, allow: anyone, returns: one, sql: SELECT as_owner() AS n }
  typed:
    backend: pg
    description: A secret where a number should be.
    effect: read
    allow: anyone
    input: { password: { type: string } }
    sql: SELECT CAST(:password::text AS integer) AS n
    returns: one
  paired:
    backend: pg
    description: A secret where a name should be.
    effect: read
    allow: anyone
    input: { password: { type: string } }
    sql: SELECT :password::uuid AS n
    returns: one
  once:
    backend: pg
    description: A text that can stand there once.
    effect: write
    allow: anyone
    input: { text: { type: string }, password: { type: string, optional: true } }
    sql: INSERT INTO strict_notes (text, password) VALUES (:text, :password) RETURNING 1 AS done
    returns: one
  careless:
    backend: pg
    description: Run whatever the caller says.
    effect: read
    allow: anyone
    input: { statement: { type: string } }
    sql: SELECT careless(:statement) AS done
    returns: one
";

/// A gate over a database of its own, with one connection for all callers, and a connection past everything.
async fn start() -> Option<(Gate, Postgres, Client)> {
    let postgres = Postgres::start(Postgres::programs()?).await.unwrap();
    let client = connect(&postgres, &SETUP.replace("{EMAIL}", canary::EMAIL).replace("{CARD}", canary::CARD)).await;
    let url = postgres.url().replace("callgate@", "gate@");
    let session = "session: { role: agent, settings: { app.tenant: caller.tenant, app.owner: caller.id } }";
    let backend = format!("backends:\n  pg: {{ kind: sql, url: '{url}', pool: {{ size: 1 }}, {session} }}\n");
    let tools = format!("\ntools:{TOOLS}");
    let gate = Gate::start_with(&[("backends:\n", &backend), ("\ntools:\n", &tools)]).await;
    Some((gate, postgres, client))
}

async fn connect(postgres: &Postgres, setup: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(&postgres.url(), NoTls).await.unwrap();
    tokio::spawn(connection);
    client.batch_execute(setup).await.unwrap();
    client
}

/// The texts of the notes that come back.
async fn texts(gate: &mut Gate, request: Request) -> Vec<String> {
    let reply = request.header("X-Request-ID", "rows").send(gate.address).await.unwrap().json().await.unwrap();
    gate.owe("rows", "ok", 1);
    let rows = reply["result"]["structuredContent"]["rows"].as_array().unwrap_or_else(|| panic!("no rows in {reply}")).clone();
    rows.iter().map(|row| row["text"].as_str().unwrap_or_default().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_of_others() {
    let Some((mut gate, postgres, client)) = start().await else { return };
    let callers = [
        (gate.token("ann", "acme", ""), vec!["a1", "a2"]),
        (gate.token("bob", "acme", ""), vec!["b1"]),
        (gate.token("ann", "globex", ""), vec!["g1"]),
        (gate.token("ann' OR true --", "acme", ""), vec![]),
    ];
    // One connection serves them all, one after the other.
    for _ in 0..3 {
        for (token, expected) in &callers {
            assert_eq!(texts(&mut gate, call("seen", &json!({})).bearer(token)).await, *expected);
            for text in ["g2", "' OR true --", "a1'; RESET ROLE; SELECT '", "a1\\'; SET app.tenant = 'globex'; --", "$1", "{{text}}"] {
                let request = call("found", &json!({ "text": text })).bearer(token);
                assert_eq!(texts(&mut gate, request).await, Vec::<String>::new(), "{text}");
            }
        }
    }
    let ann = &callers[0].0;
    gate.play(past_the_rules(ann)).await;
    assert_eq!(notes(&client).await, 5);
    // What it takes away is its own.
    let request = call("take", &json!({})).bearer(ann).with("X-Request-ID", "taken");
    let reply = request.send(gate.address).await.unwrap().json().await.unwrap();
    let gone = json!([{ "tenant": "acme", "owner": "ann" }, { "tenant": "acme", "owner": "ann" }]);
    assert_eq!(reply["result"]["structuredContent"]["rows"], gone, "{reply}");
    gate.owe("taken", "ok", 1);
    assert_eq!(notes(&client).await, 3);
    // The database hears who is calling and with which arguments, and nothing of what they showed to be recognised.
    let heard = postgres.said();
    assert!(heard.contains("'globex'") && heard.contains("SET LOCAL ROLE"), "what the gate says to the database is heard: {heard}");
    let found = gate.cage.found(heard.as_bytes());
    assert!(!found.is_empty() && found.iter().all(|name| name.contains(" argument")), "{found:?}");
    gate.end().await;
}

async fn notes(client: &Client) -> i64 {
    client.query_one("SELECT count(*) FROM notes", &[]).await.unwrap().get(0)
}

/// Tools that want to be somebody else than the caller.
fn past_the_rules(ann: &str) -> Vec<Row> {
    let put = |tenant: &str, owner: &str| call("put", &json!({ "tenant": tenant, "owner": owner })).bearer(ann);
    let none = |tool: &str| call(tool, &json!({})).bearer(ann);
    vec![
        row("a-row-for-another-tenant", put("globex", "ann"), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"something went wrong on this side; the operator finds it under this request's id: a-row-for-another-tenant"}],"isError":true,"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"shop","version":"0.1.0"}}}}
        "#]]).recorded("internal").running(1),
        row("a-row-for-another-caller", put("acme", "bob"), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"something went wrong on this side; the operator finds it under this request's id: a-row-for-another-caller"}],"isError":true,"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"shop","version":"0.1.0"}}}}
        "#]]).recorded("internal").running(1),
        row("a-function-with-the-owners-rights", none("all_notes"), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"something went wrong on this side; the operator finds it under this request's id: a-function-with-the-owners-rights"}],"isError":true,"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"shop","version":"0.1.0"}}}}
        "#]]).recorded("internal").running(1),
        row("as-who-logs-in", none("as_itself"), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"something went wrong on this side; the operator finds it under this request's id: as-who-logs-in"}],"isError":true,"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"shop","version":"0.1.0"}}}}
        "#]]).recorded("internal").running(1),
        row("as-who-owns-it", none("as_owner"), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"something went wrong on this side; the operator finds it under this request's id: as-who-owns-it"}],"isError":true,"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"shop","version":"0.1.0"}}}}
        "#]]).recorded("internal").running(1),
        row("a-secret-that-is-no-name", call("paired", &json!({ "password": canary::PASSWORD })).bearer(ann), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"`password` does not fit: invalid input syntax for type uuid"}],"isError":true,"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"shop","version":"0.1.0"}}}}
        "#]]).recorded("bad_arguments").running(1),
        row("a-secret-that-is-there", call("once", &json!({ "text": canary::EMAIL })).bearer(ann), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"`text` is already taken; choose another value"}],"isError":true,"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"shop","version":"0.1.0"}}}}
        "#]]).recorded("refused").running(1),
        row("a-card-that-is-there", call("once", &json!({ "text": canary::CARD })).bearer(ann), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"`text` is already taken; choose another value"}],"isError":true,"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"shop","version":"0.1.0"}}}}
        "#]]).recorded("refused").running(1),
        row("a-row-that-is-refused", call("once", &json!({ "text": canary::EMAIL, "password": canary::PASSWORD })).bearer(ann), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"the rule `strict_notes_password_check` does not allow this"}],"isError":true,"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"shop","version":"0.1.0"}}}}
        "#]]).recorded("refused").running(1),
        row("a-secret-that-does-not-fit", call("typed", &json!({ "password": canary::PASSWORD })).bearer(ann), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"a value does not have the form that its column needs"}],"isError":true,"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"shop","version":"0.1.0"}}}}
        "#]])
            .recorded("bad_arguments")
            .running(1),
    ]
}

/// What a statement would do that should only read.
const WRITES: [&str; 24] = [
    "DELETE FROM notes",
    "WITH x AS (DELETE FROM notes RETURNING id) SELECT count(*) FROM x",
    "UPDATE notes SET tenant = 'acme'",
    "INSERT INTO notes (tenant, owner, text) VALUES ('acme', 'ann', 'x')",
    "SELECT * FROM notes FOR UPDATE",
    "SELECT nextval('notes_id_seq')",
    "SELECT lo_import('/etc/passwd')",
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT * FROM dblink('host=127.0.0.1', 'SELECT 1') AS t(a int)",
    "SELECT pg_reload_conf()",
    "SELECT pg_stat_reset()",
    "SELECT pg_create_physical_replication_slot('x')",
    "EXPLAIN ANALYZE DELETE FROM notes",
    "COPY notes TO PROGRAM 'touch /tmp/callgate-was-here'",
    "COPY notes TO '/tmp/callgate-was-here'",
    "DO $$ BEGIN DELETE FROM notes; END $$",
    "LOCK TABLE notes",
    "CREATE TABLE evil (a int)",
    "CREATE TEMP TABLE evil (a int)",
    "SELECT * INTO evil FROM notes",
    "TRUNCATE notes",
    "DROP SCHEMA public CASCADE",
    "ALTER ROLE gate SUPERUSER",
    "SET SESSION AUTHORIZATION callgate",
];

/// More than one statement, by whatever end of the first.
const SECOND: [&str; 8] = [
    "SELECT 1 AS a; DROP SCHEMA public CASCADE",
    "SELECT 1 AS a; COMMIT; DROP SCHEMA public CASCADE;",
    "COMMIT; DROP SCHEMA public CASCADE",
    "SELECT 1 AS a;\n--\nDROP SCHEMA public CASCADE",
    "SELECT 1 AS a /* ; */ ; /* */ DELETE FROM notes",
    "SELECT 1 AS a /*!*/; DELETE FROM notes",
    "SELECT $a$ ; $a$ AS a; DELETE FROM notes",
    "SELECT E'\\'; --' AS a; DELETE FROM notes",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn statements_that_only_seem_to_read() {
    let Some(programs) = Postgres::programs() else { return };
    let postgres = Postgres::start(programs).await.unwrap();
    let client = connect(&postgres, &SETUP.replace("{EMAIL}", canary::EMAIL).replace("{CARD}", canary::CARD)).await;
    let reaching = [
        "SELECT set_config('transaction_read_only', 'off', true) AS a",
        "SELECT pg_terminate_backend(1) AS a",
        "CALL p()",
        "LISTEN x",
        "PREPARE x AS DELETE FROM notes",
        "EXECUTE x",
    ];
    for (number, sql) in WRITES.iter().chain(&SECOND).chain(&reaching).enumerate() {
        let config = json!({
            "version": 1, "name": "reads",
            "backends": { "pg": { "kind": "sql", "url": postgres.url() } },
            "tools": { "tool": { "backend": "pg", "description": "Reads.", "effect": "read", "returns": "many", "sql": sql } },
        });
        let folder = Folder::with([("gate.yaml", config.to_string().as_str())]).unwrap();
        let said = run(&folder, &["check", "--connect", "FOLDER"]).await;
        assert!(said.starts_with("exit status: 1: ") && said.contains("tools.tool.sql"), "{sql}: {said}");
        // What a check refuses is not served either; by and large they are the same.
        if number % 8 == 0 {
            let said = run(&folder, &["serve", "FOLDER", "--listen", "127.0.0.1:0"]).await;
            assert!(said.starts_with("exit status: 1: ") && said.contains("tools.tool.sql"), "{sql}: {said}");
        }
    }
    assert_eq!(notes(&client).await, 5, "nothing of it was run");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_database_does_not_do_for_a_read() {
    let Some((mut gate, _postgres, client)) = start().await else { return };
    let ann = gate.token("ann", "acme", "");
    let more = [
        "SELECT set_config('transaction_read_only', 'off', true)",
        "SET TRANSACTION READ WRITE",
        "COMMIT",
        "ROLLBACK",
        "SELECT 1; COMMIT; DROP SCHEMA public CASCADE",
        "SET ROLE callgate",
        "CALL p()",
    ];
    let state = "SELECT (SELECT count(*) FROM pg_class WHERE relname = 'evil') + (SELECT count(*) FROM pg_roles WHERE rolsuper) * 10
        + (SELECT count(*) FROM pg_replication_slots) * 100 + (SELECT last_value FROM notes_id_seq) * 1000";
    let look = async || client.query_one(state, &[]).await.unwrap().get::<_, i64>(0);
    let before = look().await;
    for sql in WRITES.iter().chain(&more) {
        let request = call("careless", &json!({ "statement": sql })).bearer(&ann).with("X-Request-ID", "careless");
        let reply: Value = request.send(gate.address).await.unwrap().json().await.unwrap();
        // A lock is let go with the transaction.
        assert!(reply["result"]["isError"] == true || sql.starts_with("LOCK"), "{sql}: {reply}");
        assert!(!reply.to_string().contains("callgate-was-here"), "{sql}: {reply}");
        // The connection is as it was: the next caller is who it is, and reads.
        assert_eq!(texts(&mut gate, call("seen", &json!({})).bearer(&ann)).await, ["a1", "a2"], "{sql}");
    }
    gate.excuse("careless");
    assert_eq!((look().await, notes(&client).await), (before, 5));
    assert!(!std::path::Path::new("/tmp/callgate-was-here").exists());
    gate.end().await;
}
