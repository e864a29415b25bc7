//! The command as an operator runs it: each test starts the program and ends it by its id.

use std::{net::SocketAddr, path::Path};

use callgate_testkit::{Folder, Process, http::Request};
use expect_test::{Expect, expect};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

pub(crate) const CONFIG: &str = r#"
version: 1
name: notes
log: { level: debug }
backends:
  main:
    kind: sql
    url: sqlite:data/notes.db
    migrations: migrations
    migrate: at_start
tools:
  get_note:
    backend: main
    description: Retrieve one note by its id.
    effect: read
    redact: [id]
    input:
      id: { type: string, description: The note's id. }
    sql: SELECT id, text FROM notes WHERE id = :id
    returns: one
    missing: there is no note with this id
  add_note:
    backend: main
    description: Add a note.
    effect: write
    input:
      id: { type: string }
      text: { type: string, maxLength: 20 }
    sql: INSERT INTO notes (id, text) VALUES (:id, :text) RETURNING id, text
    returns: one
"#;

const MIGRATION: &str =
    "CREATE TABLE notes (id TEXT PRIMARY KEY, text TEXT NOT NULL);\nINSERT INTO notes VALUES ('a', 'first'), ('b', 'second');\n";

/// The folder of a small gate.
pub(crate) fn notes() -> Folder {
    Folder::with([("gate.yaml", CONFIG), ("migrations/1.sql", MIGRATION), ("data/.keep", "")]).unwrap()
}

pub(crate) fn start(folder: &Path, arguments: &[&str]) -> Process {
    let folder = folder.display().to_string();
    let arguments: Vec<String> = arguments.iter().map(|argument| argument.replace("FOLDER", &folder)).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    Process::start(env!("CARGO_BIN_EXE_callgate").as_ref(), &arguments, &[]).unwrap()
}

/// Runs a command to its end: exit code, standard output, standard error; the folder's path is shown as `FOLDER`.
pub(crate) async fn run(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let mut process = start(folder, arguments);
    process.close();
    let mut output = String::new();
    while let Some(line) = process.read().await.unwrap() {
        output += &(line + "\n");
    }
    let errors = process.errors().await.unwrap();
    let code = process.end().await.unwrap().code().unwrap_or(-1);
    let folder = folder.display().to_string();
    (code, output.replace(&folder, "FOLDER"), errors.replace(&folder, "FOLDER"))
}

async fn check(folder: &Path, arguments: &[&str], expected: &Expect) {
    let (code, output, errors) = run(folder, arguments).await;
    expected.assert_eq(&format!("exit {code}\n{output}{errors}\n"));
}

/// Starts to serve over HTTP on a free port: the process and its address.
pub(crate) async fn serve(folder: &Path) -> (Process, SocketAddr) {
    let mut process = start(folder, &["serve", "FOLDER", "--listen", "127.0.0.1:0"]);
    let told = process.told("/mcp").await.unwrap();
    let line: Value = serde_json::from_str(&told).unwrap();
    let url = line["url"].as_str().unwrap().to_owned();
    let client: Value = serde_json::from_str(line["client"].as_str().unwrap()).unwrap();
    assert_eq!(client, json!({ "mcpServers": { "notes": { "type": "http", "url": url } } }));
    let address = url.strip_prefix("http://").and_then(|rest| rest.strip_suffix("/mcp")).unwrap().parse().unwrap();
    (process, address)
}

pub(crate) fn modern(tool: &str, arguments: &Value) -> Value {
    let meta = json!({ "io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {} });
    let params = json!({ "name": tool, "arguments": arguments, "_meta": meta });
    json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params })
}

#[tokio::test]
async fn a_gate_is_served_over_http_and_drains_when_asked_to() {
    let folder = notes();
    let (mut process, address) = serve(folder.path()).await;
    let request = Request::post("/mcp", &modern("get_note", &json!({ "id": "secret-id" }))).header("X-Request-ID", "my-request");
    let request = request.header("MCP-Protocol-Version", "2026-07-28").header("Mcp-Method", "tools/call").header("Mcp-Name", "get_note");
    let reply = request.send(address).await.unwrap().json().await.unwrap();
    assert_eq!(reply["result"]["content"][0]["text"], "there is no note with this id", "{reply}");
    process.signal("TERM").await.unwrap();
    let said = process.errors().await.unwrap();
    assert_eq!(process.end().await.unwrap().code(), Some(0), "{said}");
    for line in said.lines() {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("a log line is no JSON: {line}"));
        assert!(line["level"].is_string() && line["timestamp"].is_string(), "{line}");
    }
    assert!(!said.contains("secret-id"), "arguments are never logged: {said}");
    assert!(said.contains("my-request"), "the request's id is logged: {said}");
    assert!(said.contains("\"message\":\"stopped\""), "{said}");
}

