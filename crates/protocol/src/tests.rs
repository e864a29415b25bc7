//! What gets in, what is refused and how, and what each revision is shown.

use callgate_model::{Completion, Content, Fault, Identity, InputRequest, InputRequired, Json, Members, Reply, Tool, ToolName, ToolReply};
use expect_test::{Expect, expect};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{
    Ask, Body, Era, Id, Limits, Message, Params, Refusal, Request, Revision, ask,
    encode::{self, Frame, Freshness, Notice, Scope},
    era,
    modern::{self, Mirror, ParamHeaders},
    read, strict,
};

const LIMITS: Limits = Limits { depth: 64, values: 1_000 };
const FRESH: Freshness = Freshness { ttl_ms: 1000, scope: Scope::Private };

/// How reading `body` ends: `ok`, or `status code message`.
fn outcome(body: &[u8]) -> String {
    match read(body, LIMITS) {
        Ok(_) => "ok".into(),
        Err(Refusal { status, error, .. }) => format!("{status} {} {}", error.code, error.message),
    }
}

#[test]
fn only_one_well_formed_message_gets_in() {
    let deep = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"m","params":{{"a":{}{}}}}}"#, "[".repeat(63), "]".repeat(63));
    let bottomless = "[".repeat(10_000);
    let all_but = |used: usize| format!(r#"{{"jsonrpc":"2.0","id":1,"method":"m","params":{{"a":[{}1]}}}}"#, "1,".repeat(1_000 - used - 1));
    let wide = |last: usize| {
        let names: String = (0..40).chain([last]).map(|name| format!(r#","a{name}":1"#)).collect();
        format!(r#"{{"jsonrpc":"2.0","id":1,"method":"m","params":{{"b":1{names}}}}}"#)
    };
    let cases: &[(&str, &str)] = &[
        (r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#, "ok"),
        (r#" {"jsonrpc":"2.0","id":"a","method":"ping","params":{}} "#, "ok"),
        (r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#, "ok"),
        (r#"{"jsonrpc":"2.0","id":1,"result":{}}"#, "ok"),
        ("", "-32700"),
        ("{", "-32700"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"ping"}{}"#, "-32700"),
        ("\u{feff}{}", "-32700"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"ping",/* */"params":{}}"#, "-32700"),
        (r#"{"jsonrpc":"2.0","id":NaN,"method":"ping"}"#, "-32700"),
        ("[]", "-32600"),
        ("7", "-32600"),
        (r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, "-32600"),
        (r#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#, "-32600"),
        (r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#, "-32600"),
        (r#"{"id":1,"method":"ping"}"#, "-32600"),
        (r#"{"jsonrpc":"2.0","id":1,"Method":"ping"}"#, "-32600"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"ping","Params":{}}"#, "-32600"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"ping","paramſ":{}}"#, "-32600"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}"#, "-32600"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","method":"tools/call"}"#, "-32600"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"m","params":{"a":{"b":1,"b":2}}}"#, "-32600"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"m","params":{"a":1,"\u0061":2}}"#, "-32600"),
        (r#"{"jsonrpc":"2.0","id":1,"result":{},"error":{}}"#, "-32600"),
        (r#"{"jsonrpc":"2.0","result":{}}"#, "-32600"),
        (&deep, "-32600"),
        (&bottomless, "-32"),
        // The message, its four members and the list are values too.
        (&all_but(6), "ok"),
        (&all_but(5), "-32600 the message is refused: it holds more values than this gate takes (wire.values)"),
        (&wide(40), "ok"),
        (&wide(7), "-32600 the message is refused: member `a7` stands there twice"),
    ];
    for (body, expected) in cases {
        let seen = outcome(body.as_bytes());
        let status = if *expected == "ok" { "" } else { "400 " };
        assert!(seen.starts_with(&format!("{status}{expected}")), "{body:.80}: {seen}");
    }
    assert!(outcome(b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\"}").starts_with("400 -32700"));
}

#[test]
fn batches_keep_each_message_apart() {
    let Ok(Body::Batch(items)) = read(br#"[{"jsonrpc":"2.0","id":1,"method":"ping"},7]"#, LIMITS) else { panic!("a batch") };
    assert!(matches!(items[0], Ok(Message::Request(_))) && items[1].is_err());
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(&bytes, LIMITS);
    }

    #[test]
    fn no_text_of_json_makes_the_reader_panic(text in r#"[\[\]{}",:a0-9.eE\\u -]{0,80}"#) {
        let _ = read(text.as_bytes(), LIMITS);
    }

    /// serde_json reads the same texts, apart from what it is too kind about.
    #[test]
    fn texts_are_read_as_serde_json_reads_them(value in values(), places in proptest::collection::vec((any::<prop::sample::Index>(), r#"[\[\]{}",:0-9.eE+\\utfn/ \n\t-]"#), 0..3)) {
        let mut text = serde_json::to_string_pretty(&value).unwrap();
        for (place, replacement) in places {
            let at = text.floor_char_boundary(place.index(text.len()));
            let end = text.ceil_char_boundary(at + 1);
            text.replace_range(at..end, &replacement);
        }
        let ours = strict::parse(text.as_bytes(), Limits { depth: 100, values: 100_000 });
        match (ours, serde_json::from_str::<Value>(&text)) {
            (Ok(ours), Ok(theirs)) => prop_assert_eq!(Value::from(ours), theirs),
            (Err(ours), Ok(_)) => prop_assert!(ours.message.ends_with("stands there twice"), "{}: {}", text, ours.message),
            (Ok(_), Err(theirs)) => prop_assert!(false, "{}: {}", text, theirs),
            (Err(_), Err(_)) => {}
        }
    }

    #[test]
    fn a_structure_is_told_as_text_unchanged(texts in proptest::collection::vec(any::<String>(), 0..4)) {
        let json = Json::parse(&format!("[\t{}\r\n]", serde_json::to_string_pretty(&texts).unwrap())).unwrap();
        let reply = frame(Revision::V2025_11_25, |frame| encode::reply(frame, &Reply::Tool(ToolReply::structured(json.clone())), FRESH));
        let read: Value = serde_json::from_str(&reply).unwrap();
        prop_assert_eq!(&read["result"]["content"][0]["text"], json.as_str());
    }

    #[test]
    fn header_values_come_back_as_they_went(text in any::<String>()) {
        let headers = Headers(vec![("mcp-name".into(), modern::encode(&text).into_owned())]);
        prop_assert_eq!(modern::text(&headers, "mcp-name").unwrap().unwrap(), text);
    }
}

/// Any JSON.
fn values() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (0_u64..100).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    scalar.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::btree_map("[a-c\"\\\\é]{0,2}", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

struct Headers(Vec<(String, String)>);

impl Mirror for Headers {
    fn value(&self, name: &str) -> Option<(&[u8], usize)> {
        let values: Vec<_> = self.0.iter().filter(|(key, _)| key == name).collect();
        values.first().map(|(_, value)| (value.as_bytes(), values.len()))
    }
}

fn request(method: &str, mut params: Value, version: &str) -> Request {
    params["_meta"] = json!({ "io.modelcontextprotocol/protocolVersion": version, "io.modelcontextprotocol/clientCapabilities": { "roots": { "listChanged": true } } });
    asked(method, &params)
}

/// The request with these parameters, as it is read.
fn asked(method: &str, params: &Value) -> Request {
    let text = json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params }).to_string();
    let Ok(Body::One(Message::Request(request))) = read(text.as_bytes(), LIMITS) else { panic!("a request") };
    request
}

/// `ok` or `status code` for a request sent with these headers, given as `name: value` lines.
fn admitted(request: &Request, headers: &str) -> String {
    let headers = headers.lines().filter_map(|line| line.split_once(": ")).map(|(k, v)| (k.trim().into(), v.into())).collect();
    match modern::admit(request, Some(&Headers(headers))) {
        Ok(_) => "ok".into(),
        Err(refusal) => format!("{} {}", refusal.status, refusal.error.code),
    }
}

#[test]
fn a_modern_request_is_checked_in_order() {
    let now = "2026-07-28";
    let call = || request("tools/call", json!({ "name": "pay" }), now);
    let bare = |params: Value| asked("tools/list", &params);
    let version = "io.modelcontextprotocol/protocolVersion";
    let cases = [
        (call(), "mcp-protocol-version: 2026-07-28\nmcp-method: tools/call\nmcp-name: pay", "ok"),
        (call(), "mcp-protocol-version:   2026-07-28 \nmcp-method: tools/call\t\nmcp-name: =?base64?cGF5?=", "ok"),
        (bare(json!({})), "", "400 -32602"),
        (bare(json!({ "_meta": { version: now } })), "", "400 -32602"),
        (bare(json!({ "_meta": { version: 7 } })), "", "400 -32602"),
        (call(), "", "400 -32020"),
        (call(), "mcp-protocol-version: 2025-11-25\nmcp-method: tools/call\nmcp-name: pay", "400 -32020"),
        (call(), "mcp-protocol-version: 2026-07-28\nmcp-method: tools/list\nmcp-name: pay", "400 -32020"),
        (call(), "mcp-protocol-version: 2026-07-28\nmcp-method: Tools/Call\nmcp-name: pay", "400 -32020"),
        (call(), "mcp-protocol-version: 2026-07-28\nmcp-method: tools/call", "400 -32020"),
        (call(), "mcp-protocol-version: 2026-07-28\nmcp-method: tools/call\nmcp-name: refund", "400 -32020"),
        (call(), "mcp-protocol-version: 2026-07-28\nmcp-method: tools/call\nmcp-name: pay\nmcp-name: pay", "400 -32020"),
        (call(), "mcp-protocol-version: 2026-07-28\nmcp-method: tools/call\nmcp-name: =?base64?cGF5=?=", "400 -32020"),
        (request("tools/list", json!({}), "v999.0.0"), "mcp-protocol-version: v999.0.0\nmcp-method: tools/list", "400 -32022"),
        (request("tools/list", json!({}), "2025-11-25"), "mcp-protocol-version: 2025-11-25\nmcp-method: tools/list", "400 -32022"),
        (request("tools/list", json!({}), "v999.0.0"), "mcp-protocol-version: 2026-07-28\nmcp-method: tools/list", "400 -32020"),
        (request("initialize", json!({}), now), "mcp-protocol-version: 2026-07-28\nmcp-method: initialize", "404 -32601"),
        (request("ping", json!({}), now), "mcp-protocol-version: 2026-07-28\nmcp-method: ping", "404 -32601"),
    ];
    for (request, headers, expected) in cases {
        assert_eq!(admitted(&request, headers), expected, "{} with\n{headers}", request.method);
    }
}

#[test]
fn metadata_decides_the_era_before_headers_do() {
    let modern = Message::Request(request("initialize", json!({}), "2026-07-28"));
    let plain = |method: &str| Message::Request(Request { id: Id::Number(1.into()), method: method.into(), params: Params::default() });
    let cases = [
        (modern, None, None, Era::Modern),
        (plain("initialize"), None, None, Era::Legacy),
        (plain("tools/list"), Some("2025-11-25"), None, Era::Legacy),
        (plain("tools/list"), Some("2025-11-25"), Some("tools/list"), Era::Legacy),
        (plain("tools/list"), Some("2026-07-28"), None, Era::Modern),
        (plain("tools/list"), Some("2027-01-01"), None, Era::Modern),
        (plain("tools/list"), None, Some("tools/list"), Era::Modern),
        (plain("tools/list"), Some("1900-01-01"), None, Era::Legacy),
    ];
    for (message, version, method, expected) in cases {
        assert_eq!(era(&message, version, method), expected, "{version:?} {method:?}");
    }
}

/// `ok`, or the code, of a call with these arguments and this `Mcp-Param-Region` header.
fn mirrored(kind: &str, argument: Value, header: Option<&str>) -> String {
    let schema = json!({ "type": "object", "properties": { "region": { "type": kind, "x-mcp-header": "Region" } } });
    let marked = ParamHeaders::of(&Json::of(&schema)).expect("a good schema");
    let arguments: Members = [("region".to_owned(), argument)].into_iter().collect();
    let headers = Headers(header.map(|value| ("mcp-param-region".into(), value.into())).into_iter().collect());
    modern::parameters(&marked, &arguments, &headers).map_or_else(|error| error.code.to_string(), |()| "ok".into())
}

#[test]
fn marked_arguments_and_their_headers_agree() {
    let cases = [
        ("string", json!("eu"), Some("eu"), "ok"),
        ("string", json!("eu"), Some(" eu "), "ok"),
        ("string", json!("eu"), Some("us"), "-32020"),
        ("string", json!("eu"), None, "-32020"),
        ("string", Value::Null, None, "ok"),
        ("string", Value::Null, Some("eu"), "-32020"),
        ("string", json!("Hello"), Some("=?base64?SGVsbG8=?="), "ok"),
        ("string", json!("Hello"), Some("=?base64?SGVsbG8?="), "-32020"),
        ("string", json!("Hello"), Some("=?base64?SGVs!!!bG8=?="), "-32020"),
        ("string", json!("SGVsbG8="), Some("SGVsbG8="), "ok"),
        ("string", json!("=?base64?SGVsbG8="), Some("=?base64?SGVsbG8="), "ok"),
        ("string", json!(" padded "), Some("=?base64?IHBhZGRlZCA=?="), "ok"),
        ("integer", json!(42), Some("42.0"), "ok"),
        ("integer", json!(42), Some("43"), "-32020"),
        ("boolean", json!(true), Some("true"), "ok"),
        ("boolean", json!(true), Some("True"), "-32020"),
    ];
    for (kind, argument, header, expected) in cases {
        assert_eq!(mirrored(kind, argument.clone(), header), expected, "{argument} and {header:?}");
    }
}

#[test]
fn marks_in_the_wrong_place_are_refused() {
    let string = json!({ "type": "string", "x-mcp-header": "A" });
    let bad = [
        json!({ "properties": { "a": { "type": "string", "x-mcp-header": "" } } }),
        json!({ "properties": { "a": { "type": "string", "x-mcp-header": "a b" } } }),
        json!({ "properties": { "a": { "type": "string", "x-mcp-header": "a\r\nb" } } }),
        json!({ "properties": { "a": { "type": "number", "x-mcp-header": "A" } } }),
        json!({ "properties": { "a": string, "b": { "type": "string", "x-mcp-header": "a" } } }),
        json!({ "properties": { "a": { "type": "array", "items": string } } }),
        json!({ "$defs": { "d": string }, "properties": { "a": { "$ref": "#/$defs/d" } } }),
    ];
    for schema in bad {
        assert!(ParamHeaders::of(&Json::of(&schema)).is_err(), "{schema}");
    }
    let nested =
        json!({ "properties": { "a": { "type": "object", "properties": { "b": string } }, "x-mcp-header": { "type": "string" } } });
    assert!(ParamHeaders::of(&Json::of(&nested)).is_ok_and(|marked| !marked.is_empty()));
}

#[test]
fn each_revision_has_its_own_methods() {
    let known = |revision: Revision, method: &str| {
        let mut request =
            request(method, json!({ "uri": "a:b", "level": "info", "protocolVersion": "2025-11-25", "notifications": {} }), "2026-07-28");
        ask(revision, &mut request).map_or_else(|error| error.code != -32601, |_| true)
    };
    for method in ["initialize", "ping", "logging/setLevel", "resources/subscribe", "resources/unsubscribe"] {
        assert!(known(Revision::V2025_11_25, method) && !known(Revision::V2026_07_28, method), "{method}");
    }
    for method in ["server/discover", "subscriptions/listen"] {
        assert!(!known(Revision::V2025_11_25, method) && known(Revision::V2026_07_28, method), "{method}");
    }
}

#[test]
fn an_unknown_legacy_version_gets_the_newest_legacy_one() {
    let negotiated = |version: &str| {
        let mut request = request("initialize", json!({ "protocolVersion": version, "capabilities": {} }), "");
        let Ok(Ask::Initialize(hello)) = ask(Revision::OLDEST, &mut request) else { panic!("a handshake") };
        hello.revision.as_str()
    };
    assert_eq!([negotiated("2025-03-26"), negotiated("2026-07-28"), negotiated("1.0")], ["2025-03-26", "2025-11-25", "2025-11-25"]);
}

fn frame(revision: Revision, check: impl FnOnce(&Frame<'_>) -> Vec<u8>) -> String {
    let identity = Identity { name: "shop".into(), version: "1".into(), title: Some("Shop".into()), ..Identity::default() };
    let id = Id::Number(7.into());
    String::from_utf8(check(&Frame { revision, id: &id, identity: &identity })).expect("UTF-8")
}

/// What the revision is shown of `reply`.
fn shown(revision: Revision, reply: &Reply, expected: &Expect) {
    expected.assert_eq(&frame(revision, |frame| encode::reply(frame, reply, FRESH)));
}

#[test]
fn old_clients_never_see_new_members() {
    let reply = Reply::Tool(ToolReply::structured(Json::of(&json!({ "n": 1 }))));
    shown(
        Revision::V2025_03_26,
        &reply,
        &expect![[r#"{"jsonrpc":"2.0","id":7,"result":{"content":[{"type":"text","text":"{\"n\":1}"}]}}"#]],
    );
    shown(
        Revision::V2025_11_25,
        &reply,
        &expect![[r#"{"jsonrpc":"2.0","id":7,"result":{"content":[{"type":"text","text":"{\"n\":1}"}],"structuredContent":{"n":1}}}"#]],
    );
    shown(
        Revision::V2026_07_28,
        &reply,
        &expect![[
            r#"{"jsonrpc":"2.0","id":7,"result":{"content":[{"type":"text","text":"{\"n\":1}"}],"structuredContent":{"n":1},"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"shop","version":"1"}}}}"#
        ]],
    );
    let list = Reply::Tool(ToolReply { content: vec![Content::text("x")], ..ToolReply::structured(Json::of(&json!([1]))) });
    shown(Revision::V2025_11_25, &list, &expect![[r#"{"jsonrpc":"2.0","id":7,"result":{"content":[{"type":"text","text":"x"}]}}"#]]);
}

#[test]
fn questions_travel_inside_a_modern_reply_and_as_a_legacy_request() {
    let form = InputRequest::Form { message: "Name?".into(), schema: Json::of(&json!({ "type": "object", "properties": {} })) };
    let reply = Reply::InputRequired(InputRequired::one("name", form.clone()).and("roots", InputRequest::Roots).remember("sealed"));
    shown(
        Revision::V2026_07_28,
        &reply,
        &expect![[
            r#"{"jsonrpc":"2.0","id":7,"result":{"inputRequests":{"name":{"method":"elicitation/create","params":{"mode":"form","message":"Name?","requestedSchema":{"type":"object","properties":{}}}},"roots":{"method":"roots/list","params":{}}},"requestState":"sealed","resultType":"input_required","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"shop","version":"1"}}}}"#
        ]],
    );
    let legacy = encode::request(Revision::V2025_06_18, &Id::Text("q1".into()), &form);
    expect![[r#"{"jsonrpc":"2.0","id":"q1","method":"elicitation/create","params":{"message":"Name?","requestedSchema":{"type":"object","properties":{}}}}"#]]
        .assert_eq(std::str::from_utf8(&legacy).unwrap());
}

#[test]
fn tools_are_listed_with_what_the_revision_knows() {
    let mut tool = Tool::new(ToolName::new("t").unwrap(), "d", Json::parse(r#"{"$schema":"x",  "type":"object"}"#).unwrap());
    tool.title = Some("T".into());
    tool.output = Some(Json::of(&json!({ "type": "object" })));
    let listed = |revision| frame(revision, |frame| encode::tools(frame, [&tool].into_iter(), Some("next"), FRESH));
    expect![[r#"{"jsonrpc":"2.0","id":7,"result":{"tools":[{"name":"t","description":"d","inputSchema":{"$schema":"x",  "type":"object"},"annotations":{"title":"T","readOnlyHint":true,"openWorldHint":false}}],"nextCursor":"next"}}"#]]
        .assert_eq(&listed(Revision::V2025_03_26));
    expect![[r#"{"jsonrpc":"2.0","id":7,"result":{"tools":[{"name":"t","title":"T","description":"d","inputSchema":{"$schema":"x",  "type":"object"},"outputSchema":{"type":"object"},"annotations":{"title":"T","readOnlyHint":true,"openWorldHint":false}}],"nextCursor":"next","ttlMs":1000,"cacheScope":"private","resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"shop","version":"1"}}}}"#]]
        .assert_eq(&listed(Revision::V2026_07_28));
}

#[test]
fn notices_name_their_stream() {
    let id = Id::Text("7".into());
    let sent = encode::notification(&Notice::Resource("a:b"), Some(&id));
    expect![[r#"{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"a:b","_meta":{"io.modelcontextprotocol/subscriptionId":"7"}}}"#]]
        .assert_eq(std::str::from_utf8(&sent).unwrap());
}

#[test]
fn completions_stay_within_what_the_wire_carries() {
    let values = (0..150).map(|n| n.to_string()).collect();
    let sent = frame(Revision::V2025_11_25, |frame| {
        encode::reply(frame, &Reply::Completion(Completion { values, ..Completion::default() }), FRESH)
    });
    let sent: Value = serde_json::from_str(&sent).unwrap();
    assert_eq!(sent["result"]["completion"]["values"].as_array().map(Vec::len), Some(100));
    assert_eq!(sent["result"]["completion"]["hasMore"], true);
}

#[test]
fn faults_never_repeat_control_characters() {
    assert_eq!(Fault::unknown("tool", "a\u{1b}[31m\n").message(), "unknown tool `a\u{fffd}[31m\u{fffd}`");
}
