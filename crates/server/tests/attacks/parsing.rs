//! Bodies that are no message, or are two, or mean one thing to one reader and something else to another.

use callgate_testkit::http::{Connection, Request};
use expect_test::expect;
use serde_json::{Value, json};

use crate::{
    canary,
    gate::Gate,
    row::{Edit as _, Row, ask, call, message, row},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parsing() {
    let mut gate = Gate::start().await;
    let token = gate.token("ann", "acme", "write:notes");
    // A call that would write, with another body.
    let posted = |body: &[u8]| call("add_note", &json!({ "text": "a" })).bearer(&token).body(body);
    let good = message("tools/call", &json!({ "name": "add_note", "arguments": { "text": "a" } })).to_string();
    gate.play(vec![row("good", posted(good.as_bytes()), expect![[r#"
        200
        {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"{\"id\":1}"}],"structuredContent":{"id":1},"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"shop","version":"0.1.0"}}}}
    "#]]).recorded("ok").running(1)]).await;
    gate.play(no_json(&posted, &good)).await;
    gate.play(no_message(&posted, &good)).await;
    gate.play(twice_said(&posted, &good)).await;
    gate.play(other_letters(&posted, &good)).await;
    gate.play(too_much(&posted, &good)).await;
    gate.end().await;
}

type Posted<'p> = &'p dyn Fn(&[u8]) -> Request;

fn no_json(posted: Posted<'_>, good: &str) -> Vec<Row> {
    let text = |text: String| posted(text.as_bytes());
    vec![
        row(
            "prose",
            posted(b"not JSON"),
            expect![[r#"
                400
                {"jsonrpc":"2.0","error":{"code":-32700,"message":"the body is not JSON: a value was expected at byte 0"}}
            "#]],
        ),
        row(
            "empty",
            posted(b""),
            expect![[r#"
                400
                {"jsonrpc":"2.0","error":{"code":-32700,"message":"the body is not JSON: a value was expected at byte 0"}}
            "#]],
        ),
        row(
            "cut-short",
            posted(&good.as_bytes()[..good.len() - 1]),
            expect![[r#"
                400
                {"jsonrpc":"2.0","error":{"code":-32700,"message":"the body is not JSON: `,` or the end of the list was expected at byte 331"}}
            "#]],
        ),
        row(
            "two-messages",
            text(format!("{good}{good}")),
            expect![[r#"
                400
                {"jsonrpc":"2.0","error":{"code":-32700,"message":"the body is not JSON: the end was expected at byte 332"}}
            "#]],
        ),
        row(
            "two-objects",
            posted(b"{}{}"),
            expect![[r#"
                400
                {"jsonrpc":"2.0","error":{"code":-32700,"message":"the body is not JSON: the end was expected at byte 2"}}
            "#]],
        ),
        row(
            "something-behind",
            text(format!("{good} x")),
            expect![[r#"
                400
                {"jsonrpc":"2.0","error":{"code":-32700,"message":"the body is not JSON: the end was expected at byte 333"}}
            "#]],
        ),
        row(
            "nul-behind",
            text(format!("{good}\0")),
            expect![[r#"
                400
                {"jsonrpc":"2.0","error":{"code":-32700,"message":"the body is not JSON: the end was expected at byte 332"}}
            "#]],
        ),
        row(
            "byte-order-mark",
            text(format!("\u{feff}{good}")),
            expect![[r#"
                400
                {"jsonrpc":"2.0","error":{"code":-32700,"message":"the body is not JSON: a value was expected at byte 0"}}
            "#]],
        ),
        row(
            "comment",
            text(format!("/* c */{good}")),
            expect![[r#"
                400
                {"jsonrpc":"2.0","error":{"code":-32700,"message":"the body is not JSON: a value was expected at byte 0"}}
            "#]],
        ),
        row(
            "comma-too-many",
            text(good.replace("\"id\":1,", "\"id\":1,,")),
            expect![[r#"
                400
                {"jsonrpc":"2.0","error":{"code":-32700,"message":"the body is not JSON: the name of a member was expected at byte 24"}}
            "#]],
        ),
        row(
            "not-a-number",
            text(good.replace("\"id\":1", "\"id\":NaN")),
            expect![[r#"
                400
                {"jsonrpc":"2.0","error":{"code":-32700,"message":"the body is not JSON: a value was expected at byte 22"}}
            "#]],
        ),
        row(
            "infinity",
            text(good.replace("\"id\":1", "\"id\":1e999")),
            expect![[r#"
                400
                {"jsonrpc":"2.0","error":{"code":-32700,"message":"the body is not JSON: a number was expected at byte 22"}}
            "#]],
        ),
        row(
            "leading-zero",
            text(good.replace("\"id\":1", "\"id\":01")),
            expect![[r#"
                400
                {"jsonrpc":"2.0","error":{"code":-32700,"message":"the body is not JSON: a number was expected at byte 22"}}
            "#]],
        ),
        row(
            "single-quotes",
            text(good.replace('"', "'")),
            expect![[r#"
                400
                {"jsonrpc":"2.0","error":{"code":-32700,"message":"the body is not JSON: the name of a member was expected at byte 1"}}
            "#]],
        ),
        row(
            "not-utf-8",
            posted(&[good.as_bytes(), b"\xff\xfe"].concat()),
            expect![[r#"
            400
            {"jsonrpc":"2.0","error":{"code":-32700,"message":"the body is not UTF-8: invalid utf-8 sequence of 1 bytes from index 332"}}
        "#]],
        ),
        row(
            "overlong-utf-8",
            posted(&good.replace("\"a\"", "\"\u{1}\"").bytes().map(|byte| if byte == 1 { 0xc0 } else { byte }).collect::<Vec<_>>()),
            expect![[r#"
            400
            {"jsonrpc":"2.0","error":{"code":-32700,"message":"the body is not UTF-8: invalid utf-8 sequence of 1 bytes from index 95"}}
        "#]],
        ),
        row(
            "utf-16",
            posted(&good.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>()),
            expect![[r#"
                400
                {"jsonrpc":"2.0","error":{"code":-32700,"message":"the body is not JSON: the name of a member was expected at byte 1"}}
            "#]],
        ),
        row(
            "half-a-surrogate",
            text(good.replace("\"a\"", "\"\\ud800\"")),
            expect![[r#"
                400
                {"jsonrpc":"2.0","error":{"code":-32700,"message":"the body is not JSON: a text with proper escapes was expected at byte 95"}}
            "#]],
        ),
        row(
            "raw-newline-in-text",
            text(good.replace("\"a\"", "\"a\nb\"")),
            expect![[r#"
                400
                {"jsonrpc":"2.0","error":{"code":-32700,"message":"the body is not JSON: the end of a text was expected at byte 96"}}
            "#]],
        ),
    ]
}

fn no_message(posted: Posted<'_>, good: &str) -> Vec<Row> {
    let text = |text: String| posted(text.as_bytes());
    let nameless = |name, sent: Request| {
        row(
            name,
            sent,
            expect![[r#"
            400
            {"jsonrpc":"2.0","error":{"code":-32600,"message":"`id` must be a string or a whole number"}}
        "#]],
        )
    };
    vec![
        row(
            "array",
            text(format!("[{good}]")),
            expect![[r#"
            400
            {"jsonrpc":"2.0","error":{"code":-32600,"message":"a message is one JSON object, not an array"}}
        "#]],
        ),
        row(
            "array-of-two",
            text(format!("[{good},{good}]")),
            expect![[r#"
            400
            {"jsonrpc":"2.0","error":{"code":-32600,"message":"a message is one JSON object, not an array"}}
        "#]],
        ),
        row(
            "empty-array",
            posted(b"[]"),
            expect![[r#"
            400
            {"jsonrpc":"2.0","error":{"code":-32600,"message":"an empty array is not a message"}}
        "#]],
        ),
        row(
            "empty-object",
            posted(b"{}"),
            expect![[r#"
            400
            {"jsonrpc":"2.0","error":{"code":-32600,"message":"`jsonrpc` must be \"2.0\""}}
        "#]],
        ),
        row(
            "null",
            posted(b"null"),
            expect![[r#"
            400
            {"jsonrpc":"2.0","error":{"code":-32600,"message":"a message is one JSON object"}}
        "#]],
        ),
        row(
            "text",
            posted(b"\"tools/call\""),
            expect![[r#"
            400
            {"jsonrpc":"2.0","error":{"code":-32600,"message":"a message is one JSON object"}}
        "#]],
        ),
        row(
            "a-response",
            posted(br#"{"jsonrpc":"2.0","id":1,"result":{}}"#),
            expect![[r#"
            400
            {"jsonrpc":"2.0","error":{"code":-32600,"message":"this MCP-Protocol-Version is not served with sessions; use 2025-03-26, 2025-06-18 or 2025-11-25"}}
        "#]],
        ),
        row(
            "an-error-response",
            posted(br#"{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"c4n4ry"}}"#),
            expect![[r#"
            400
            {"jsonrpc":"2.0","error":{"code":-32600,"message":"this MCP-Protocol-Version is not served with sessions; use 2025-03-26, 2025-06-18 or 2025-11-25"}}
        "#]],
        ),
        row(
            "request-and-response",
            text(good.replace("\"id\":1", "\"id\":1,\"result\":{}")),
            expect![[r#"
            400
            {"jsonrpc":"2.0","id":1,"error":{"code":-32600,"message":"unknown member `result`; a message has `jsonrpc`, `id`, `method` and `params`"}}
        "#]],
        ),
        row(
            "no-version",
            text(good.replace("\"jsonrpc\":\"2.0\",", "")),
            expect![[r#"
            400
            {"jsonrpc":"2.0","id":1,"error":{"code":-32600,"message":"`jsonrpc` must be \"2.0\""}}
        "#]],
        ),
        row(
            "version-1",
            text(good.replace("\"2.0\"", "\"1.0\"")),
            expect![[r#"
            400
            {"jsonrpc":"2.0","id":1,"error":{"code":-32600,"message":"`jsonrpc` must be \"2.0\""}}
        "#]],
        ),
        row(
            "version-as-number",
            text(good.replace("\"2.0\"", "2.0")),
            expect![[r#"
            400
            {"jsonrpc":"2.0","id":1,"error":{"code":-32600,"message":"`jsonrpc` must be \"2.0\""}}
        "#]],
        ),
        nameless("id-null", text(good.replace("\"id\":1", "\"id\":null"))),
        nameless("id-list", text(good.replace("\"id\":1", "\"id\":[1]"))),
        nameless("id-object", text(good.replace("\"id\":1", "\"id\":{}"))),
        nameless("id-fraction", text(good.replace("\"id\":1", "\"id\":1.5"))),
        row(
            "no-id",
            text(good.replace("\"id\":1,", "")),
            expect![[r#"
            202

        "#]],
        ),
        row(
            "params-list",
            posted(br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":["add_note"]}"#),
            expect![[r#"
            400
            {"jsonrpc":"2.0","id":1,"error":{"code":-32600,"message":"`params` must be an object"}}
        "#]],
        ),
        row(
            "params-null",
            posted(br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":null}"#),
            expect![[r#"
            400
            {"jsonrpc":"2.0","id":1,"error":{"code":-32600,"message":"`params` must be an object"}}
        "#]],
        ),
        row(
            "method-number",
            text(good.replace("\"tools/call\"", "7")),
            expect![[r#"
            400
            {"jsonrpc":"2.0","id":1,"error":{"code":-32600,"message":"`method` must be a string"}}
        "#]],
        ),
    ]
}

fn twice_said(posted: Posted<'_>, good: &str) -> Vec<Row> {
    let with = |from: &str, to: &str| posted(good.replace(from, to).as_bytes());
    vec![
        row(
            "method-twice",
            with("\"method\":", "\"method\":\"tools/list\",\"method\":"),
            expect![[r#"
                400
                {"jsonrpc":"2.0","error":{"code":-32600,"message":"the message is refused: member `method` stands there twice"}}
            "#]],
        ),
        row(
            "method-twice-escaped",
            with("\"method\":", "\"m\\u0065thod\":\"tools/list\",\"method\":"),
            expect![[r#"
                400
                {"jsonrpc":"2.0","error":{"code":-32600,"message":"the message is refused: member `method` stands there twice"}}
            "#]],
        ),
        row(
            "id-twice",
            with("\"id\":1", "\"id\":1,\"id\":2"),
            expect![[r#"
                400
                {"jsonrpc":"2.0","error":{"code":-32600,"message":"the message is refused: member `id` stands there twice"}}
            "#]],
        ),
        row(
            "name-twice",
            with("\"name\":\"add_note\"", "\"name\":\"my_notes\",\"name\":\"add_note\""),
            expect![[r#"
                400
                {"jsonrpc":"2.0","error":{"code":-32600,"message":"the message is refused: member `name` stands there twice"}}
            "#]],
        ),
        row(
            "argument-twice",
            with("\"text\":\"a\"", "\"text\":\"a\",\"text\":\"b\""),
            expect![[r#"
                400
                {"jsonrpc":"2.0","error":{"code":-32600,"message":"the message is refused: member `text` stands there twice"}}
            "#]],
        ),
        row(
            "argument-twice-escaped",
            with("\"text\":\"a\"", "\"text\":\"a\",\"te\\u0078t\":\"b\""),
            expect![[r#"
                400
                {"jsonrpc":"2.0","error":{"code":-32600,"message":"the message is refused: member `text` stands there twice"}}
            "#]],
        ),
        row(
            "deep-twice",
            with("\"text\":\"a\"", "\"text\":{\"a\":[{\"b\":1,\"b\":2}]}"),
            expect![[r#"
                400
                {"jsonrpc":"2.0","error":{"code":-32600,"message":"the message is refused: member `b` stands there twice"}}
            "#]],
        ),
        row(
            "params-twice",
            with("\"params\":", "\"params\":{},\"params\":"),
            expect![[r#"
                400
                {"jsonrpc":"2.0","error":{"code":-32600,"message":"the message is refused: member `params` stands there twice"}}
            "#]],
        ),
    ]
}

fn other_letters(posted: Posted<'_>, good: &str) -> Vec<Row> {
    let with = |from: &str, to: &str| posted(good.replace(from, to).as_bytes());
    let named = |name: &str| {
        let body = good.replace("\"add_note\"", &format!("\"{name}\""));
        // A header cannot hold these as they are.
        let encoded = crate::wire::header(name);
        posted(body.as_bytes()).with("Mcp-Name", &encoded)
    };
    vec![
        row("capital-method", with("\"method\"", "\"Method\""), expect![[r#"
            400
            {"jsonrpc":"2.0","id":1,"error":{"code":-32600,"message":"a message has a `method`, or an `id` with either `result` or `error`"}}
        "#]]),
        row("all-capitals-method", with("\"method\"", "\"METHOD\""), expect![[r#"
            400
            {"jsonrpc":"2.0","id":1,"error":{"code":-32600,"message":"a message has a `method`, or an `id` with either `result` or `error`"}}
        "#]]),
        row("capital-params", with("\"params\"", "\"Params\""), expect![[r#"
            400
            {"jsonrpc":"2.0","id":1,"error":{"code":-32600,"message":"unknown member `Params`; a message has `jsonrpc`, `id`, `method` and `params`"}}
        "#]]),
        row("long-s-params", with("\"params\"", "\"param\u{17f}\""), expect![[r#"
            400
            {"jsonrpc":"2.0","id":1,"error":{"code":-32600,"message":"unknown member `paramſ`; a message has `jsonrpc`, `id`, `method` and `params`"}}
        "#]]),
        row("capital-arguments", with("\"arguments\"", "\"Arguments\""), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"`text` is missing: a string, at most 200 characters long"}],"isError":true,"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"shop","version":"0.1.0"}}}}
        "#]]).recorded("bad_arguments"),
        row("capital-argument", with("\"text\"", "\"Text\""), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"there is no argument `Text` (did you mean `text`?); `text` is missing: a string, at most 200 characters long"}],"isError":true,"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"shop","version":"0.1.0"}}}}
        "#]]).recorded("bad_arguments"),
        row("kelvin-argument", with("\"text\":\"a\"", "\"text\":\"a\",\"\u{212a}ey\":1"), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"there is no argument `Key` (there are `text`, `password`)"}],"isError":true,"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"shop","version":"0.1.0"}}}}
        "#]]).recorded("bad_arguments"),
        row("unknown-argument", with("\"text\":\"a\"", &format!("\"text\":\"a\",\"tenant\":\"{}\"", canary::EMAIL)), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"there is no argument `tenant` (there are `text`, `password`)"}],"isError":true,"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"shop","version":"0.1.0"}}}}
        "#]]).recorded("bad_arguments"),
        row("prototype", with("\"text\":\"a\"", "\"text\":\"a\",\"__proto__\":{\"role\":\"admin\"}"), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"there is no argument `__proto__` (there are `text`, `password`)"}],"isError":true,"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"shop","version":"0.1.0"}}}}
        "#]]).recorded("bad_arguments"),
        row("capital-tool", named("Add_note"), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"unknown tool `Add_note`"}}
        "#]]).recorded("unknown"),
        row("zero-width-tool", named("add\u{200b}_note"), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"unknown tool `add�_note`"}}
        "#]]).recorded("unknown"),
        row("cyrillic-tool", named("\u{430}dd_note"), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"unknown tool `аdd_note`"}}
        "#]]).recorded("unknown"),
        row("combined-tool", named("a\u{301}dd_note"), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"unknown tool `ádd_note`"}}
        "#]]).recorded("unknown"),
        row("full-width-tool", named("add\u{ff3f}note"), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"unknown tool `add＿note`"}}
        "#]]).recorded("unknown"),
        row("blank-behind-tool", named("add_note "), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"unknown tool `add_note `"}}
        "#]]).recorded("unknown"),
        row("nul-in-tool", named("add_note\\u0000"), expect![[r#"
            400
            {"jsonrpc":"2.0","id":1,"error":{"code":-32020,"message":"header `mcp-name` differs from the body"}}
        "#]]).recorded("bad_request"),
    ]
}

fn too_much(posted: Posted<'_>, good: &str) -> Vec<Row> {
    let argument = |value: &str| posted(good.replace("\"a\"", value).as_bytes());
    let nested = |levels: usize| argument(&format!("{}{}", "[".repeat(levels), "]".repeat(levels)));
    vec![
        row("65-levels", nested(62), expect![[r#"
            400
            {"jsonrpc":"2.0","error":{"code":-32600,"message":"the message is refused: it is nested too deeply"}}
        "#]]),
        row("10000-levels", nested(10_000), expect![[r#"
            400
            {"jsonrpc":"2.0","error":{"code":-32600,"message":"the message is refused: it is nested too deeply"}}
        "#]]),
        row("million-open", posted("[".repeat(1_000_000).as_bytes()), expect![[r#"
            400
            {"jsonrpc":"2.0","error":{"code":-32600,"message":"the message is refused: it is nested too deeply"}}
        "#]]),
        row("million-objects-open", posted("{\"a\":".repeat(500_000).as_bytes()), expect![[r#"
            400
            {"jsonrpc":"2.0","error":{"code":-32600,"message":"the message is refused: it is nested too deeply"}}
        "#]]),
        row("100001-values", argument(&format!("[{}0]", "0,".repeat(100_001))), expect![[r#"
            400
            {"jsonrpc":"2.0","error":{"code":-32600,"message":"the message is refused: it holds more values than this gate takes (wire.values)"}}
        "#]]),
        row("long-id", posted(good.replace("\"id\":1", &format!("\"id\":\"{}\"", "x".repeat(1 << 20))).as_bytes()), expect![[r#"
            200
            {"jsonrpc":"2.0","id":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx and so on, 1048794 bytes
        "#]]).recorded("ok").running(1),
        row("huge-number", argument(&"9".repeat(100_000)), expect![[r#"
            400
            {"jsonrpc":"2.0","error":{"code":-32700,"message":"the body is not JSON: a number was expected at byte 94"}}
        "#]]),
        row("huge-exponent", argument("1e400000000"), expect![[r#"
            400
            {"jsonrpc":"2.0","error":{"code":-32700,"message":"the body is not JSON: a number was expected at byte 94"}}
        "#]]),
        row("long-text", argument(&format!("\"{}\"", "x".repeat(1 << 20))), expect![[r#"
            200
            {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"`text` must be a string, at most 200 characters long, not \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…\""}],"isError":true,"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"shop","version":"0.1.0"}}}}
        "#]]).recorded("bad_arguments"),
        row("long-method", posted(good.replace("tools/call", &"x".repeat(100_000)).as_bytes()).with("Mcp-Method", "tools/call"), expect![[r#"
            400
            {"jsonrpc":"2.0","id":1,"error":{"code":-32020,"message":"header `mcp-method` differs from the body"}}
        "#]]),
        row("unknown-method", posted(good.replace("tools/call", "tools/exec").as_bytes()).with("Mcp-Method", "tools/exec"), expect![[r#"
            404
            {"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"unknown method `tools/exec`"}}
        "#]]),
    ]
}

/// How many bodies chance makes; `CALLGATE_TEST_BODIES` says otherwise.
fn bodies() -> u64 {
    std::env::var_os("CALLGATE_TEST_BODIES").and_then(|count| count.to_str()?.parse().ok()).unwrap_or(4000)
}

/// A sequence that is the same each time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).expect("it is small") % bound
    }
}

/// Pieces that mean something to somebody.
const PIECES: [&[u8]; 24] = [
    b"\"",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"\\",
    b"\\u0000",
    b"\\ud800",
    b"null",
    b"true",
    b"-0",
    b"1e999",
    b"9007199254740993",
    b"\"id\":2,",
    b"\"_meta\":{},",
    b"\"params\":{},",
    b"\xff",
    b"\xc0\xaf",
    b"\xef\xbb\xbf",
    b"\0",
    b"//",
    b"\"__proto__\":{},",
];

/// Turned, cut out, doubled or grown at a few places.
fn changed(good: &str, chance: &mut Chance) -> Vec<u8> {
    let mut body = good.as_bytes().to_vec();
    for _ in 0..=chance.below(3) {
        let (at, length) = (chance.below(body.len()), 1 + chance.below(12));
        let end = (at + length).min(body.len());
        match chance.below(5) {
            0 => body[at] ^= 1 << chance.below(8),
            1 => drop(body.drain(at..end)),
            2 => drop(body.splice(at..at, body[at..end].to_vec())),
            3 => body.truncate(at.max(1)),
            _ => drop(body.splice(at..at, PIECES[chance.below(PIECES.len())].iter().copied())),
        }
        if body.is_empty() {
            break;
        }
    }
    body
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_by_chance() {
    let mut gate = Gate::start().await;
    let token = gate.token("ann", "acme", "write:notes");
    let goods = [
        ("tools/call", json!({ "name": "add_note", "arguments": { "text": "a" } })),
        ("tools/call", json!({ "name": "find_notes", "arguments": { "text": "a", "code": "aaa" } })),
        ("tools/list", json!({ "cursor": "x" })),
        ("resources/read", json!({ "uri": "notes://of/ann" })),
        ("prompts/get", json!({ "name": "greet", "arguments": { "name": "x" } })),
    ]
    .map(|(method, params)| (ask(method, &params).bearer(&token), message(method, &params).to_string()));
    let mut chance = Chance(0x9e37_79b9_7f4a_7c15);
    let mut connection = Connection::open(gate.address).await.unwrap();
    for number in 0..bodies() {
        let (request, good) = &goods[chance.below(goods.len())];
        let body = changed(good, &mut chance);
        let told = || format!("{number}: {}", String::from_utf8_lossy(&body));
        let request = request.clone().body(body.clone()).with("X-Request-ID", "chance");
        let answer = connection.send(&request).await.unwrap_or_else(|error| panic!("{error:#}: {}", told()));
        // Who makes the same call in vain too often is told to stop.
        assert!([200, 202, 400, 404, 429].contains(&answer.status), "{}: {}", answer.status, told());
        if answer.status == 202 {
            continue;
        }
        let reply = answer.json().unwrap_or_else(|error| panic!("{error:#}: {}", told()));
        let one = u8::from(reply["result"].is_object()) + u8::from(reply["error"]["code"].is_i64());
        assert!(reply["jsonrpc"] == "2.0" && one == 1, "{reply}: {}", told());
        let own = serde_json::from_slice::<Value>(&body).map(|sent| sent["id"].clone()).unwrap_or_default();
        assert!(reply["id"].is_null() || reply["id"] == own, "{reply}: {}", told());
    }
    gate.excuse("chance");
    gate.end().await;
}
