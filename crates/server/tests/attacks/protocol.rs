//! Good JSON that lies: headers that say something else than the body, states and cursors that nobody gave out, sessions of others.

use callgate_testkit::http::Request;
use expect_test::expect;
use serde_json::{Value, json};

use crate::{
    gate::Gate,
    row::{Edit as _, Row, ask, call, row},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn protocol() {
    let mut gate = Gate::start_with(&[("wire: {", "wire: { page: 2, listen: { per_caller: 2 },")]).await;
    let (ann, bob) = (gate.token("ann", "acme", "write:notes"), gate.token("bob", "acme", "write:notes"));
    let good = call("add_note", &json!({ "text": "a" })).bearer(&ann);
    // What would have been a call is on record, whatever its headers say.
    gate.play(headers(&good).into_iter().map(|row| row.recorded("bad_request")).collect()).await;
    gate.play(versions(&good).into_iter().map(|row| row.recorded("bad_request")).collect()).await;
    gate.play(metadata(&good)).await;
    gate.play(states(&good)).await;
    cursors(&mut gate, &ann, &bob).await;
    sessions(&mut gate, &ann, &bob).await;
    streams(&mut gate, &ann, &bob).await;
    gate.end().await;
}

fn headers(good: &Request) -> Vec<Row> {
    let with = |name: &str, value: &str| good.clone().with(name, value);
    let ann = good.headers.iter().find(|(name, _)| name == "Authorization").map(|(_, value)| value.clone()).unwrap_or_default();
    let other = |method: &str, params: Value| ask(method, &params).with("Authorization", &ann);
    let differs = |name, sent: Request| {
        row(
            name,
            sent,
            expect![[r#"
            400
            {"jsonrpc":"2.0","id":1,"error":{"code":-32020,"message":"header `mcp-name` differs from the body"}}
        "#]],
        )
    };
    vec![
        differs("another-name", with("Mcp-Name", "my_notes")),
        differs("another-case-name", with("Mcp-Name", "Add_Note")),
        row(
            "no-name",
            good.clone().without("Mcp-Name"),
            expect![[r#"
            400
            {"jsonrpc":"2.0","id":1,"error":{"code":-32020,"message":"header `mcp-name` is missing; it repeats what the body says"}}
        "#]],
        ),
        differs("empty-name", with("Mcp-Name", "")),
        row(
            "two-names",
            good.clone().header("Mcp-Name", "my_notes"),
            expect![[r#"
            400
            {"jsonrpc":"2.0","id":1,"error":{"code":-32020,"message":"header `mcp-name` is given 2 times"}}
        "#]],
        ),
        differs("list-of-names", with("Mcp-Name", "add_note, my_notes")),
        row(
            "broken-base64-name",
            with("Mcp-Name", "=?base64?%%%?="),
            expect![[r#"
            400
            {"jsonrpc":"2.0","id":1,"error":{"code":-32020,"message":"header `mcp-name` is not valid base64 of UTF-8"}}
        "#]],
        ),
        row(
            "another-method",
            with("Mcp-Method", "tools/list"),
            expect![[r#"
            400
            {"jsonrpc":"2.0","id":1,"error":{"code":-32020,"message":"header `mcp-method` differs from the body"}}
        "#]],
        ),
        row(
            "another-case-method",
            with("Mcp-Method", "Tools/Call"),
            expect![[r#"
            400
            {"jsonrpc":"2.0","id":1,"error":{"code":-32020,"message":"header `mcp-method` differs from the body"}}
        "#]],
        ),
        row(
            "no-method",
            good.clone().without("Mcp-Method"),
            expect![[r#"
            400
            {"jsonrpc":"2.0","id":1,"error":{"code":-32020,"message":"header `mcp-method` is missing; it repeats what the body says"}}
        "#]],
        ),
        row(
            "two-methods",
            good.clone().header("Mcp-Method", "tools/list"),
            expect![[r#"
            400
            {"jsonrpc":"2.0","id":1,"error":{"code":-32020,"message":"header `mcp-method` is given 2 times"}}
        "#]],
        ),
        row(
            "no-name-of-resource",
            other("resources/read", json!({ "uri": "notes://all" })).without("Mcp-Name"),
            expect![[r#"
            400
            {"jsonrpc":"2.0","id":1,"error":{"code":-32020,"message":"header `mcp-name` is missing; it repeats what the body says"}}
        "#]],
        ),
        differs("another-resource", other("resources/read", json!({ "uri": "notes://all" })).with("Mcp-Name", "notes://of/ann")),
        row(
            "no-name-of-prompt",
            other("prompts/get", json!({ "name": "greet" })).without("Mcp-Name"),
            expect![[r#"
            400
            {"jsonrpc":"2.0","id":1,"error":{"code":-32020,"message":"header `mcp-name` is missing; it repeats what the body says"}}
        "#]],
        ),
        differs("another-prompt", other("prompts/get", json!({ "name": "greet" })).with("Mcp-Name", "hello")),
    ]
}

fn versions(good: &Request) -> Vec<Row> {
    let says = |header: &str, body: Value| {
        let request = good.clone().with("MCP-Protocol-Version", header);
        request.edit(|params| params["_meta"]["io.modelcontextprotocol/protocolVersion"] = body)
    };
    vec![
        row(
            "header-of-the-future",
            says("2099-01-01", json!("2026-07-28")),
            expect![[r#"
            400
            {"jsonrpc":"2.0","id":1,"error":{"code":-32020,"message":"header `mcp-protocol-version` differs from the body"}}
        "#]],
        ),
        row(
            "body-of-the-future",
            says("2026-07-28", json!("2099-01-01")),
            expect![[r#"
            400
            {"jsonrpc":"2.0","id":1,"error":{"code":-32020,"message":"header `mcp-protocol-version` differs from the body"}}
        "#]],
        ),
        row(
            "both-of-the-future",
            says("2099-01-01", json!("2099-01-01")),
            expect![[r#"
            400
            {"jsonrpc":"2.0","id":1,"error":{"code":-32022,"message":"protocol version `2099-01-01` is not served here; use 2026-07-28","data":{"supported":["2026-07-28"],"requested":"2099-01-01"}}}
        "#]],
        ),
        row(
            "legacy-in-modern-dress",
            says("2025-06-18", json!("2025-06-18")),
            expect![[r#"
            400
            {"jsonrpc":"2.0","id":1,"error":{"code":-32022,"message":"protocol version `2025-06-18` is not served here; use 2026-07-28","data":{"supported":["2026-07-28"],"requested":"2025-06-18"}}}
        "#]],
        ),
        row(
            "version-as-a-number",
            says("2026-07-28", json!(20_260_728)),
            expect![[r#"
            400
            {"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"`_meta` must name the protocol version under `io.modelcontextprotocol/protocolVersion`"}}
        "#]],
        ),
        row(
            "empty-version",
            says("", json!("")),
            expect![[r#"
            400
            {"jsonrpc":"2.0","id":1,"error":{"code":-32022,"message":"protocol version `` is not served here; use 2026-07-28","data":{"supported":["2026-07-28"],"requested":""}}}
        "#]],
        ),
        row(
            "no-version-header",
            good.clone().without("MCP-Protocol-Version"),
            expect![[r#"
            400
            {"jsonrpc":"2.0","id":1,"error":{"code":-32020,"message":"header `mcp-protocol-version` is missing; it repeats what the body says"}}
        "#]],
        ),
        row(
            "two-version-headers",
            good.clone().header("MCP-Protocol-Version", "2025-06-18"),
            expect![[r#"
            400
            {"jsonrpc":"2.0","id":1,"error":{"code":-32020,"message":"header `mcp-protocol-version` is given 2 times"}}
        "#]],
        ),
    ]
}

fn metadata(good: &Request) -> Vec<Row> {
    let drop = |key: &'static str| {
        good.clone().edit(|params| {
            params["_meta"].as_object_mut().expect("it has metadata").remove(key);
        })
    };
    let set = |key: &'static str, value: Value| good.clone().edit(|params| params["_meta"][key] = value);
    vec![
        row(
            "no-version-in-body",
            drop("io.modelcontextprotocol/protocolVersion"),
            expect![[r#"
            400
            {"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"`_meta` must name the protocol version under `io.modelcontextprotocol/protocolVersion`"}}
        "#]],
        )
        .recorded("bad_request"),
        row(
            "no-capabilities",
            drop("io.modelcontextprotocol/clientCapabilities"),
            expect![[r#"
            400
            {"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"`_meta` must hold the client's capabilities, an object, under `io.modelcontextprotocol/clientCapabilities`"}}
        "#]],
        )
        .recorded("bad_request"),
        row(
            "capabilities-as-a-list",
            set("io.modelcontextprotocol/clientCapabilities", json!([])),
            expect![[r#"
            400
            {"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"`_meta` must hold the client's capabilities, an object, under `io.modelcontextprotocol/clientCapabilities`"}}
        "#]],
        )
        .recorded("bad_request"),
        row(
            "metadata-as-text",
            good.clone().edit(|params| params["_meta"] = json!("x")),
            expect![[r#"
            400
            {"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"`_meta` must name the protocol version under `io.modelcontextprotocol/protocolVersion`"}}
        "#]],
        )
        .recorded("bad_request"),
        row(
            "no-metadata",
            good.clone().edit(drop_metadata),
            expect![[r#"
            400
            {"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"`_meta` must name the protocol version under `io.modelcontextprotocol/protocolVersion`"}}
        "#]],
        )
        .recorded("bad_request"),
        // Neither who the client says it is nor what it says of its user is an argument.
        row(
            "client-that-calls-itself-admin",
            call("admin_note", &json!({ "text": "a" }))
                .edit(|params| {
                    params["_meta"]["io.modelcontextprotocol/clientInfo"] = json!({ "name": "admin-console", "version": "1" });
                    params["_meta"]["roles"] = json!(["admin"]);
                })
                .with("Authorization", &good.headers.iter().find(|(name, _)| name == "Authorization").expect("it has one").1)
                .header("X-Roles", "admin")
                .header("X-Forwarded-User", "root")
                .header("X-Tenant", "globex"),
            expect![[r#"
                200
                {"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"unknown tool `admin_note`"}}
            "#]],
        )
        .recorded("unknown"),
    ]
}

fn drop_metadata(params: &mut serde_json::Map<String, Value>) {
    params.remove("_meta");
}

fn states(good: &Request) -> Vec<Row> {
    let state = |state: Value| good.clone().edit(|params| drop(params.insert("requestState".into(), state)));
    vec![
        row("state-made-up", state(json!("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"`requestState` is not one that this call gave, or is too old; make the call again without it"}}
        "#]]).recorded("bad_request"),
        row("state-empty", state(json!("")), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"`requestState` is not one that this call gave, or is too old; make the call again without it"}}
        "#]]).recorded("bad_request"),
        row("state-as-object", state(json!({ "caller": "root" })), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"`requestState` must be a string"}}
        "#]]),
        row("state-of-2-megabytes", state(json!("A".repeat(2 << 20))), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"`requestState` is not one that this call gave, or is too old; make the call again without it"}}
        "#]]).recorded("bad_request"),
        row("answers-to-nothing", good.clone().edit(|params| drop(params.insert("inputResponses".into(), json!({ "x": { "action": "accept" } })))), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"{\"id\":1}"}],"structuredContent":{"id":1},"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"shop","version":"0.1.0"}}}}
        "#]]).recorded("ok").running(1),
    ]
}

/// A place in a list is its caller's own.
async fn cursors(gate: &mut Gate, ann: &str, bob: &str) {
    let page = |token: &str, cursor: &str| ask("tools/list", &json!({ "cursor": cursor })).bearer(token);
    let first = ask("tools/list", &json!({})).bearer(ann).send(gate.address).await.unwrap().json().await.unwrap();
    let cursor = first["result"]["nextCursor"].as_str().expect("there are more pages").to_owned();
    let second = page(ann, &cursor).send(gate.address).await.unwrap().json().await.unwrap();
    assert!(second["result"]["tools"].is_array(), "{second}");
    let mut flipped = cursor.clone().into_bytes();
    let middle = flipped.len() / 2;
    flipped[middle] = if flipped[middle] == b'A' { b'B' } else { b'A' };
    let flipped = String::from_utf8(flipped).unwrap();
    gate.play(vec![
        row(
            "cursor-of-another-caller",
            page(bob, &cursor),
            expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"`cursor` is not one that this list gave; start again without it"}}
        "#]],
        ),
        row(
            "cursor-with-a-flipped-bit",
            page(ann, &flipped),
            expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"`cursor` is not one that this list gave; start again without it"}}
        "#]],
        ),
        row(
            "cursor-cut-short",
            page(ann, &cursor[..cursor.len() - 1]),
            expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"`cursor` is not one that this list gave; start again without it"}}
        "#]],
        ),
        row(
            "cursor-made-up",
            page(ann, "2"),
            expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"`cursor` is not one that this list gave; start again without it"}}
        "#]],
        ),
        row(
            "cursor-of-another-list",
            ask("resources/list", &json!({ "cursor": cursor })).bearer(ann),
            expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"`cursor` is not one that this list gave; start again without it"}}
        "#]],
        ),
    ])
    .await;
}

/// A session is its caller's own, whatever its number.
async fn sessions(gate: &mut Gate, ann: &str, bob: &str) {
    let hello = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize",
        "params": { "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": { "name": "old", "version": "1" } } });
    let answer = Request::post("/mcp", &hello).bearer(ann).send(gate.address).await.unwrap();
    let session = answer.header("mcp-session-id").expect("a session").to_owned();
    let list = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": "add_note", "arguments": { "text": "a" } } });
    let within = |token: &str, session: &str| Request::post("/mcp", &list).bearer(token).header("Mcp-Session-Id", session);
    let subscribe = |uri: &str| {
        let message = json!({ "jsonrpc": "2.0", "id": 1, "method": "resources/subscribe", "params": { "uri": uri } });
        Request::post("/mcp", &message).bearer(ann).header("Mcp-Session-Id", &session)
    };
    let plain = |method: &str, token: &str| {
        Request::new(method, "/mcp").bearer(token).header("Mcp-Session-Id", &session).header("Accept", "text/event-stream")
    };
    gate.play(vec![
        row("session-of-another-caller", within(bob, &session), expect![[r#"
            404
            {"jsonrpc":"2.0","id":1,"error":{"code":-32600,"message":"there is no such session; send `initialize` again"}}
        "#]]),
        row("session-made-up", within(ann, "00000000-0000-0000-0000-000000000000"), expect![[r#"
            404
            {"jsonrpc":"2.0","id":1,"error":{"code":-32600,"message":"there is no such session; send `initialize` again"}}
        "#]]),
        row("no-session", Request::post("/mcp", &list).bearer(ann), expect![[r#"
            400
            {"jsonrpc":"2.0","id":1,"error":{"code":-32600,"message":"send `initialize` first, then its Mcp-Session-Id with every request"}}
        "#]]),
        row("two-sessions", within(ann, &session).header("Mcp-Session-Id", "x"), expect![[r#"
            404
            {"jsonrpc":"2.0","id":1,"error":{"code":-32600,"message":"there is no such session; send `initialize` again"}}
        "#]]),
        row("stream-of-another-caller", plain("GET", bob), expect![[r#"
            404
            {"jsonrpc":"2.0","error":{"code":-32600,"message":"there is no such session; send `initialize` again"}}
        "#]]),
        row("end-of-another-callers-session", plain("DELETE", bob), expect![[r#"
            404
            {"jsonrpc":"2.0","error":{"code":-32600,"message":"there is no such session; send `initialize` again"}}
        "#]]),
        row("session-without-a-caller", within(ann, &session).without("Authorization"), expect![[r#"
            401
            www-authenticate: Bearer resource_metadata="https://gate.example.com/.well-known/oauth-protected-resource/mcp", scope="read:notes write:notes"
            {"error":"unauthorized","message":"say who you are: send `Authorization: Bearer` with a token or key, or `X-API-Key`"}
        "#]]).recorded("unauthenticated"),
        row("batch-in-a-session-that-has-none", Request::post("/mcp", &json!([list, list])).bearer(ann).header("Mcp-Session-Id", &session), expect![[r#"
            400
            {"jsonrpc":"2.0","error":{"code":-32600,"message":"a message is one JSON object, not an array"}}
        "#]]),
        row("watching-what-is-another-callers", subscribe("notes://of/bob"), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"error":{"code":-32002,"message":"there is no such resource","data":{"uri":"notes://of/bob"}}}
        "#]]),
        row("watching-what-is-for-others", subscribe("notes://all"), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"error":{"code":-32002,"message":"there is no such resource","data":{"uri":"notes://all"}}}
        "#]]),
        row("watching-its-own", subscribe("notes://of/ann"), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"result":{}}
        "#]]),
        row("still-its-own", within(ann, &session), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"{\"id\":2}"}],"structuredContent":{"id":2}}}
        "#]]).recorded("ok").running(1),
    ])
    .await;
}

/// Nobody watches what they may not read, or without end.
async fn streams(gate: &mut Gate, ann: &str, bob: &str) {
    let watch = |token: &str| {
        let watched = json!(["notes://all", "notes://of/ann", "notes://of/bob", "file:///etc/passwd"]);
        ask("subscriptions/listen", &json!({ "notifications": { "toolsListChanged": true, "resourceSubscriptions": watched } }))
            .bearer(token)
    };
    let mut open = Vec::new();
    for _ in 0..2 {
        let mut answer = watch(ann).send(gate.address).await.unwrap();
        let first: Value = serde_json::from_str(&answer.event().await.unwrap().expect("an acknowledgement").data).unwrap();
        let granted = &first["params"]["notifications"]["resourceSubscriptions"];
        assert_eq!(granted, &json!(["notes://of/ann"]), "{first}");
        open.push(answer);
    }
    gate.play(vec![row(
        "third-stream",
        watch(ann),
        expect![[r#"
        200
        {"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"too many streams are open; close one first"}}
    "#]],
    )])
    .await;
    let theirs = watch(bob).send(gate.address).await.unwrap();
    assert_eq!(theirs.status, 200, "another caller has streams of its own");
    gate.settles("mcp_listen_streams", 3).await;
    drop((open, theirs));
    gate.settles("mcp_listen_streams", 0).await;
}
