//! Callers who are known and want more than they may have.

use callgate_testkit::http::Request;
use expect_test::expect;
use serde_json::{Value, json};

use crate::{
    gate::Gate,
    row::{Edit as _, Row, ask, call, row},
};

/// The callers of this table.
struct Callers {
    none: String,
    reader: String,
    writer: String,
    payer: String,
    admin: String,
    finance: String,
    key: String,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn policy() {
    let mut gate = Gate::start().await;
    let callers = Callers {
        none: gate.token("nan", "acme", ""),
        reader: gate.token("rea", "acme", "read:notes"),
        writer: gate.token("ann", "acme", "write:notes"),
        payer: gate.token("pay", "acme", "write:notes write:money"),
        admin: gate.token_of("admin", "adm", "acme", ""),
        finance: gate.token_of("finance", "fin", "acme", "write:notes write:money"),
        key: gate.key_for(&["kim", "--tenant", "acme"]).await,
    };
    lists(&gate, &callers).await;
    gate.play(hidden(&callers)).await;
    gate.play(scopes(&callers)).await;
    gate.play(arguments(&callers)).await;
    gate.play(others(&callers)).await;
    gate.end().await;
}

/// The names in a list, as this caller sees it.
async fn names(gate: &Gate, token: &str, method: &str, list: &str, name: &str) -> Vec<String> {
    let reply = ask(method, &json!({})).bearer(token).send(gate.address).await.unwrap().json().await.unwrap();
    let items = reply["result"][list].as_array().unwrap_or_else(|| panic!("no list in {reply}")).clone();
    items.iter().map(|item| item[name].as_str().unwrap_or_default().to_owned()).collect()
}

/// What a caller sees is what the caller may use, in the same order each time.
async fn lists(gate: &Gate, callers: &Callers) {
    // A caller with a token who lacks nothing but scopes sees what they would open.
    let everyone = ["add_note", "limited_note", "transfer", "my_notes", "kept_note", "find_notes", "endless", "plenty", "broken"];
    let with_key: Vec<_> = everyone.iter().filter(|name| !["add_note", "transfer"].contains(name)).copied().collect();
    let mut for_admin = everyone.to_vec();
    for_admin.insert(2, "admin_note");
    for (token, expected) in
        [(&callers.none, everyone.to_vec()), (&callers.payer, everyone.to_vec()), (&callers.admin, for_admin), (&callers.key, with_key)]
    {
        for _ in 0..3 {
            assert_eq!(names(gate, token, "tools/list", "tools", "name").await, expected);
        }
    }
    let empty = Vec::<String>::new();
    for (method, list, name, shown) in [("resources/list", "resources", "uri", "notes://all"), ("prompts/list", "prompts", "name", "greet")]
    {
        assert_eq!(names(gate, &callers.payer, method, list, name).await, empty);
        assert_eq!(names(gate, &callers.admin, method, list, name).await, [shown]);
    }
}

/// What a caller may not use is answered as what is not there.
fn hidden(callers: &Callers) -> Vec<Row> {
    let note = json!({ "text": "a" });
    let of = |token: &str, request: Request| request.bearer(token);
    let read = |uri: &str| ask("resources/read", &json!({ "uri": uri }));
    let prompt = |name: &str| ask("prompts/get", &json!({ "name": name, "arguments": { "name": "x" } }));
    let complete = |name: &str| {
        let argument = json!({ "name": "name", "value": "" });
        ask("completion/complete", &json!({ "ref": { "type": "ref/prompt", "name": name }, "argument": argument }))
    };
    vec![
        row("unknown-tool", of(&callers.writer, call("no_such_tool", &note)), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"unknown tool `no_such_tool`"}}
        "#]]).recorded("unknown"),
        row("hidden-tool", of(&callers.writer, call("admin_note", &note)), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"unknown tool `admin_note`"}}
        "#]]).recorded("unknown"),
        row("hidden-tool-with-bad-arguments", of(&callers.writer, call("admin_note", &json!({ "x": 1 }))), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"unknown tool `admin_note`"}}
        "#]]).recorded("unknown"),
        row("tool-hidden-from-a-key", call("add_note", &note).header("X-API-Key", &callers.key), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"unknown tool `add_note`"}}
        "#]]).recorded("unknown"),
        row("unknown-resource", of(&callers.writer, read("notes://none")), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"unknown resource `notes://none`","data":{"uri":"notes://none"}}}
        "#]]).recorded("unknown"),
        row("hidden-resource", of(&callers.writer, read("notes://all")), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"unknown resource `notes://all`","data":{"uri":"notes://all"}}}
        "#]]).recorded("unknown"),
        row("unknown-prompt", of(&callers.writer, prompt("hello")), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"unknown prompt `hello`"}}
        "#]]).recorded("unknown"),
        row("hidden-prompt", of(&callers.writer, prompt("greet")), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"unknown prompt `greet`"}}
        "#]]).recorded("unknown"),
        row("completion-of-a-hidden-prompt", of(&callers.writer, complete("greet")), expect![[r#"
            404
            {"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"unknown method `completion/complete`"}}
        "#]]),
        row("for-admins", of(&callers.admin, call("admin_note", &note)), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"{\"id\":1}"}],"structuredContent":{"id":1},"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"shop","version":"0.1.0"}}}}
        "#]]).recorded("ok").running(1),
    ]
}

/// A token that does not reach is told which scopes would, all at once.
fn scopes(callers: &Callers) -> Vec<Row> {
    let pay = json!({ "tenant": "acme", "amount": 10, "account": "food" });
    vec![
        row("without-any-scope", call("add_note", &json!({ "text": "a" })).bearer(&callers.none), expect![[r#"
            403
            www-authenticate: Bearer error="insufficient_scope", resource_metadata="https://gate.example.com/.well-known/oauth-protected-resource/mcp", scope="write:notes"
            {"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"this needs a token with the scope write:notes","data":{"scopes":["write:notes"]}}}
        "#]]).recorded("insufficient_scope"),
        row("with-another-scope", call("add_note", &json!({ "text": "a" })).bearer(&callers.reader), expect![[r#"
            403
            www-authenticate: Bearer error="insufficient_scope", resource_metadata="https://gate.example.com/.well-known/oauth-protected-resource/mcp", scope="write:notes"
            {"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"this needs a token with the scope write:notes","data":{"scopes":["write:notes"]}}}
        "#]]).recorded("insufficient_scope"),
        row("with-one-of-two-scopes", call("transfer", &pay).bearer(&callers.writer), expect![[r#"
            403
            www-authenticate: Bearer error="insufficient_scope", resource_metadata="https://gate.example.com/.well-known/oauth-protected-resource/mcp", scope="write:notes write:money"
            {"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"this needs a token with the scope write:notes write:money","data":{"scopes":["write:notes","write:money"]}}}
        "#]]).recorded("insufficient_scope"),
        row("with-no-scope-and-bad-arguments", call("transfer", &json!({ "x": 1 })).bearer(&callers.none), expect![[r#"
            403
            www-authenticate: Bearer error="insufficient_scope", resource_metadata="https://gate.example.com/.well-known/oauth-protected-resource/mcp", scope="write:notes write:money"
            {"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"this needs a token with the scope write:notes write:money","data":{"scopes":["write:notes","write:money"]}}}
        "#]]).recorded("insufficient_scope"),
        row("with-both-scopes", call("transfer", &pay).bearer(&callers.payer), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"{\"id\":2}"}],"structuredContent":{"id":2},"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"shop","version":"0.1.0"}}}}
        "#]]).recorded("ok").running(1),
    ]
}

/// A tool that may be called, with arguments that may not.
fn arguments(callers: &Callers) -> Vec<Row> {
    let pay = |changes: Value| {
        let mut arguments = json!({ "tenant": "acme", "amount": 10, "account": "food" });
        for (name, value) in changes.as_object().expect("an object") {
            arguments[name] = value.clone();
        }
        call("transfer", &arguments).bearer(&callers.payer)
    };
    let left_out = call("transfer", &json!({ "tenant": "acme", "amount": 10 })).bearer(&callers.payer);
    let as_finance =
        |amount: i64| call("transfer", &json!({ "tenant": "acme", "amount": amount, "account": "food" })).bearer(&callers.finance);
    vec![
        row("another-tenant", pay(json!({ "tenant": "globex" })), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"`tenant` must be your own"}],"isError":true,"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"shop","version":"0.1.0"}}}}
        "#]]).recorded("denied"),
        row("another-tenant-in-capitals", pay(json!({ "tenant": "ACME" })), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"`tenant` must be your own"}],"isError":true,"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"shop","version":"0.1.0"}}}}
        "#]]).recorded("denied"),
        row("tenant-with-a-blank", pay(json!({ "tenant": "acme " })), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"`tenant` must be your own"}],"isError":true,"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"shop","version":"0.1.0"}}}}
        "#]]).recorded("denied"),
        row("empty-tenant", pay(json!({ "tenant": "" })), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"`tenant` must be your own"}],"isError":true,"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"shop","version":"0.1.0"}}}}
        "#]]).recorded("denied"),
        row("one-too-much", pay(json!({ "amount": 1001 })), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"`amount` must be 1000 or less"}],"isError":true,"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"shop","version":"0.1.0"}}}}
        "#]]).recorded("denied"),
        row("a-fraction-too-much", pay(json!({ "amount": 1_000.000_001 })), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"`amount` must be 1000 or less"}],"isError":true,"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"shop","version":"0.1.0"}}}}
        "#]]).recorded("denied"),
        row("negative-amount", pay(json!({ "amount": -1 })), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"`amount` must be 1000 or less"}],"isError":true,"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"shop","version":"0.1.0"}}}}
        "#]]).recorded("denied"),
        row("huge-amount", pay(json!({ "amount": 1e308 })), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"`amount` must be 1000 or less"}],"isError":true,"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"shop","version":"0.1.0"}}}}
        "#]]).recorded("denied"),
        row("amount-behind-integers", pay(json!({ "amount": 18_446_744_073_709_551_615_u64 })), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"`amount` must be 1000 or less"}],"isError":true,"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"shop","version":"0.1.0"}}}}
        "#]]).recorded("denied"),
        row("amount-as-text", pay(json!({ "amount": "10" })), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"`amount` must be a number, not \"10\""}],"isError":true,"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"shop","version":"0.1.0"}}}}
        "#]]).recorded("bad_arguments"),
        row("amount-as-list", pay(json!({ "amount": [10] })), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"`amount` must be a number, not an array"}],"isError":true,"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"shop","version":"0.1.0"}}}}
        "#]]).recorded("bad_arguments"),
        row("amount-as-null", pay(json!({ "amount": null })), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"`amount` must be a number, not null"}],"isError":true,"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"shop","version":"0.1.0"}}}}
        "#]]).recorded("bad_arguments"),
        row("another-account", pay(json!({ "account": "salaries" })), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"`account` must be food or rent"}],"isError":true,"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"shop","version":"0.1.0"}}}}
        "#]]).recorded("denied"),
        row("account-as-expression", pay(json!({ "account": "food' || 'rent" })), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"`account` must be food or rent"}],"isError":true,"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"shop","version":"0.1.0"}}}}
        "#]]).recorded("denied"),
        row("account-left-out", left_out, expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"`account` must be food or rent"}],"isError":true,"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"shop","version":"0.1.0"}}}}
        "#]]).recorded("denied"),
        row("role-as-argument", pay(json!({ "roles": ["finance"], "amount": 2000 })), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"there is no argument `roles` (there are `tenant`, `amount`, `account`)"}],"isError":true,"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"shop","version":"0.1.0"}}}}
        "#]]).recorded("bad_arguments"),
        row("amount-for-finance", as_finance(5000), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"{\"id\":3}"}],"structuredContent":{"id":3},"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"shop","version":"0.1.0"}}}}
        "#]]).recorded("ok").running(1),
        row("too-little-for-finance", as_finance(0), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"`amount` must be 1000 or less"}],"isError":true,"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"shop","version":"0.1.0"}}}}
        "#]]).recorded("denied"),
    ]
}

