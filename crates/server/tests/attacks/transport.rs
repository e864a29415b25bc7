//! Requests that are not fit to be looked at: from where they should not come, in another form, or in a form that two readers read
//! differently.

use std::net::SocketAddr;

use callgate_testkit::http::Request;
use expect_test::expect;
use serde_json::json;

use crate::{
    gate::Gate,
    row::{Edit as _, Row, Sent, ask, call, row},
    wire,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn transport() {
    let mut gate = Gate::start().await;
    let token = gate.token("ann", "acme", "write:notes");
    let good = call("add_note", &json!({ "text": "a" })).bearer(&token);
    gate.play(origins(&good)).await;
    gate.play(forms(&good)).await;
    gate.play(verbs(&good)).await;
    gate.play(hidden(&good, gate.address)).await;
    gate.play(hidden_in_lines(&good, gate.address)).await;
    // The requests that are hidden here are good ones: shown honestly, both run.
    let one = |name| wire::bytes(&good.clone().header("X-Request-ID", name), gate.address);
    let both = [one("shown"), one("shown-behind")].concat();
    gate.play(vec![
        row(
            "two-honest-requests",
            both,
            expect![[r#"
        [200, 200] open
    "#]],
        )
        .running(2),
    ])
    .await;
    gate.owe("shown", "ok", 1);
    gate.owe("shown-behind", "ok", 1);
    gate.play(upgrades(&good, gate.address)).await;
    gate.end().await;
}

fn origins(good: &Request) -> Vec<Row> {
    let with = |name: &str, value: &str| good.clone().with(name, value);
    let both = |value: &str| good.clone().header("Origin", "https://evil.example").with("Host", value);
    let forbidden = |name, sent: Request| {
        row(
            name,
            sent,
            expect![[r#"
            403
            {"jsonrpc":"2.0","error":{"code":-32600,"message":"this host or origin is not allowed here (wire.http.hosts, wire.http.origins)"}}
        "#]],
        )
    };
    vec![
        forbidden("foreign-host", with("Host", "evil.example")),
        forbidden("foreign-host-with-our-port", with("Host", "evil.example:8000")),
        forbidden("rebound-name", with("Host", "localhost.evil.example")),
        forbidden("name-that-ends-like-ours", with("Host", "127.0.0.1.nip.io")),
        forbidden("other-figures", with("Host", "10.0.0.1")),
        forbidden("decimal-figures", with("Host", "2130706433")),
        forbidden("user-in-host", with("Host", "localhost@evil.example")),
        forbidden("user-before-our-host", with("Host", "evil.example@localhost")),
        forbidden("two-hosts-in-one", with("Host", "localhost, evil.example")),
        forbidden("two-hosts", good.clone().header("Host", "localhost").header("Host", "evil.example")),
        forbidden("empty-host", with("Host", "")),
        forbidden("foreign-target", Request { path: "http://evil.example/mcp".into(), ..good.clone() }),
        forbidden("foreign-origin", with("Origin", "https://evil.example")),
        forbidden("null-origin", with("Origin", "null")),
        forbidden("empty-origin", with("Origin", "")),
        forbidden("file-origin", with("Origin", "file://")),
        forbidden("extension-origin", with("Origin", "chrome-extension://abcdefgh")),
        forbidden("origin-with-our-name-in-it", with("Origin", "http://localhost.evil.example")),
        forbidden("origin-with-our-name-as-user", with("Origin", "http://localhost@evil.example")),
        forbidden("two-origins", good.clone().header("Origin", "http://localhost").header("Origin", "https://evil.example")),
        forbidden("foreign-origin-and-host", both("evil.example")),
        forbidden("preflight", preflight()),
        forbidden("get-from-a-page", Request::new("GET", "/health/live").header("Origin", "https://evil.example")),
        forbidden(
            "metadata-from-a-page",
            Request::new("GET", "/.well-known/oauth-protected-resource").header("Origin", "https://evil.example"),
        ),
    ]
}

fn preflight() -> Request {
    let request = Request::new("OPTIONS", "/mcp").header("Origin", "https://evil.example");
    request.header("Access-Control-Request-Method", "POST").header("Access-Control-Request-Headers", "authorization, content-type")
}

fn forms(good: &Request) -> Vec<Row> {
    let kind = |value: &str| good.clone().with("Content-Type", value);
    let coded = |value: &str| good.clone().header("Content-Encoding", value);
    let accept = |value: &str| good.clone().with("Accept", value);
    let unsupported = |name, sent: Request| {
        row(
            name,
            sent,
            expect![[r#"
            415
            {"jsonrpc":"2.0","error":{"code":-32600,"message":"the Content-Type must be application/json, in UTF-8"}}
        "#]],
        )
    };
    vec![
        unsupported("plain-text", kind("text/plain")),
        unsupported("form", kind("application/x-www-form-urlencoded")),
        unsupported("form-with-files", kind("multipart/form-data; boundary=x")),
        unsupported("utf-7", kind("application/json;charset=utf-7")),
        unsupported("latin-1", kind("application/json; charset=\"iso-8859-1\"")),
        unsupported("two-charsets", kind("application/json; charset=utf-8; charset=utf-7")),
        unsupported("two-kinds-in-one", kind("application/json, text/plain")),
        unsupported("kind-that-begins-like-json", kind("application/json-patch+json")),
        unsupported("no-kind", good.clone().without("Content-Type")),
        unsupported("two-kinds", good.clone().header("Content-Type", "text/plain")),
        row("gzip", coded("gzip"), expect![[r#"
            415
            {"jsonrpc":"2.0","error":{"code":-32600,"message":"send the body as it is, without Content-Encoding"}}
        "#]]),
        row("gzip-twice", coded("gzip, gzip"), expect![[r#"
            415
            {"jsonrpc":"2.0","error":{"code":-32600,"message":"send the body as it is, without Content-Encoding"}}
        "#]]),
        row("brotli", coded("br"), expect![[r#"
            415
            {"jsonrpc":"2.0","error":{"code":-32600,"message":"send the body as it is, without Content-Encoding"}}
        "#]]),
        row("zstd", coded("zstd"), expect![[r#"
            415
            {"jsonrpc":"2.0","error":{"code":-32600,"message":"send the body as it is, without Content-Encoding"}}
        "#]]),
        row("identity", coded("identity"), expect![[r#"
            415
            {"jsonrpc":"2.0","error":{"code":-32600,"message":"send the body as it is, without Content-Encoding"}}
        "#]]),
        row("wants-html", accept("text/html"), expect![[r#"
            406
            {"jsonrpc":"2.0","error":{"code":-32600,"message":"answers are application/json or text/event-stream"}}
        "#]]),
        row("wants-json-not", accept("application/json;q=0, text/event-stream;q=0.0"), expect![[r#"
            406
            {"jsonrpc":"2.0","error":{"code":-32600,"message":"answers are application/json or text/event-stream"}}
        "#]]),
        row("wants-anything", accept("*/*"), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"{\"id\":1}"}],"structuredContent":{"id":1},"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"shop","version":"0.1.0"}}}}
        "#]]).recorded("ok").running(1),
    ]
}

fn verbs(good: &Request) -> Vec<Row> {
    let verb = |method: &str| Request { method: method.into(), ..good.clone() };
    let page = |method: &str, path: &str| Request::new(method, path).with("Authorization", &authorization(good));
    let stateful = ask("tools/list", &json!({ "cursor": "x" })).with("Authorization", &authorization(good));
    let nowhere = |name, sent: Request| {
        row(
            name,
            sent,
            expect![[r#"
            404
            {"jsonrpc":"2.0","error":{"code":-32600,"message":"there is nothing here; MCP is served at /mcp"}}
        "#]],
        )
    };
    vec![
        row("put", verb("PUT"), expect![[r#"
            405
            allow: POST, GET, DELETE
            {"jsonrpc":"2.0","error":{"code":-32600,"message":"use POST, GET, DELETE"}}
        "#]]),
        row("patch", verb("PATCH"), expect![[r#"
            405
            allow: POST, GET, DELETE
            {"jsonrpc":"2.0","error":{"code":-32600,"message":"use POST, GET, DELETE"}}
        "#]]),
        row("lower-case", verb("post"), expect![[r#"
            405
            allow: POST, GET, DELETE
            {"jsonrpc":"2.0","error":{"code":-32600,"message":"use POST, GET, DELETE"}}
        "#]]),
        row("trace", page("TRACE", "/mcp"), expect![[r#"
            405
            allow: POST, GET, DELETE
            {"jsonrpc":"2.0","error":{"code":-32600,"message":"use POST, GET, DELETE"}}
        "#]]),
        row("connect", page("CONNECT", "evil.example:443"), expect![[r#"
            403
            {"jsonrpc":"2.0","error":{"code":-32600,"message":"this host or origin is not allowed here (wire.http.hosts, wire.http.origins)"}}
        "#]]),
        row("get", page("GET", "/mcp").with("MCP-Protocol-Version", "2026-07-28"), expect![[r#"
            400
            {"jsonrpc":"2.0","error":{"code":-32600,"message":"this MCP-Protocol-Version is not served with sessions; use 2025-03-26, 2025-06-18 or 2025-11-25"}}
        "#]]),
        row("delete", page("DELETE", "/mcp").with("MCP-Protocol-Version", "2026-07-28"), expect![[r#"
            400
            {"jsonrpc":"2.0","error":{"code":-32600,"message":"this MCP-Protocol-Version is not served with sessions; use 2025-03-26, 2025-06-18 or 2025-11-25"}}
        "#]]),
        row("method-override", page("GET", "/mcp?_method=DELETE").header("X-HTTP-Method-Override", "DELETE"), expect![[r#"
            400
            {"jsonrpc":"2.0","error":{"code":-32600,"message":"send `initialize` first, then its Mcp-Session-Id with every request"}}
        "#]]),
        row("session-of-another-era", stateful.header("Mcp-Session-Id", "x").header("Last-Event-ID", "7"), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"`cursor` is not one that this list gave; start again without it"}}
        "#]]),
        nowhere("other-case-path", Request { path: "/MCP".into(), ..good.clone() }),
        nowhere("slash-behind", Request { path: "/mcp/".into(), ..good.clone() }),
        nowhere("dots-in-path", Request { path: "/health/../mcp".into(), ..good.clone() }),
        nowhere("encoded-dots", Request { path: "/health/%2e%2e/mcp".into(), ..good.clone() }),
        nowhere("two-slashes", Request { path: "//mcp".into(), ..good.clone() }),
        nowhere("encoded-path", Request { path: "/%6dcp".into(), ..good.clone() }),
        nowhere("semicolon-path", Request { path: "/mcp;a=b".into(), ..good.clone() }),
        row("post-to-a-page", Request { path: "/health/live".into(), ..good.clone() }, expect![[r#"
            405
            allow: GET, HEAD
            {"jsonrpc":"2.0","error":{"code":-32600,"message":"use GET, HEAD"}}
        "#]]),
        row("urls-are-not-settings", good.clone().header("X-Base-Url", "http://169.254.169.254").header("X-Callback-Url", "http://evil.example").edit(|params| {
            params["_meta"]["url"] = "http://169.254.169.254/latest".into();
        }), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"{\"id\":2}"}],"structuredContent":{"id":2},"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"shop","version":"0.1.0"}}}}
        "#]]).recorded("ok").running(1),
    ]
}

fn authorization(good: &Request) -> String {
    good.headers.iter().find(|(name, _)| name == "Authorization").map(|(_, value)| value.clone()).unwrap_or_default()
}

/// Requests with another one in their body, for whoever thinks that it ends elsewhere. The hidden one would write.
fn hidden(good: &Request, address: SocketAddr) -> Vec<Row> {
    let hidden = wire::bytes(&good.clone().header("X-Request-ID", "hidden"), address);
    let body = &good.body;
    let chunks = [format!("{:x}\r\n", body.len()).as_bytes(), body, b"\r\n0\r\n\r\n"].concat();
    // The last header of the head stands open, so that a case can say what it ends with.
    let sent = |lengths: &str, body: &[u8]| {
        let bare = wire::bytes(&Request { body: Vec::new(), ..good.clone() }, address);
        let head = String::from_utf8_lossy(&bare[..bare.len() - 2]).into_owned();
        Sent::Raw([head.as_bytes(), lengths.as_bytes(), b"\r\n\r\n", body, &hidden].concat())
    };
    let length = body.len();
    let old = |line: &str| {
        let Sent::Raw(bytes) = sent("Transfer-Encoding: chunked", &chunks) else { unreachable!("it is raw") };
        Sent::Raw(String::from_utf8_lossy(&bytes).replacen("POST /mcp HTTP/1.1", line, 1).into_bytes())
    };
    let refused = |name, sent: Sent| {
        row(
            name,
            sent,
            expect![[r#"
            [400] closed
        "#]],
        )
    };
    vec![
        refused("length-then-chunked", sent("Content-Length: 4\r\nTransfer-Encoding: chunked", &chunks)),
        refused("chunked-then-length", sent("Transfer-Encoding: chunked\r\nContent-Length: 4", &chunks)),
        refused("two-lengths", sent(&format!("Content-Length: {length}\r\nContent-Length: {}", length + 9), body)),
        refused("two-equal-lengths", sent(&format!("Content-Length: {length}\r\ncontent-length: {length}"), body)),
        refused("list-of-lengths", sent(&format!("Content-Length: {length}, {length}"), body)),
        refused("signed-length", sent(&format!("Content-Length: +{length}"), body)),
        refused("negative-length", sent("Content-Length: -1", body)),
        refused("hexadecimal-length", sent(&format!("Content-Length: 0x{length:x}"), body)),
        refused("length-that-wraps", sent(&format!("Content-Length: 18446744073709551616{length}"), body)),
        refused("chunked-and-identity", sent("Transfer-Encoding: chunked, identity", &chunks)),
        refused("identity", sent("Transfer-Encoding: identity", &chunks)),
        refused("gzip-and-chunked", sent("Transfer-Encoding: gzip, chunked", &chunks)),
        refused("chunked-twice", sent("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", &chunks)),
        refused("chunked-behind-a-tab", sent("Transfer-Encoding:\tchunked", &chunks)),
        refused("chunked-with-a-tab-behind", sent("Transfer-Encoding: chunked\t", &chunks)),
        refused("blank-before-colon", sent("Transfer-Encoding : chunked", &chunks)),
        refused("x-chunked", sent("Transfer-Encoding: xchunked", &chunks)),
        refused("folded", sent(&format!("X: a\r\n folded\r\nContent-Length: {length}"), body)),
        refused("folded-encoding", sent("Transfer-Encoding:\r\n chunked", &chunks)),
        refused("bare-newline", sent(&format!("X: a\nY: b\r\nContent-Length: {length}"), body)),
        refused("bare-return", sent(&format!("X: a\rTransfer-Encoding: chunked\r\nContent-Length: {length}"), body)),
        refused("nul-in-header", sent(&format!("X: a\0b\r\nContent-Length: {length}"), body)),
        refused("bad-chunk-size", sent("Transfer-Encoding: chunked", b"zz\r\n")),
        refused("chunk-size-that-wraps", sent("Transfer-Encoding: chunked", b"fffffffffffffffff\r\n")),
        refused(
            "chunk-without-its-end",
            sent("Transfer-Encoding: chunked", &[format!("{:x}\r\n", body.len()).as_bytes(), body, b"XX0\r\n\r\n"].concat()),
        ),
        refused("http-1.0-chunked", old("POST /mcp HTTP/1.0")),
        refused("http-0.9", old("POST /mcp")),
        refused("http-3.1", old("POST /mcp HTTP/3.1")),
        refused("two-blanks", old("POST  /mcp  HTTP/1.1")),
        refused("newline-in-path", old("POST /mcp\rX HTTP/1.1")),
    ]
}

/// The same in chunks and in lines that are not as they should be.
fn hidden_in_lines(good: &Request, address: SocketAddr) -> Vec<Row> {
    let hidden = wire::bytes(&good.clone().header("X-Request-ID", "hidden"), address);
    let body = &good.body;
    let length = body.len();
    let sent = |lines: &str, body: &[u8]| {
        let bare = wire::bytes(&Request { body: Vec::new(), ..good.clone() }, address);
        [&bare[..bare.len() - 2], lines.as_bytes(), b"\r\n\r\n", body, &hidden].concat()
    };
    let first = |line: &str| {
        let bare = wire::bytes(&Request { body: Vec::new(), ..good.clone() }, address);
        let (begin, rest) = bare.split_at(b"POST /mcp HTTP/1.1\r\n".len());
        [begin, line.as_bytes(), &rest[..rest.len() - 2], format!("Content-Length: {length}\r\n\r\n").as_bytes(), body, &hidden].concat()
    };
    let chunked = |size: &str| {
        let chunks = [size.as_bytes(), body, b"\r\n0\r\n\r\n"].concat();
        sent("Transfer-Encoding: chunked", &chunks)
    };
    let refused = |name, sent: Vec<u8>| {
        row(
            name,
            sent,
            expect![[r#"
            [400] closed
        "#]],
        )
    };
    vec![
        refused("chunk-size-with-a-newline", chunked(&format!("{length:x}\n"))),
        refused("chunk-size-with-a-plus", chunked(&format!("+{length:x}\r\n"))),
        refused("chunk-size-with-a-prefix", chunked(&format!("0x{length:x}\r\n"))),
        refused("chunk-size-behind-a-blank", chunked(&format!(" {length:x}\r\n"))),
        refused("chunk-size-with-a-stroke", chunked(&format!("{length:x}_0\r\n"))),
        refused("no-chunk-size", chunked("\r\n")),
        refused("newline-in-what-a-chunk-says", chunked(&format!("{length:x};a\nb\r\n"))),
        refused("much-that-a-chunk-says", chunked(&format!("{length:x};{}\r\n", "a".repeat(1 << 20)))),
        refused("chunks-of-nothing-said", sent("Transfer-Encoding: chunked", &b"1;a=b\r\n \r\n".repeat(100_000))),
        refused("empty-length", sent("Content-Length:", body)),
        refused("length-in-two", sent(&format!("Content-Length: {length} {length}"), body)),
        refused("length-with-a-comma", sent(&format!("Content-Length: {length},"), body)),
        refused("length-as-fraction", sent(&format!("Content-Length: {length}.0"), body)),
        refused("line-without-a-colon", sent(&format!("Nothing\r\nContent-Length: {length}"), body)),
        refused("line-without-a-name", sent(&format!(": x\r\nContent-Length: {length}"), body)),
        refused("blank-in-a-name", sent(&format!("X Y: z\r\nContent-Length: {length}"), body)),
        refused("return-in-a-name", sent(&format!("X\rTransfer-Encoding: chunked\r\nContent-Length: {length}"), body)),
        refused("blank-before-the-first-line", first(" X: y\r\n")),
        refused("tab-before-the-first-line", first("\tTransfer-Encoding: chunked\r\n")),
    ]
}

fn upgrades(good: &Request, address: SocketAddr) -> Vec<Row> {
    let upgrade = |to: &str| {
        let request = Request { body: Vec::new(), ..good.clone() }.header("Connection", "Upgrade").header("Upgrade", to);
        [&wire::bytes(&request.header("Content-Length", "0"), address)[..], b"\x81\x05hello".as_slice()].concat()
    };
    vec![
        row(
            "upgrade-to-websocket",
            upgrade("websocket"),
            expect![[r#"
            [400, 400] closed
        "#]],
        ),
        row(
            "upgrade-to-h2c",
            upgrade("h2c"),
            expect![[r#"
            [400, 400] closed
        "#]],
        ),
        row(
            "upgrade-to-tls",
            upgrade("TLS/1.3"),
            expect![[r#"
            [400, 400] closed
        "#]],
        ),
        row(
            "proxy",
            format!("CONNECT evil.example:443 HTTP/1.1\r\nHost: {address}\r\n\r\nhello").into_bytes(),
            expect![[r#"
            [403] open
        "#]],
        ),
        row(
            "garbage",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03garbage\r\n\r\n".to_vec(),
            expect![[r#"
            [400] closed
        "#]],
        ),
    ]
}
