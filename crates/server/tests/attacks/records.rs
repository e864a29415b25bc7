//! What is written down: no secret of a caller, nothing that was changed afterwards, and no change without a record.

use std::{fs, time::Duration};

use callgate_testkit::{Folder, http::Request};
use expect_test::expect;
use serde_json::{Value, json};

use crate::{
    canary,
    gate::{Gate, open, run},
    row::{Edit as _, Row, call, row},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn secrets() {
    let mut gate = Gate::start().await;
    let ann = gate.token("ann", "acme", "write:notes");
    let payer = gate.token("pay", "acme", "write:notes write:money");
    gate.play(in_arguments(&ann, &payer)).await;
    gate.play(in_requests(&ann, gate.address.to_string().as_str())).await;
    gate.end().await;
}

/// Secrets in every kind of argument, in calls of every end.
fn in_arguments(ann: &str, payer: &str) -> Vec<Row> {
    let add = |arguments: Value| call("add_note", &arguments).bearer(ann);
    let secret = format!("{} pays with {}", canary::EMAIL, canary::CARD);
    let deep = json!({ "text": "a", "more": { "list": [{ "password": canary::PASSWORD, "mail": secret }] } });
    let fail = json!({ "text": secret, "password": canary::PASSWORD });
    vec![
        row("served", add(json!({ "text": secret, "password": canary::PASSWORD })), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"{\"id\":1}"}],"structuredContent":{"id":1},"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"shop","version":"0.1.0"}}}}
        "#]]).recorded("ok").running(1),
        row("password-too-long", add(json!({ "text": "a", "password": canary::PASSWORD.repeat(3) })), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"`password` must be a string, at most 40 characters long"}],"isError":true,"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"shop","version":"0.1.0"}}}}
        "#]]).recorded("bad_arguments"),
        row("password-in-a-list", add(json!({ "text": "a", "password": [canary::PASSWORD] })), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"`password` must be a string, at most 40 characters long"}],"isError":true,"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"shop","version":"0.1.0"}}}}
        "#]]).recorded("bad_arguments"),
        row("password-in-an-object", add(json!({ "text": "a", "password": { "value": canary::PASSWORD } })), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"`password` must be a string, at most 40 characters long"}],"isError":true,"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"shop","version":"0.1.0"}}}}
        "#]]).recorded("bad_arguments"),
        row("unknown-argument", add(json!({ "text": "a", "api_key": canary::PASSWORD })), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"there is no argument `api_key` (there are `text`, `password`)"}],"isError":true,"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"shop","version":"0.1.0"}}}}
        "#]]).recorded("bad_arguments"),
        row("deep-unknown-argument", add(deep), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"there is no argument `more` (there are `text`, `password`)"}],"isError":true,"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"shop","version":"0.1.0"}}}}
        "#]]).recorded("bad_arguments"),
        row("unknown-tool", call("no_such_tool", &json!({ "token": canary::PASSWORD, "text": secret })).bearer(ann), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"unknown tool `no_such_tool`"}}
        "#]]).recorded("unknown"),
        row("database-refuses", call("broken", &fail).bearer(ann), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"a rule of the database does not allow one of the values"}],"isError":true,"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"shop","version":"0.1.0"}}}}
        "#]]).recorded("refused").running(1),
        row("secret-in-text-too-long", add(json!({ "text": format!("{secret} {}", "x".repeat(200)) })), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"`text` must be a string, at most 200 characters long, not \"[redacted] pays with [redacted] xxxxxxxx…\""}],"isError":true,"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"shop","version":"0.1.0"}}}}
        "#]]).recorded("bad_arguments"),
        row("card-as-a-number", add(json!({ "text": 4_111_111_111_111_111_u64 })), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"`text` must be a string, at most 200 characters long, not [redacted]"}],"isError":true,"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"shop","version":"0.1.0"}}}}
        "#]]).recorded("bad_arguments"),
        row("address-for-a-number", call("transfer", &json!({ "tenant": "acme", "amount": canary::EMAIL })).bearer(payer), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"`amount` must be a number, not \"[redacted]\""}],"isError":true,"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"shop","version":"0.1.0"}}}}
        "#]]).recorded("bad_arguments"),
    ]
}

