//! How we know that content is served as promised: a folder, what is asked of it, and what it gives.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use callgate_config::{Document, Problems, Section};
use callgate_model::{
    Backend, Body, Call, Caller, Deadline, Fault, Invoke, Json, Members, Origin, Reply, ResourceText, Target, ToolReply, async_trait,
};
use expect_test::{Expect, expect};
use serde_json::{Value, json};

use super::{Content, file};
use crate::declare::{Aim, Declared, Input, Kind, KindOf, Opening, Share, check_with};

/// A kind whose tools are only ever called through [`Tools`].
struct Named;

#[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct Nothing {}

#[async_trait]
impl KindOf for Named {
    const NAME: &'static str = "named";
    type Settings = Nothing;
    type Tool = Nothing;
    type Resource = Nothing;
    type Completion = Nothing;

    fn check(_: Share<Self>, _: &mut Problems) -> Option<Self> {
        Some(Self)
    }

    fn inputs(&self) -> Vec<(&Input, &Section)> {
        Vec::new()
    }

    async fn open(self, _: &Opening) -> Result<Arc<dyn Backend>, Problems> {
        Ok(Arc::new(Content::default()))
    }
}

/// Stands for the gate: answers tool calls, and knows how many ran at the same time.
#[derive(Default)]
struct Tools {
    running: AtomicUsize,
    most: AtomicUsize,
}

#[async_trait]
impl Invoke for Tools {
    async fn invoke(&self, call: Call) -> Result<Reply, Fault> {
        let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(running, Ordering::SeqCst);
        tokio::task::yield_now().await;
        self.running.fetch_sub(1, Ordering::SeqCst);
        match call.target.name() {
            "told" => Ok(ToolReply::structured(Json::of(&json!({ "told": call.arguments }))).into()),
            "plain" => Ok(ToolReply::text("as text").into()),
            "sorry" => Ok(ToolReply::error("not today").into()),
            _ => Err(Fault::not_found("who: there is nobody").because("row 7")),
        }
    }
}

const TOOLS: &str = "
backends: { b: { kind: named } }
tools:
  told: { backend: b, description: d, effect: read, input: { who: { type: string, optional: true }, count: { type: integer, optional: true }, sure: { type: boolean, optional: true }, tags: { type: array, items: { type: string }, optional: true } } }
  plain: { backend: b, description: d, effect: read }
  sorry: { backend: b, description: d, effect: read }
  gone: { backend: b, description: d, effect: read }
";

fn opening() -> Opening {
    Opening { clock: callgate_model::Clock::System, key: [0; 32], aim: Aim::Serve }
}

/// The content that `yaml` declares in `folder`.
async fn content(folder: &Path, yaml: &str) -> Result<Arc<dyn Backend>, String> {
    std::fs::write(folder.join("gate.yaml"), format!("{TOOLS}{yaml}")).unwrap();
    let root = Document::read(&folder.join("gate.yaml")).unwrap().root();
    let empty = root.split(&[]).0;
    let part = |key: &str| root.get(key).unwrap_or_else(|| empty.clone());
    let declared = Declared { backends: part("backends"), tools: part("tools"), resources: part("resources"), prompts: part("prompts") };
    let plan = check_with(&[Kind::of::<Named>()], &declared).map_err(|problems| problems.to_string())?;
    let opened = plan.open(&opening()).await.unwrap();
    Ok(opened.into_iter().find(|opened| opened.name.as_str() == "content").unwrap().backend)
}

fn call(target: Target, arguments: &Value, tools: &Arc<Tools>) -> Call {
    let arguments = arguments.as_object().cloned().unwrap_or_else(Members::new);
    let tools: Arc<dyn Invoke> = tools.clone();
    let mut call = Call::new(target, arguments, Caller::local(), Arc::new(Origin::default()), Deadline::after(Duration::from_secs(5)));
    call.gate = Some(Arc::downgrade(&tools));
    call
}

