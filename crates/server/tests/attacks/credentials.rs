//! Who is nobody: credentials that are none, tokens that are not good, and an issuer that answers badly.

use callgate_testkit::{
    http::Request,
    issuer::{Key, encode},
};
use expect_test::expect;
use serde_json::{Value, json};

use crate::{
    gate::{Gate, now, run},
    row::{Edit as _, Row, call, row},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn credentials() {
    let mut gate = Gate::start().await;
    let good = gate.token("ann", "acme", "write:notes");
    let key = gate.key_for(&["kim", "--tenant", "acme", "--scope", "write:notes"]).await;
    let note = call("add_note", &json!({ "text": "a" }));
    gate.play(brought(&note, &good, &key)).await;
    gate.play(doors(&key)).await;
    places(&mut gate).await;
    gate.play(keys(&note, &key)).await;
    let ended = gate.key_for(&["eve", "--scope", "write:notes", "--expires", "1s"]).await;
    let revoked = gate.key_for(&["rob", "--scope", "write:notes"]).await;
    let said = run(&gate.folder, &["keys", "revoke", &revoked[3..15], "-c", "FOLDER"]).await;
    assert!(said.starts_with("revoked"), "{said}");
    let begun = now();
    while now() < begun + 2 {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    gate.play(vec![
        refused("ended-key", note.clone().header("X-API-Key", &ended)),
        refused("revoked-key", note.clone().header("X-API-Key", &revoked)),
    ])
    .await;
    gate.end().await;
}

/// A row that everyone gets who brings something that is not good.
fn refused(name: &'static str, request: Request) -> Row {
    row(name, request, expect![[r#"
        401
        www-authenticate: Bearer error="invalid_token", resource_metadata="https://gate.example.com/.well-known/oauth-protected-resource/mcp", scope="read:notes write:notes"
        {"error":"invalid_token","message":"this token or key is not known here, or not valid any more"}
    "#]]).recorded("unauthenticated")
}

/// Headers that hold no credentials, or two.
fn brought(note: &Request, good: &str, key: &str) -> Vec<Row> {
    let says = |value: &str| note.clone().header("Authorization", value);
    let bearer = |value: &str| format!("Bearer {value}");
    let listed = |name, request, answer| row(name, request, answer).recorded("unauthenticated");
    vec![
        row("good-token", note.clone().bearer(good), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"{\"id\":1}"}],"structuredContent":{"id":1},"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"shop","version":"0.1.0"}}}}
        "#]]).recorded("ok").running(1),
        row("good-key", note.clone().header("X-API-Key", key), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"{\"id\":2}"}],"structuredContent":{"id":2},"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"shop","version":"0.1.0"}}}}
        "#]]).recorded("ok").running(1),
        row("good-key-as-bearer", note.clone().bearer(key), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"{\"id\":3}"}],"structuredContent":{"id":3},"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"shop","version":"0.1.0"}}}}
        "#]]).recorded("ok").running(1),
        listed("nothing", note.clone(), expect![[r#"
            401
            www-authenticate: Bearer resource_metadata="https://gate.example.com/.well-known/oauth-protected-resource/mcp", scope="read:notes write:notes"
            {"error":"unauthorized","message":"say who you are: send `Authorization: Bearer` with a token or key, or `X-API-Key`"}
        "#]]),
        listed("empty-bearer", says("Bearer "), expect![[r#"
            401
            www-authenticate: Bearer error="invalid_token", resource_metadata="https://gate.example.com/.well-known/oauth-protected-resource/mcp", scope="read:notes write:notes"
            {"error":"invalid_token","message":"`Authorization` must be `Bearer`, a space and the token"}
        "#]]),
        listed("only-bearer", says("Bearer"), expect![[r#"
            401
            www-authenticate: Bearer error="invalid_token", resource_metadata="https://gate.example.com/.well-known/oauth-protected-resource/mcp", scope="read:notes write:notes"
            {"error":"invalid_token","message":"`Authorization` must be `Bearer`, a space and the token"}
        "#]]),
        listed("basic", says("Basic YW5uOnNlY3JldA=="), expect![[r#"
            401
            www-authenticate: Bearer error="invalid_token", resource_metadata="https://gate.example.com/.well-known/oauth-protected-resource/mcp", scope="read:notes write:notes"
            {"error":"invalid_token","message":"`Authorization` must be `Bearer`, a space and the token"}
        "#]]),
        listed("digest", says("Digest username=\"ann\""), expect![[r#"
            401
            www-authenticate: Bearer error="invalid_token", resource_metadata="https://gate.example.com/.well-known/oauth-protected-resource/mcp", scope="read:notes write:notes"
            {"error":"invalid_token","message":"`Authorization` must be `Bearer`, a space and the token"}
        "#]]),
        listed("token-without-scheme", says(good), expect![[r#"
            401
            www-authenticate: Bearer error="invalid_token", resource_metadata="https://gate.example.com/.well-known/oauth-protected-resource/mcp", scope="read:notes write:notes"
            {"error":"invalid_token","message":"`Authorization` must be `Bearer`, a space and the token"}
        "#]]),
        listed("two-tokens-in-one", says(&bearer(&format!("{good} {good}"))), expect![[r#"
            401
            www-authenticate: Bearer error="invalid_token", resource_metadata="https://gate.example.com/.well-known/oauth-protected-resource/mcp", scope="read:notes write:notes"
            {"error":"invalid_token","message":"`Authorization` must be `Bearer`, a space and the token"}
        "#]]),
        listed("token-in-quotes", says(&bearer(&format!("\"{good}\""))), expect![[r#"
            401
            www-authenticate: Bearer error="invalid_token", resource_metadata="https://gate.example.com/.well-known/oauth-protected-resource/mcp", scope="read:notes write:notes"
            {"error":"invalid_token","message":"`Authorization` must be `Bearer`, a space and the token"}
        "#]]),
        listed("two-authorizations", says(&bearer(good)).header("Authorization", &bearer(good)), expect![[r#"
            401
            www-authenticate: Bearer error="invalid_token", resource_metadata="https://gate.example.com/.well-known/oauth-protected-resource/mcp", scope="read:notes write:notes"
            {"error":"invalid_token","message":"there are two headers where one says who is calling"}
        "#]]),
        listed("two-keys", note.clone().header("X-API-Key", key).header("X-API-Key", key), expect![[r#"
            401
            www-authenticate: Bearer error="invalid_token", resource_metadata="https://gate.example.com/.well-known/oauth-protected-resource/mcp", scope="read:notes write:notes"
            {"error":"invalid_token","message":"there are two headers where one says who is calling"}
        "#]]),
        listed("token-and-key-of-two-callers", note.clone().bearer(good).header("X-API-Key", key), expect![[r#"
            401
            www-authenticate: Bearer error="invalid_token", resource_metadata="https://gate.example.com/.well-known/oauth-protected-resource/mcp", scope="read:notes write:notes"
            {"error":"invalid_token","message":"this token or key is not known here, or not valid any more"}
        "#]]),
        listed("token-in-the-url", Request { path: format!("/mcp?access_token={good}"), ..note.clone() }, expect![[r#"
            401
            www-authenticate: Bearer error="invalid_token", resource_metadata="https://gate.example.com/.well-known/oauth-protected-resource/mcp", scope="read:notes write:notes"
            {"error":"invalid_token","message":"a token does not belong into the URL; send it as `Authorization: Bearer`"}
        "#]]),
        listed("token-in-the-url-beside-one", Request { path: format!("/mcp?access_token={good}"), ..note.clone() }.bearer(good), expect![[r#"
            401
            www-authenticate: Bearer error="invalid_token", resource_metadata="https://gate.example.com/.well-known/oauth-protected-resource/mcp", scope="read:notes write:notes"
            {"error":"invalid_token","message":"a token does not belong into the URL; send it as `Authorization: Bearer`"}
        "#]]),
        listed("key-in-a-cookie", note.clone().header("X-Cookie", key), expect![[r#"
            401
            www-authenticate: Bearer resource_metadata="https://gate.example.com/.well-known/oauth-protected-resource/mcp", scope="read:notes write:notes"
            {"error":"unauthorized","message":"say who you are: send `Authorization: Bearer` with a token or key, or `X-API-Key`"}
        "#]]),
        listed("proxy-authorization", note.clone().header("Proxy-Authorization", &bearer(good)), expect![[r#"
            401
            www-authenticate: Bearer resource_metadata="https://gate.example.com/.well-known/oauth-protected-resource/mcp", scope="read:notes write:notes"
            {"error":"unauthorized","message":"say who you are: send `Authorization: Bearer` with a token or key, or `X-API-Key`"}
        "#]]),
        refused("made-up", says("Bearer sk-fake-0123456789abcdef")),
        refused("not-quite-a-token", says("Bearer a.b.c")),
        refused("empty-parts", says("Bearer ..")),
        refused("four-parts", says(&bearer(&format!("{good}.x")))),
        refused("encrypted-token", says(&bearer(&format!("{}.a.b.c.d", encode(br#"{"alg":"RSA-OAEP","enc":"A256GCM"}"#))))),
        refused("17-kilobytes", says(&bearer(&"x".repeat(17 << 10)))),
    ]
}

/// Every place of the gate, for nobody and for a caller who does not run it.
fn doors(key: &str) -> Vec<Row> {
    let page = |method: &str, path: &str| Request::new(method, path);
    vec![
        row("get-mcp", page("GET", "/mcp"), expect![[r#"
            401
            www-authenticate: Bearer resource_metadata="https://gate.example.com/.well-known/oauth-protected-resource/mcp", scope="read:notes write:notes"
            {"error":"unauthorized","message":"say who you are: send `Authorization: Bearer` with a token or key, or `X-API-Key`"}
        "#]]).recorded("unauthenticated"),
        row("delete-mcp", page("DELETE", "/mcp"), expect![[r#"
            401
            www-authenticate: Bearer resource_metadata="https://gate.example.com/.well-known/oauth-protected-resource/mcp", scope="read:notes write:notes"
            {"error":"unauthorized","message":"say who you are: send `Authorization: Bearer` with a token or key, or `X-API-Key`"}
        "#]]).recorded("unauthenticated"),
        row("options-mcp", page("OPTIONS", "/mcp"), expect![[r#"
            401
            www-authenticate: Bearer resource_metadata="https://gate.example.com/.well-known/oauth-protected-resource/mcp", scope="read:notes write:notes"
            {"error":"unauthorized","message":"say who you are: send `Authorization: Bearer` with a token or key, or `X-API-Key`"}
        "#]]).recorded("unauthenticated"),
        row("metrics", page("GET", "/metrics"), expect![[r#"
            401
            www-authenticate: Bearer resource_metadata="https://gate.example.com/.well-known/oauth-protected-resource/mcp", scope="read:notes write:notes"
            {"error":"unauthorized","message":"say who you are: send `Authorization: Bearer` with a token or key, or `X-API-Key`"}
        "#]]).recorded("unauthenticated"),
        row("metrics-for-a-caller", page("GET", "/metrics").header("X-API-Key", key), expect![[r#"
            403
            {"error":"forbidden","message":"this is for callers with the role `operator`"}
        "#]]),
        row("live", page("GET", "/health/live"), expect![[r#"
            200
            alive

        "#]]),
        row("ready", page("GET", "/health/ready"), expect![[r#"
            200
            ready

        "#]]),
        row("metadata", page("GET", "/.well-known/oauth-protected-resource/mcp"), expect![[r#"
            200
            {"resource":"https://gate.example.com/mcp","bearer_methods_supported":["header"],"authorization_servers":["ISSUER"],"scopes_supported":["read:notes","write:notes"]}
        "#]]),
        row("root", page("GET", "/"), expect![[r#"
            404
            {"jsonrpc":"2.0","error":{"code":-32600,"message":"there is nothing here; MCP is served at /mcp"}}
        "#]]),
        row("admin", page("GET", "/admin"), expect![[r#"
            404
            {"jsonrpc":"2.0","error":{"code":-32600,"message":"there is nothing here; MCP is served at /mcp"}}
        "#]]),
        row("console", page("GET", "/console"), expect![[r#"
            404
            {"jsonrpc":"2.0","error":{"code":-32600,"message":"there is nothing here; MCP is served at /mcp"}}
        "#]]),
        row("sse-of-long-ago", page("GET", "/sse"), expect![[r#"
            404
            {"jsonrpc":"2.0","error":{"code":-32600,"message":"there is nothing here; MCP is served at /mcp"}}
        "#]]),
        row("debug", page("GET", "/debug/pprof"), expect![[r#"
            404
            {"jsonrpc":"2.0","error":{"code":-32600,"message":"there is nothing here; MCP is served at /mcp"}}
        "#]]),
        row("store", page("GET", "/data/callgate.db"), expect![[r#"
            404
            {"jsonrpc":"2.0","error":{"code":-32600,"message":"there is nothing here; MCP is served at /mcp"}}
        "#]]),
        row("configuration", page("GET", "/gate.yaml"), expect![[r#"
            404
            {"jsonrpc":"2.0","error":{"code":-32600,"message":"there is nothing here; MCP is served at /mcp"}}
        "#]]),
        row("other-metadata", page("GET", "/.well-known/openid-configuration"), expect![[r#"
            404
            {"jsonrpc":"2.0","error":{"code":-32600,"message":"there is nothing here; MCP is served at /mcp"}}
        "#]]),
    ]
}

/// Whatever has a place is for those who are recognised, or stands in this list.
async fn places(gate: &mut Gate) {
    const PUBLIC: [&str; 4] =
        ["/health/live", "/health/ready", "/.well-known/oauth-protected-resource/mcp", "/.well-known/oauth-protected-resource"];
    let sources = [include_str!("../../../transport/src/http/places.rs"), include_str!("../../../transport/src/http/challenge.rs")];
    let paths: Vec<&str> = sources
        .iter()
        .flat_map(|source| source.split('"').skip(1).step_by(2))
        .filter(|text| text.starts_with('/') && text.len() > 1)
        .collect();
    assert!(paths.len() >= 6 && PUBLIC.iter().all(|path| paths.contains(path)), "the table of places has moved: {paths:?}");
    for path in paths {
        let status = Request::new("GET", path).header("X-Request-ID", path).send(gate.address).await.unwrap().status;
        assert_eq!(status, if PUBLIC.contains(&path) { 200 } else { 401 }, "{path}");
        gate.owe(path, "unauthenticated", u64::from(status == 401));
    }
}

/// Keys that are nearly one.
fn keys(note: &Request, key: &str) -> Vec<Row> {
    let tries = |name, text: String| refused(name, note.clone().header("X-API-Key", &text));
    let (id, secret) = key.split_at(16);
    let mut turned = secret.as_bytes().to_vec();
    turned[0] = if turned[0] == b'a' { b'b' } else { b'a' };
    vec![
        tries("key-cut-short", key[..key.len() - 1].to_owned()),
        tries("key-with-a-letter-more", format!("{key}a")),
        tries("key-with-another-letter", format!("{id}{}", String::from_utf8_lossy(&turned))),
        tries("key-in-capitals", key.to_uppercase()),
        tries("key-with-another-secret", format!("{id}{}", "a".repeat(secret.len()))),
        tries("key-with-another-id", format!("cg_{}{}", "a".repeat(12), &key[15..])),
        tries("only-the-id", id.to_owned()),
        tries("key-as-sql", "cg_'or'1'='1_x".to_owned()),
        tries("key-with-a-wildcard", format!("{id}%")),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens() {
    let mut gate = Gate::start().await;
    let claims = gate.claims("ann", "acme", "write:notes");
    let good = gate.key.sign(&claims);
    let rows =
        [signatures(&gate, &claims), names(&gate, &claims), times(&gate, &claims), audiences(&gate, &claims), shapes(&gate, &claims)]
            .concat();
    gate.play(vec![row("good", call("add_note", &json!({ "text": "a" })).bearer(&good), expect![[r#"
        200
        {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"{\"id\":1}"}],"structuredContent":{"id":1},"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"shop","version":"0.1.0"}}}}
    "#]]).recorded("ok").running(1)]).await;
    for (name, token) in rows {
        gate.play(vec![refused(name, call("add_note", &json!({ "text": "a" })).bearer(&token))]).await;
    }
    gate.end().await;
}

type Tokens = Vec<(&'static str, String)>;

fn signatures(gate: &Gate, claims: &Value) -> Tokens {
    let key = &gate.key;
    let good = key.sign(claims);
    let (message, signature) = good.rsplit_once('.').expect("a signature");
    let unsigned = |algorithm: &str| format!("{}.{}.", encode(json!({ "alg": algorithm }).to_string()), encode(claims.to_string()));
    let shared = Key::shared("one", &key.public_bytes());
    let pem = Key::shared("one", key.public().to_string().as_bytes());
    let stranger = Key::rsa("one").expect("a key");
    let curve = Key::ec("one").expect("a key");
    let other = encode(json!({ "iss": gate.issuer.url(), "sub": "root" }).to_string());
    let header = message.split('.').next().unwrap_or_default();
    let mut turned = signature.as_bytes().to_vec();
    turned[9] = if turned[9] == b'A' { b'B' } else { b'A' };
    let lies = |algorithm: &str| key.sign_under(&json!({ "alg": algorithm, "kid": "one" }), claims);
    vec![
        ("no-algorithm", unsigned("none")),
        ("no-algorithm-in-capitals", unsigned("None")),
        ("no-algorithm-in-turns", unsigned("nOnE")),
        ("no-algorithm-but-a-signature", format!("{}{signature}", unsigned("none"))),
        ("empty-signature", format!("{message}.")),
        ("cut-signature", format!("{message}.{}", &signature[..signature.len() - 4])),
        ("turned-signature", format!("{message}.{}", String::from_utf8_lossy(&turned))),
        ("zero-signature", format!("{message}.{}", encode([0; 256]))),
        ("signature-with-padding", format!("{good}==")),
        ("claims-exchanged", format!("{header}.{other}.{signature}")),
        ("public-key-as-secret", shared.sign(claims)),
        ("published-key-as-secret", pem.sign(claims)),
        ("empty-secret", Key::shared("one", b"").sign(claims)),
        ("a-strangers-key-of-that-name", stranger.sign(claims)),
        ("a-curve-under-the-name-of-rsa", curve.sign(claims)),
        ("says-es256", lies("ES256")),
        ("says-hs256", lies("HS256")),
        ("says-rs512", lies("RS512")),
        ("says-ps256", lies("PS256")),
        ("says-rs256-in-lower-case", lies("rs256")),
        ("algorithm-as-a-list", key.sign_under(&json!({ "alg": ["RS256", "none"], "kid": "one" }), claims)),
        ("algorithm-twice", key.sign_text(r#"{"alg":"none","alg":"RS256","kid":"one"}"#, &claims.to_string())),
        ("header-is-no-json", key.sign_text("alg=RS256", &claims.to_string())),
        ("brings-its-own-key", stranger.sign_under(&json!({ "alg": "RS256", "kid": "one", "jwk": stranger.public() }), claims)),
        ("brings-a-url-of-keys", stranger.sign_under(&json!({ "alg": "RS256", "kid": "one", "jku": "http://evil.example/keys" }), claims)),
        ("must-be-understood", key.sign_under(&json!({ "alg": "RS256", "kid": "one", "crit": ["exp2"], "exp2": 1 }), claims)),
        ("compressed", key.sign_under(&json!({ "alg": "RS256", "kid": "one", "zip": "DEF" }), claims)),
    ]
}

fn names(gate: &Gate, claims: &Value) -> Tokens {
    let named = |name: Value| gate.key.sign_under(&json!({ "alg": "RS256", "kid": name }), claims);
    vec![
        ("key-in-a-path", named("../../dev/null".into())),
        ("key-as-sql", named("' OR 1=1--".into())),
        ("key-as-a-command", named("|cat /etc/passwd".into())),
        ("key-as-a-url", named("http://169.254.169.254/latest/meta-data".into())),
        ("key-with-a-nul", named("one\0".into())),
        ("key-in-other-case", named("ONE".into())),
        ("key-of-10-kilobytes", named("x".repeat(10 << 10).into())),
        ("key-as-a-number", named(1.into())),
        ("key-as-a-list", named(json!(["one"]))),
        ("empty-key", named("".into())),
    ]
}

fn times(gate: &Gate, claims: &Value) -> Tokens {
    let with = |name: &str, value: Value| {
        let mut claims = claims.clone();
        claims[name] = value;
        gate.key.sign(&claims)
    };
    let mut endless = claims.clone();
    endless.as_object_mut().expect("claims").remove("exp");
    let now = now();
    vec![
        ("expired", with("exp", (now - 31).into())),
        ("expired-long-ago", with("exp", 1.into())),
        ("expires-at-zero", with("exp", 0.into())),
        ("expires-before-time", with("exp", (-1).into())),
        ("never-expires", gate.key.sign(&endless)),
        ("expires-as-text", with("exp", (now + 300).to_string().into())),
        ("expires-as-null", with("exp", Value::Null)),
        ("expires-as-fraction", with("exp", json!(f64::from(u32::try_from(now).unwrap_or(u32::MAX)) + 300.5))),
        ("expires-as-list", with("exp", json!([now + 300]))),
        ("expires-behind-time", with("exp", json!(9_223_372_036_854_775_808_u64))),
        (
            "expires-in-floating-point",
            gate.key.sign_text(
                r#"{"alg":"RS256","kid":"one"}"#,
                &claims.to_string().replace(&format!("\"exp\":{}", claims["exp"]), "\"exp\":1e300"),
            ),
        ),
        ("expires-twice", gate.key.sign_text(r#"{"alg":"RS256","kid":"one"}"#, &claims.to_string().replacen('{', "{\"exp\":1,", 1))),
        ("not-yet", with("nbf", (now + 90).into())),
        ("not-before-a-text", with("nbf", "0".into())),
        ("made-in-the-future", with("iat", (now + 90).into())),
        ("made-as-text", with("iat", now.to_string().into())),
    ]
}

fn audiences(gate: &Gate, claims: &Value) -> Tokens {
    let with = |name: &str, value: Value| {
        let mut claims = claims.clone();
        claims[name] = value;
        gate.key.sign(&claims)
    };
    let without = |name: &str| {
        let mut claims = claims.clone();
        claims.as_object_mut().expect("claims").remove(name);
        gate.key.sign(&claims)
    };
    let url = gate.issuer.url();
    vec![
        ("no-audience", without("aud")),
        ("another-audience", with("aud", "https://other.example.com/mcp".into())),
        ("other-audiences", with("aud", json!(["https://other.example.com/mcp", "https://gate.example.com"]))),
        ("no-audiences", with("aud", json!([]))),
        ("audience-with-a-slash", with("aud", "https://gate.example.com/mcp/".into())),
        ("audience-with-a-port", with("aud", "https://gate.example.com:443/mcp".into())),
        ("audience-in-capitals", with("aud", "https://GATE.example.com/mcp".into())),
        ("audience-with-a-user", with("aud", "https://gate.example.com@evil.example/mcp".into())),
        ("audience-with-a-query", with("aud", "https://gate.example.com/mcp?x".into())),
        ("audience-without-tls", with("aud", "http://gate.example.com/mcp".into())),
        ("audience-as-object", with("aud", json!({ "https://gate.example.com/mcp": true }))),
        ("audience-in-a-list-of-lists", with("aud", json!([["https://gate.example.com/mcp"]]))),
        ("audience-with-a-star", with("aud", "*".into())),
        ("no-issuer", without("iss")),
        ("another-issuer", with("iss", "https://evil.example".into())),
        ("issuer-with-a-slash", with("iss", format!("{url}/").into())),
        ("issuer-in-capitals", with("iss", url.to_uppercase().into())),
        ("issuers", with("iss", json!([url]))),
        ("no-subject", without("sub")),
        ("empty-subject", with("sub", "".into())),
        ("subject-as-number", with("sub", 7.into())),
        ("no-tenant", without("tenant")),
        ("tenants", with("tenant", json!(["acme", "globex"]))),
    ]
}

/// Claims of another form, and what is signed but no token of access.
fn shapes(gate: &Gate, claims: &Value) -> Tokens {
    let with = |name: &str, value: Value| {
        let mut claims = claims.clone();
        claims[name] = value;
        gate.key.sign(&claims)
    };
    let typed = |typ: Value| gate.key.sign_under(&json!({ "alg": "RS256", "kid": "one", "typ": typ }), claims);
    vec![
        ("subject-as-object", with("sub", json!({ "id": "ann" }))),
        ("subject-as-null", with("sub", Value::Null)),
        ("subject-with-a-newline", with("sub", "ann\nroot".into())),
        ("subject-with-a-nul", with("sub", "ann\0".into())),
        ("subject-of-4-kilobytes", with("sub", "a".repeat(4096).into())),
        ("tenant-as-object", with("tenant", json!({ "acme": true }))),
        ("tenant-as-number", with("tenant", 7.into())),
        ("tenant-as-null", with("tenant", Value::Null)),
        ("tenant-with-a-nul", with("tenant", "acme\0".into())),
        ("scopes-as-object", with("scope", json!({ "write:notes": true }))),
        ("scopes-as-number", with("scope", 7.into())),
        ("roles-as-object", with("roles", json!({ "admin": true }))),
        ("role-in-a-role", with("roles", json!([["admin"]]))),
        ("token-of-logout", typed("logout+jwt".into())),
        ("proof-of-a-key", typed("dpop+jwt".into())),
        ("event-of-security", typed("secevent+jwt".into())),
        ("type-as-a-list", typed(json!(["at+jwt"]))),
    ]
}