/// What belongs to others.
fn others(callers: &Callers) -> Vec<Row> {
    let read = |uri: &str| ask("resources/read", &json!({ "uri": uri })).bearer(&callers.writer);
    vec![
        row("own-notes", read("notes://of/ann"), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"result":{"contents":[{"uri":"notes://of/ann","mimeType":"application/json","text":"{\"rows\":[]}"}],"ttlMs":0,"cacheScope":"private","resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"shop","version":"0.1.0"}}}}
        "#]]).recorded("ok").running(1),
        row("notes-of-another", read("notes://of/bob"), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"you may not make this call with these arguments; other arguments may be allowed"}}
        "#]]).recorded("denied"),
        row("notes-of-nobody", read("notes://of/nobody"), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"you may not make this call with these arguments; other arguments may be allowed"}}
        "#]]).recorded("denied"),
        row("notes-in-capitals", read("notes://of/ANN"), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"you may not make this call with these arguments; other arguments may be allowed"}}
        "#]]).recorded("denied"),
        row("notes-with-encoded-letters", read("notes://of/%61nn"), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"result":{"contents":[{"uri":"notes://of/%61nn","mimeType":"application/json","text":"{\"rows\":[]}"}],"ttlMs":0,"cacheScope":"private","resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"shop","version":"0.1.0"}}}}
        "#]]).recorded("ok").running(1),
        row("notes-of-two", read("notes://of/ann/../bob"), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"unknown resource `notes://of/ann/../bob`","data":{"uri":"notes://of/ann/../bob"}}}
        "#]]).recorded("unknown"),
        row("notes-up", read("notes://of/../all"), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"unknown resource `notes://of/../all`","data":{"uri":"notes://of/../all"}}}
        "#]]).recorded("unknown"),
        row("notes-encoded-up", read("notes://of/%2e%2e%2fall"), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"you may not make this call with these arguments; other arguments may be allowed"}}
        "#]]).recorded("denied"),
        row("notes-with-a-nul", read("notes://of/ann%00"), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"you may not make this call with these arguments; other arguments may be allowed"}}
        "#]]).recorded("denied"),
        row("notes-with-a-query", read("notes://of/ann?owner=bob"), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"you may not make this call with these arguments; other arguments may be allowed"}}
        "#]]).recorded("denied"),
        row("notes-with-a-fragment", read("notes://of/ann#bob"), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"you may not make this call with these arguments; other arguments may be allowed"}}
        "#]]).recorded("denied"),
        row("notes-as-sql", read("notes://of/ann'--"), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"you may not make this call with these arguments; other arguments may be allowed"}}
        "#]]).recorded("denied"),
        row("a-file", read("file:///etc/passwd"), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"unknown resource `file:///etc/passwd`","data":{"uri":"file:///etc/passwd"}}}
        "#]]).recorded("unknown"),
        row("a-file-of-the-gate", read("file://gate.yaml"), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"unknown resource `file://gate.yaml`","data":{"uri":"file://gate.yaml"}}}
        "#]]).recorded("unknown"),
        row("the-environment", read("file:///proc/self/environ"), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"unknown resource `file:///proc/self/environ`","data":{"uri":"file:///proc/self/environ"}}}
        "#]]).recorded("unknown"),
        row("a-url", read("http://169.254.169.254/latest/meta-data/"), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"unknown resource `http://169.254.169.254/latest/meta-data/`","data":{"uri":"http://169.254.169.254/latest/meta-data/"}}}
        "#]]).recorded("unknown"),
        row("own-tool-for-another", call("my_notes", &json!({ "owner": "bob" })).bearer(&callers.writer), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"there is no argument `owner` (there are `after`)"}],"isError":true,"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"shop","version":"0.1.0"}}}}
        "#]]).recorded("bad_arguments"),
    ]
}