/// What a prompt gives; or the fault with its code and cause.
async fn asked(backend: &Arc<dyn Backend>, prompt: &str, arguments: &Value, tools: &Arc<Tools>) -> String {
    match backend.prompt(&call(Target::Prompt(prompt.into()), arguments, tools)).await {
        Ok(Reply::Prompt(reply)) => match &reply.messages[0].content.body {
            Body::Text(text) => text.clone(),
            other => panic!("{other:?}"),
        },
        Ok(other) => panic!("{other:?}"),
        Err(fault) => format!("{}: {} [{}]", fault.kind().code(), fault.message(), fault.chain()),
    }
}

async fn check(prompt: &str, arguments: Value, expected: Expect) {
    let folder = tempfile::tempdir().unwrap();
    let tools = Arc::default();
    let backend = content(folder.path(), &format!("prompts: {{ p: {prompt} }}")).await.unwrap_or_else(|problems| panic!("{problems}"));
    expected.assert_eq(&asked(&backend, "p", &arguments, &tools).await);
}

#[tokio::test]
async fn a_template_sees_arguments_and_data() {
    let prompt = "{ arguments: { who: { required: true }, count: {}, free: {} }, data: { a: told, b: { tool: told, arguments: { who: '<{who}>', count: '{count}', sure: true, tags: ['{who}', x, '{free}'] } }, c: plain }, text: '{{ who }}/{{ free }}/{{ a.told|tojson }}/{{ b.told|tojson }}/{{ c }}' }";
    check(
        prompt,
        json!({ "who": "me", "count": "3" }),
        expect![[r#"me//{"count": 3, "who": "me"}/{"count": 3, "sure": true, "tags": ["me", "x"], "who": "\u003cme\u003e"}/as text"#]],
    )
    .await;
    check(prompt, json!({ "who": "{{ who }}{% if %}", "count": "", "free": "f" }), expect![[r#"{{ who }}{% if %}/f/{"who": "{{ who }}{% if %}"}/{"sure": true, "tags": ["{{ who }}{% if %}", "x", "f"], "who": "\u003c{{ who }}{% if %}\u003e"}/as text"#]]).await;
    check(prompt, json!({ "who": "me", "count": "three" }), expect!["bad_request: `count` must be a whole number []"]).await;
    check(prompt, json!({ "count": "3" }), expect!["bad_request: prompt `p` needs the argument `who` []"]).await;
    check(prompt, json!({ "who": 3 }), expect!["bad_request: `who` must be a string: the arguments of a prompt are texts []"]).await;
    check(
        prompt,
        json!({ "who": "me", "when": "now" }),
        expect!["bad_request: prompt `p` has no argument `when`; it has `who`, `count`, `free` []"],
    )
    .await;
}

#[tokio::test]
async fn a_failed_call_is_told_with_its_name() {
    check("{ data: { x: sorry }, text: '{{ x }}' }", json!({}), expect!["refused: the prompt needs `x`, but `sorry` failed: not today []"])
        .await;
    check(
        "{ data: { x: plain, y: gone }, text: '{{ x }}' }",
        json!({}),
        expect!["not_found: the prompt needs `y`, but `gone` failed: who: there is nobody [who: there is nobody: row 7]"],
    )
    .await;
}

#[tokio::test]
async fn a_template_has_bounds() {
    check("{ bytes: 10B, text: 'longer than ten' }", json!({}), expect!["refused: the prompt would be longer than its bound of 10 bytes; ask for less [failed to write output: I/O error during rendering: the output is longer than its bound]"]).await;
    check("{ fuel: 1000, text: '{% for i in range(5000) %}{% endfor %}' }", json!({}), expect!["internal: something went wrong on this side; the operator finds it under this request's id [engine ran out of fuel (in prompts.p:1)]"]).await;
    check("{ text: '{{ \"a\" * 99999999 }}' }", json!({}), expect!["internal: something went wrong on this side; the operator finds it under this request's id [engine ran out of fuel (in prompts.p:1)]"]).await;
    check(
        "{ data: { x: told }, text: '{{ x.tld }}' }",
        json!({}),
        expect![
            "internal: something went wrong on this side; the operator finds it under this request's id [undefined value (in prompts.p:1)]"
        ],
    )
    .await;
    check("{ text: '<b> & {{ \"<b>\" }}' }", json!({}), expect!["<b> & <b>"]).await;
}

#[tokio::test]
async fn the_calls_of_a_prompt_run_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let tools: Arc<Tools> = Arc::default();
    let backend =
        content(folder.path(), "prompts: { p: { data: { a: plain, b: plain, c: plain }, text: '{{ a }}{{ b }}{{ c }}' } }").await.unwrap();
    asked(&backend, "p", &json!({}), &tools).await;
    assert_eq!(tools.most.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_file_is_read_when_it_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
    write("a.md", b"# old");
    write("a.png", &[137, 80]);
    write("a.csv", &[0xff, 1]);
    let yaml = "resources: { 'a://md': { file: a.md }, 'a://png': { file: ./a.png }, 'a://csv': { file: a.csv, mime: 'text/csv; header=present' }, 'a://text': { text: here } }";
    let backend = content(folder.path(), yaml).await.unwrap();
    let tools = Arc::default();
    let read = async |uri: &str| match backend.read(&call(Target::Resource(uri.into()), &Value::Null, &tools)).await {
        Ok(Reply::Resource(contents)) => match &contents[0].text {
            ResourceText::Text(text) => format!("{} {text}", contents[0].mime.as_ref().unwrap()),
            ResourceText::Blob(blob) => format!("{} base64 {blob}", contents[0].mime.as_ref().unwrap()),
        },
        Ok(other) => panic!("{other:?}"),
        Err(fault) => format!("{}: {}", fault.kind().code(), fault.message()),
    };
    assert_eq!(read("a://md").await, "text/markdown # old");
    write("a.md", b"# new");
    assert_eq!(read("a://md").await, "text/markdown # new");
    assert_eq!(read("a://png").await, "image/png base64 iVA=");
    assert_eq!(read("a://csv").await, "text/csv; header=present base64 /wE=");
    assert_eq!(read("a://text").await, "text/plain here");
    assert_eq!(read("a://none").await, "unknown: unknown resource `a://none`");
    std::fs::remove_file(folder.path().join("a.md")).unwrap();
    assert_eq!(read("a://md").await, "unavailable: `a://md` cannot be read just now");
}

#[test]
#[cfg(unix)]
fn only_regular_files_below_the_folder_are_read() {
    use std::os::unix::fs::symlink;
    let outer = tempfile::tempdir().unwrap();
    let folder = outer.path().join("in");
    std::fs::create_dir_all(folder.join("sub")).unwrap();
    std::fs::create_dir_all(outer.path().join("in_evil")).unwrap();
    for name in ["secret", "in_evil/twin", "in/sub/good"] {
        std::fs::write(outer.path().join(name), "text").unwrap();
    }
    for (target, link) in
        [("../secret", "out"), ("../in_evil/twin", "twin"), ("sub/good", "stays"), ("/dev/zero", "device"), ("..", "up"), ("loop", "loop")]
    {
        symlink(target, folder.join(link)).unwrap();
    }
    assert!(std::process::Command::new("mkfifo").arg(folder.join("pipe")).status().unwrap().success());
    let read = |path: &str, bound: usize| match file::read(&folder, path, bound) {
        Ok(bytes) => String::from_utf8(bytes).unwrap(),
        Err(error) => error.to_string(),
    };
    let cases = [
        ("sub/good", 4, "text"),
        ("stays", 4, "text"),
        ("sub/good", 3, "`sub/good` is larger than its bound of 3 bytes"),
        ("../secret", 9, "`../secret` is not a path below the configuration folder"),
        ("sub/../../secret", 9, "`sub/../../secret` is not a path below the configuration folder"),
        ("/etc/passwd", 9, "`/etc/passwd` is not a path below the configuration folder"),
        ("", 9, "`` is not a path below the configuration folder"),
        ("out", 9, "`out` leads out of the configuration folder"),
        ("twin", 9, "`twin` leads out of the configuration folder"),
        ("device", 9, "`device` leads out of the configuration folder"),
        ("up/secret", 9, "`up/secret` leads out of the configuration folder"),
        ("loop", 9, "cannot read `loop`"),
        ("sub", 9, "`sub` is not a regular file"),
        ("pipe", 9, "`pipe` is not a regular file"),
    ];
    for (path, bound, expected) in cases {
        assert_eq!(read(path, bound), expected, "{path}");
    }
}