/// Secrets where requests have no place for them.
fn in_requests(ann: &str, address: &str) -> Vec<Row> {
    let good = call("add_note", &json!({ "text": "a" })).bearer(ann);
    let path = |path: String| Request { path, ..good.clone() };
    vec![
        row("in-the-query", path(format!("/mcp?session={}", canary::COOKIE)), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"{\"id\":2}"}],"structuredContent":{"id":2},"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"shop","version":"0.1.0"}}}}
        "#]]).recorded("ok").running(1),
        row("in-the-path", path(format!("/mcp/{}", canary::COOKIE)), expect![[r#"
            404
            {"jsonrpc":"2.0","error":{"code":-32600,"message":"there is nothing here; MCP is served at /mcp"}}
        "#]]),
        row("in-the-user-of-the-url", path(format!("http://u:{}@{address}/mcp", canary::COOKIE)), expect![[r#"
            403
            {"jsonrpc":"2.0","error":{"code":-32600,"message":"this host or origin is not allowed here (wire.http.hosts, wire.http.origins)"}}
        "#]]),
        row("in-a-header", good.clone().header("X-Secret", canary::COOKIE).header("X-Forwarded-For", canary::COOKIE), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"{\"id\":3}"}],"structuredContent":{"id":3},"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"shop","version":"0.1.0"}}}}
        "#]]).recorded("ok").running(1),
        row("in-a-trace", good.clone().header("traceparent", canary::COOKIE).header("tracestate", canary::COOKIE), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"{\"id\":4}"}],"structuredContent":{"id":4},"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"shop","version":"0.1.0"}}}}
        "#]]).recorded("ok").running(1),
        row("in-the-version", good.clone().with("MCP-Protocol-Version", canary::COOKIE), expect![[r#"
            400
            {"jsonrpc":"2.0","id":1,"error":{"code":-32020,"message":"header `mcp-protocol-version` differs from the body"}}
        "#]]).recorded("bad_request"),
        row("in-broken-json", good.clone().body(format!("{{\"jsonrpc\":\"2.0\",\"x\":\"{}\"", canary::COOKIE)), expect![[r#"
            400
            {"jsonrpc":"2.0","error":{"code":-32700,"message":"the body is not JSON: `,` or the end of the list was expected at byte 46"}}
        "#]]),
        row("in-the-basic-scheme", good.clone().with("Authorization", "Basic YzRuNHJ5LWNvb2tpZS0xbnNpZGV+aXQ="), expect![[r#"
            401
            www-authenticate: Bearer error="invalid_token", resource_metadata="https://gate.example.com/.well-known/oauth-protected-resource/mcp", scope="read:notes write:notes"
            {"error":"invalid_token","message":"`Authorization` must be `Bearer`, a space and the token"}
        "#]]).recorded("unauthenticated"),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_cannot_be_written() {
    let mut gate = Gate::start().await;
    let ann = gate.token("ann", "acme", "write:notes");
    let add = call("add_note", &json!({ "text": "a" })).bearer(&ann);
    let before = gate.ran().await;
    let lock = open(&gate.folder, "callgate.db");
    lock.execute_batch("BEGIN IMMEDIATE").unwrap();
    for number in 0..3 {
        let reply = add.clone().header("X-Request-ID", "locked").send(gate.address).await.unwrap().json().await.unwrap();
        assert_eq!(reply["result"]["isError"], true, "{number}: {reply}");
    }
    assert_eq!(gate.ran().await, before, "nothing may change that cannot be put on record");
    lock.execute_batch("ROLLBACK").unwrap();
    let begun = tokio::time::Instant::now();
    loop {
        let reply = add.clone().header("X-Request-ID", "unlocked").send(gate.address).await.unwrap().json().await.unwrap();
        if reply["result"]["isError"].is_null() {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(10), "it does not find back: {reply}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    gate.excuse("locked");
    gate.excuse("unlocked");
    gate.end().await;
}

/// What somebody does who can write the store, and what the check says then.
const TAMPERED: [(&str, &str, &str); 8] = [
    ("nothing", "SELECT 1", "ok\n"),
    (
        "a word changed",
        "UPDATE audit SET line = replace(line, 'add_note', 'my_notes') WHERE id = (SELECT min(id) + 21 FROM audit)",
        "does not hash to what is stored",
    ),
    (
        "a hash changed",
        "UPDATE audit SET hash = zeroblob(32) WHERE id = (SELECT min(id) + 21 FROM audit)",
        "does not hash to what is stored",
    ),
    ("one removed", "DELETE FROM audit WHERE id = (SELECT min(id) + 21 FROM audit)", "BROKEN"),
    ("the first removed", "DELETE FROM audit WHERE id = (SELECT min(id) FROM audit)", "BROKEN"),
    (
        "two exchanged",
        "UPDATE audit SET id = -1 WHERE id = (SELECT max(id) FROM audit); UPDATE audit SET id = id + 1 WHERE id = (SELECT max(id) FROM audit); \
         UPDATE audit SET id = (SELECT max(id) - 1 FROM audit) WHERE id = -1",
        "BROKEN",
    ),
    ("one made up", "INSERT INTO audit SELECT max(id) + 1, zeroblob(32), line FROM audit", "does not hash to what is stored"),
    ("the last removed", "DELETE FROM audit WHERE id > (SELECT max(id) - 2 FROM audit)", "BROKEN"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_that_were_changed() {
    let heads = "audit: { heads: { file: heads.jsonl, secret: c4n4ry-heads-0123456789abcdef0123 },";
    let mut gate = Gate::start_with(&[("audit: {", heads)]).await;
    gate.cage.add("the secret of the heads", "c4n4ry-heads-0123456789abcdef0123");
    let ann = gate.token("ann", "acme", "write:notes");
    for _ in 0..5 {
        let answer =
            call("add_note", &json!({ "text": "a" })).bearer(&ann).header("X-Request-ID", "noted").send(gate.address).await.unwrap();
        assert_eq!(answer.status, 200);
    }
    gate.owe("noted", "ok", 5);
    let folder = gate.end().await;
    for (what, sql, expected) in TAMPERED {
        let said = tampered(&folder, sql).await;
        assert!(said.contains(expected), "{what}: {said}");
    }
}

/// What the check says of a copy of the store to which this was done.
async fn tampered(folder: &Folder, sql: &str) -> String {
    let (path, kept) = (folder.path().join("data/callgate.db"), folder.path().join("data/kept.db"));
    fs::copy(&path, &kept).unwrap();
    let store = open(folder, "callgate.db");
    let triggers = "SELECT coalesce(group_concat('DROP TRIGGER ' || name, ';'), '') FROM sqlite_schema WHERE type = 'trigger'";
    let drop: String = store.query_row(triggers, [], |row| row.get(0)).unwrap();
    store.execute_batch(&drop).unwrap();
    store.execute_batch(sql).unwrap();
    store.close().unwrap();
    let said = run(folder, &["audit", "verify", "-c", "FOLDER"]).await;
    fs::rename(&kept, &path).unwrap();
    said
}