#[tokio::test]
async fn a_gate_is_served_over_stdio_and_ends_with_its_input() {
    let folder = notes();
    let mut process = start(folder.path(), &["serve", "--stdio", "FOLDER"]);
    process.write(&modern("get_note", &json!({ "id": "a" })).to_string()).await.unwrap();
    let reply: Value = serde_json::from_str(&process.read().await.unwrap().unwrap()).unwrap();
    assert_eq!(reply["result"]["structuredContent"], json!({ "id": "a", "text": "first" }), "{reply}");
    process.close();
    assert_eq!(process.read().await.unwrap(), None);
    assert_eq!(process.end().await.unwrap().code(), Some(0));
}

#[tokio::test]
async fn a_gate_over_stdio_ends_when_asked_to() {
    let folder = notes();
    let mut process = start(folder.path(), &["serve", "--stdio", "FOLDER"]);
    process.told("serving standard input and output").await.unwrap();
    process.signal("TERM").await.unwrap();
    assert_eq!(process.end().await.unwrap().code(), Some(0));
}

#[tokio::test]
async fn addresses_that_others_reach_need_a_word() {
    let folder = notes();
    check(
        folder.path(),
        &["serve", "FOLDER", "--listen", "0.0.0.0:0"],
        &expect![[r#"
        exit 1
        error: 0.0.0.0:0 can be reached from other machines, and nothing says who may call
          help: write `auth`, such as `auth: { keys: {} }`; or listen on 127.0.0.1; or name the address with `--insecure-listen` if something in front says who may call
    "#]],
    )
    .await;
    let mut process = start(folder.path(), &["serve", "FOLDER", "--insecure-listen", "0.0.0.0:0"]);
    process.told("http://0.0.0.0:").await.unwrap();
    process.signal("INT").await.unwrap();
    assert_eq!(process.end().await.unwrap().code(), Some(0));
    folder.write("listen.yaml", "listen: 0.0.0.0:8000\n").unwrap();
    check(
        folder.path(),
        &["check", "FOLDER"],
        &expect![[r#"
        exit 1
        FOLDER/listen.yaml:1:9: listen: `0.0.0.0:8000` can be reached from other machines, and nothing says who may call
          help: say it under `auth`, such as `auth: { keys: {} }`; or listen on 127.0.0.1; or leave `listen` out and start with `--insecure-listen 0.0.0.0:8000`
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_configuration_is_checked() {
    let folder = notes();
    check(
        folder.path(),
        &["check", "FOLDER"],
        &expect![[r#"
        exit 0
        ok: `notes` with 2 tools, 0 resources, 0 prompts

    "#]],
    )
    .await;
    check(
        folder.path(),
        &["check", "FOLDER/nowhere"],
        &expect![[r#"
        exit 1
        cannot read `FOLDER/nowhere`: No such file or directory (os error 2)
          help: give the path of a YAML file, or of a folder that holds them
    "#]],
    )
    .await;
    check(
        folder.path(),
        &["check", "FOLDER", "--connect"],
        &expect![[r#"
            exit 1
            FOLDER/gate.yaml:8:10: backends.main.url: there is no database at `FOLDER/data/notes.db` yet
              help: `callgate migrate` makes it, and so does `callgate serve`
        "#]],
    )
    .await;
    check(
        folder.path(),
        &["migrate", "FOLDER"],
        &expect![[r#"
            exit 0
            main: 1.sql

        "#]],
    )
    .await;
    check(
        folder.path(),
        &["migrate", "FOLDER"],
        &expect![[r#"
            exit 0
            nothing to do

        "#]],
    )
    .await;
    check(
        folder.path(),
        &["check", "FOLDER", "--connect"],
        &expect![[r#"
            exit 0
            ok: `notes` with 2 tools, 0 resources, 0 prompts; every backend agrees

        "#]],
    )
    .await;
}

#[tokio::test]
async fn mistakes_are_told_at_once() {
    let broken = CONFIG.replace("effect: read", "efect: read").replace("name: notes", "name: 5").replace("sqlite:", "oracle:");
    let folder = Folder::with([("gate.yaml", broken.as_str())]).unwrap();
    check(
        folder.path(),
        &["check", "FOLDER"],
        &expect![[r#"
        exit 1
        FOLDER/gate.yaml:3:7: name: expected a text, found `5`
        FOLDER/gate.yaml:8:10: backends.main.url: a database is `sqlite:PATH` or `postgres://user:password@host/database`
        FOLDER/gate.yaml:12:3: tools.get_note: `effect` is missing
          help: What a call does to the world. `read` tools cannot write: the engine refuses.
        FOLDER/gate.yaml:15:5: tools.get_note.efect: unknown key `efect`; did you mean `effect`?
    "#]],
    )
    .await;
    let folder = Folder::with([("gate.yaml", CONFIG.replace("debug", "a=b=c").as_str())]).unwrap();
    check(folder.path(), &["check", "FOLDER"], &expect![[r#"
        exit 1
        FOLDER/gate.yaml:4:15: log.level: `a=b=c` is no level: error parsing level filter: expected one of "off", "error", "warn", "info", "debug", "trace", or a number 0-5
          help: write `info`, or `info,callgate_backend=debug`
        FOLDER/gate.yaml:9:17: backends.main.migrations: there is no folder `FOLDER/migrations`
    "#]]).await;
}

#[tokio::test]
async fn a_schema_that_the_gate_would_not_open_with_is_a_mistake() {
    const TEXT: &str = "      text: { type: string, maxLength: 20 }\n";
    assert_eq!(CONFIG.matches(TEXT).count(), 1);
    let wide = "      text: { type: string, pattern: '^(\\p{L}{1,30})+$' }\n";
    let long = format!("      text: {{ type: string, description: {} }}\n", "x".repeat(300));
    // What comes with `returns: many` counts as well.
    let list = "tools:\n  list: { backend: main, description: List., effect: read, input: {}, sql: SELECT id FROM notes, returns: many }\n";
    for (config, limit, expected) in [
        (
            CONFIG.replace(TEXT, wide),
            "pattern: 20KiB",
            expect![[r#"
                exit 1
                FOLDER/gate.yaml:28:38: tools.add_note.input.text.pattern: the input schema cannot be used: compiled, this pattern takes more than 20KiB
                  help: make it smaller, or allow more under `calls.validate`
            "#]],
        ),
        (
            CONFIG.replace(TEXT, &long),
            "schema: 300B",
            expect![[r#"
                exit 1
                FOLDER/gate.yaml:26:5: tools.add_note.input: the input schema cannot be used: it has 451 bytes; 300 are allowed
                  help: make it smaller, or allow more under `calls.validate`
            "#]],
        ),
        (
            CONFIG.replace("tools:\n", list),
            "schema: 170B",
            expect![[r#"
                exit 1
                FOLDER/gate.yaml:12:60: tools.list.input: the input schema cannot be used: it has 185 bytes; 170 are allowed
                  help: make it smaller, or allow more under `calls.validate`
            "#]],
        ),
    ] {
        let folder = Folder::with([("gate.yaml", format!("{config}calls: {{ validate: {{ {limit} }} }}\n").as_str())]).unwrap();
        folder.write("migrations/1.sql", MIGRATION).unwrap();
        check(folder.path(), &["check", "FOLDER"], &expected).await;
        check(folder.path(), &["serve", "FOLDER", "--listen", "127.0.0.1:0"], &expected).await;
    }
}

#[tokio::test]
async fn quotas_that_cannot_be_kept_are_mistakes() {
    let quotas = r"
shared:
  url: redis:/user:hunter2@host
quotas:
  rules:
    - { name: a, per: [caller], limit: 100/1m, fair: tenant }
    - { name: a, per: [gate, tool], limit: 1/31d }
    - { name: b, per: [], limit: 100 per minute }
";
    let folder = Folder::with([("gate.yaml", (CONFIG.to_owned() + quotas).as_str()), ("migrations/1.sql", MIGRATION)]).unwrap();
    check(folder.path(), &["check", "FOLDER"], &expect![[r#"
        exit 1
        FOLDER/gate.yaml:38:18: quotas.rules[2].per: must not be empty
        FOLDER/gate.yaml:38:34: quotas.rules[2].limit: expected so many calls in so much time, such as `100/1m` (units: ms, s, m, h, d), found `100 per minute`
    "#]]).await;
    let known = quotas.replace("per: [], limit: 100 per minute", "per: [tool], limit: 5/1s");
    let folder = Folder::with([("gate.yaml", (CONFIG.to_owned() + &known).as_str()), ("migrations/1.sql", MIGRATION)]).unwrap();
    check(
        folder.path(),
        &["check", "FOLDER"],
        &expect![[r#"
        exit 1
        FOLDER/gate.yaml:33:8: shared.url: this is no address of a Redis server
          help: write `memory`, `redis://host:6379/0`, or `rediss://user:password@host:6379/0` for TLS
        FOLDER/gate.yaml:36:54: quotas.rules[0].fair: each has a quota of its own already, so that there is nothing to divide
          help: leave `fair` out, or count per `tool`, `backend` or `gate`
        FOLDER/gate.yaml:37:15: quotas.rules[1].name: there are two quotas called `a`
          help: give each a name of its own: metrics and the audit log tell them apart by it
        FOLDER/gate.yaml:37:18: quotas.rules[1].per: `gate` is everybody together, so that nothing else can stand beside it
          help: leave `gate` out, or write `[gate]` alone
        FOLDER/gate.yaml:37:44: quotas.rules[1].limit: `1/31d` cannot be counted
          help: write from 1 call in 30 days up to 100000 a second
    "#]],
    )
    .await;
}

#[tokio::test]
async fn statements_are_checked_against_the_database() {
    let wrong = CONFIG.replace("SELECT id, text", "SELECT id, txet").replace("RETURNING id, text", "RETURNING id, body");
    let folder = Folder::with([("gate.yaml", wrong.as_str()), ("migrations/1.sql", MIGRATION), ("data/.keep", "")]).unwrap();
    run(folder.path(), &["migrate", "FOLDER"]).await;
    check(
        folder.path(),
        &["check", "FOLDER", "--connect"],
        &expect![[r#"
            exit 1
            FOLDER/gate.yaml:19:10: tools.get_note.sql: no such column: txet
            FOLDER/gate.yaml:29:10: tools.add_note.sql: no such column: body
        "#]],
    )
    .await;
}

#[tokio::test]
async fn tools_are_listed_and_called() {
    let folder = notes();
    check(
        folder.path(),
        &["tools", "FOLDER"],
        &expect![[r#"
        exit 0
        get_note  read     Retrieve one note by its id.
        add_note  write    Add a note.

    "#]],
    )
    .await;
    check(
        folder.path(),
        &["call", "get_note", r#"{"id":"b"}"#, "--config", "FOLDER"],
        &expect![[r#"
        exit 0
        {"id":"b","text":"second"}

    "#]],
    )
    .await;
    check(
        folder.path(),
        &["call", "add_note", r#"{"id":"c","text":"third"}"#, "--config", "FOLDER"],
        &expect![[r#"
        exit 0
        {"id":"c","text":"third"}

    "#]],
    )
    .await;
    check(
        folder.path(),
        &["call", "get_note", r#"{"id":"c"}"#, "--config", "FOLDER"],
        &expect![[r#"
        exit 0
        {"id":"c","text":"third"}

    "#]],
    )
    .await;
    check(
        folder.path(),
        &["call", "get_note", r#"{"id":5}"#, "--config", "FOLDER"],
        &expect![[r#"
        exit 1
        error: `id` must be a string
    "#]],
    )
    .await;
    check(
        folder.path(),
        &["call", "get_notes", "--config", "FOLDER"],
        &expect![[r#"
            exit 1
            error: unknown tool `get_notes`
              help: did you mean `get_note`?
        "#]],
    )
    .await;
    check(
        folder.path(),
        &["call", "get_note", "id=b", "--config", "FOLDER"],
        &expect![[r#"
        exit 1
        error: the arguments are no JSON object; write them as '{"name": "value"}': expected value at line 1 column 1
    "#]],
    )
    .await;
}

#[tokio::test]
async fn shells_get_completions() {
    let folder = Folder::with([]).unwrap();
    for shell in ["bash", "zsh", "fish"] {
        let (code, output, _) = run(folder.path(), &["completions", shell]).await;
        assert!(code == 0 && output.contains("insecure-listen"), "{shell}");
    }
}

#[tokio::test]
async fn asked_twice_a_gate_ends_at_once() {
    let folder = notes();
    let (mut process, address) = serve(folder.path()).await;
    // A request whose body never comes holds the gate up; that it says `100` shows that it waits for it.
    let mut client = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST /mcp HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n"
    );
    client.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 25];
    client.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer.as_slice(), b"HTTP/1.1 100 Continue\r\n\r\n");
    process.signal("TERM").await.unwrap();
    process.told("stopping").await.unwrap();
    process.signal("TERM").await.unwrap();
    assert_eq!(process.end().await.unwrap().code(), Some(130));
}

#[tokio::test]
async fn open_streams_end_when_the_gate_does() {
    let folder = notes();
    let (mut process, address) = serve(folder.path()).await;
    let mut listen = modern("", &json!({}));
    listen["method"] = "subscriptions/listen".into();
    listen["params"]["notifications"] = json!({ "toolsListChanged": true });
    let request = Request::post("/mcp", &listen).header("MCP-Protocol-Version", "2026-07-28").header("Mcp-Method", "subscriptions/listen");
    let mut stream = request.send(address).await.unwrap();
    let first = stream.event().await.unwrap().unwrap();
    assert!(first.data.contains("notifications/subscriptions/acknowledged"), "{first:?}");
    process.signal("TERM").await.unwrap();
    let last = stream.event().await.unwrap().unwrap();
    assert!(last.data.contains("\"resultType\":\"complete\""), "{last:?}");
    assert_eq!(stream.event().await.unwrap(), None);
    assert_eq!(process.end().await.unwrap().code(), Some(0));
}
