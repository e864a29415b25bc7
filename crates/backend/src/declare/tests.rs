//! How we know that declarations are read as promised: a declaration, and the mistakes found in it or what comes of it.

use std::sync::Arc;

use callgate_config::{Document, Problems, Section};
use callgate_model::{
    Backend, Call, Caller, Clock, Completion, Deadline, Fault, Members, Offers, Origin, Reference, Reply, Target, ToolReply, async_trait,
};
use expect_test::{Expect, expect};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::{Aim, Declared, Input, Kind, KindOf, Opening, Plan, Share, check_with, schemas_with};

/// A kind that gives back what it was told to say.
#[derive(Debug)]
struct Echo(Share<Self>);

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Settings {
    #[serde(default)]
    unreachable: bool,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Say {
    say: String,
}

#[async_trait]
impl KindOf for Echo {
    const NAME: &'static str = "echo";
    type Settings = Settings;
    type Tool = Say;
    type Resource = Say;
    type Completion = Say;

    fn check(share: Share<Self>, problems: &mut Problems) -> Option<Self> {
        let shouting = share.tools.iter().filter(|tool| tool.own.say.ends_with('!'));
        problems.extend(shouting.map(|tool| tool.section.problem("/say", "do not shout")));
        Some(Self(share))
    }

    fn inputs(&self) -> Vec<(&Input, &Section)> {
        self.0.tools.iter().map(|tool| (&tool.head.input, &tool.section)).collect()
    }

    async fn open(self, _: &Opening) -> Result<Arc<dyn Backend>, Problems> {
        match self.0.settings.unreachable {
            true => Err(self.0.section.problem("/unreachable", "nobody is there").into()),
            false => Ok(Arc::new(self)),
        }
    }

    async fn migrate(&self) -> Result<Vec<String>, Problems> {
        Ok(vec!["tune".into()])
    }
}

#[async_trait]
impl Backend for Echo {
    fn offers(&self) -> Offers {
        let mut offers = Offers::default();
        offers.tools.extend(self.0.tools.iter().map(|tool| tool.head.offer(None)));
        self.0.resources.iter().for_each(|resource| resource.head.offer(Some("text/plain"), &mut offers));
        offers
    }

    async fn call(&self, call: &Call) -> Result<Reply, Fault> {
        let tool = self.0.tools.iter().find(|tool| tool.head.name.as_str() == call.target.name());
        Ok(ToolReply::text(&tool.unwrap().own.say).into())
    }

    async fn complete(&self, call: &Call) -> Result<Reply, Fault> {
        let Target::Completion { of, argument, value } = &call.target else { panic!("{:?}", call.target) };
        let found = self.0.completions.iter().find(|entry| entry.of == *of && entry.argument == *argument);
        let values = found.map(|entry| format!("{} {value}", entry.own.say)).into_iter().collect();
        Ok(Reply::Completion(Completion { values, ..Completion::default() }))
    }
}

fn plan(yaml: &str) -> Result<Plan, Problems> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gate.yaml");
    std::fs::write(&file, yaml).unwrap();
    let root = Document::read(&file)?.root();
    let empty = root.split(&[]).0;
    let part = |key: &str| root.get(key).unwrap_or_else(|| empty.clone());
    let declared = Declared { backends: part("backends"), tools: part("tools"), resources: part("resources"), prompts: part("prompts") };
    check_with(&[Kind::of::<Echo>()], &declared)
}

/// The mistakes in a declaration, without the name of the file.
fn check(yaml: &str, expected: &Expect) {
    let found = match plan(yaml) {
        Ok(_) => "none".into(),
        Err(problems) => problems.to_string(),
    };
    let lines: Vec<_> = found.lines().map(|line| line.split_once("gate.yaml:").map_or(line, |(_, rest)| rest)).collect();
    expected.assert_eq(&lines.join("\n"));
}

const ECHO: &str = "backends: { hill: { kind: echo } }\n";

#[test]
fn a_tool_names_a_backend_of_a_known_kind() {
    let tool = "tools: { a: { backend: hil, description: d, effect: read, say: x } }";
    check(
        &format!("{ECHO}{tool}"),
        &expect![[r#"
        2:24: tools.a.backend: there is no backend `hil`
          help: did you mean `hill`?"#]],
    );
    // What is wrong with the tool itself is told as well.
    for (backends, wrong) in [("{ hill: { kind: echo } }", "hil"), ("{ hill: { kind: ecko } }", "hill")] {
        let found = plan(&format!("backends: {backends}\ntools: {{ a: {{ backend: {wrong}, description: d, effect: read, sy: x }} }}"));
        let found = found.map(drop).expect_err("two mistakes").to_string();
        assert!(found.contains("unknown key `sy`"), "{found}");
    }
    check(
        "backends: { hill: { kind: ecko }, 'Big Hill': { kind: echo }, content: { kind: echo } }",
        &expect![[r#"
        1:27: backends.hill.kind: there is no kind of backend `ecko`
          help: did you mean `echo`?
        1:35: backends["Big Hill"]: `Big Hill` is not a backend name: use 1 to 64 of a-z 0-9 _ -
        1:63: backends.content: `content` is the name of the gate's own content
          help: choose another name"#]],
    );
}

#[test]
fn what_should_be_a_mapping_is_one() {
    check(
        "backends: [a]\ntools: 3\nresources:\nprompts: { p: { text: hi, arguments: [a] }, q: 7 }",
        &expect![[r#"
        1:1: backends: expected a mapping, found a list
        2:8: tools: expected a mapping, found `3`
        4:27: prompts.p.arguments: expected a mapping, found a list
        4:48: prompts.q: expected a mapping, found `7`"#]],
    );
}

#[test]
fn mistakes_of_all_entries_are_found_at_once() {
    let tools = "tools:
  a b: { backend: hill, description: d, effect: read, say: hello }
  loud: { backend: hill, description: ' ', effect: read, say: hello! }
  short: { backend: hill, effect: look, says: hello }
  late: { backend: hill, description: d, effect: write, deadline: 0s, redact: [nam], updates: ['x://{nam}', 'x://{'], input: { name: { type: string } }, say: x }
resources:
  nowhere: { backend: hill, say: x }
  'a://{b}{c}': { backend: hill, say: x }
  'a://{b}': { backend: hill, say: x, complete: { c: { values: [x] }, b: { backend: hill, say: x, more: 1 } } }
  'a://c': { say: x }
";
    check(
        &format!("{ECHO}{tools}"),
        &expect![[r#"
            3:3: tools["a b"]: `a b` is not a tool name: use 1 to 128 of A-Z a-z 0-9 _ - .
            4:39: tools.loud.description: the description is empty; the model chooses by it
            4:63: tools.loud.say: do not shout
            5:3: tools.short: `description` is missing
              help: What the model reads to decide when to call this tool, and how.
            5:3: tools.short: `say` is missing
            5:35: tools.short.effect: must be one of `read`, `write`, `destroy`, found `look`
            5:41: tools.short.says: unknown key `says`; did you mean `say`?
            6:67: tools.late.deadline: a deadline of nothing leaves no time for the call
            6:80: tools.late.redact[0]: there is no parameter `nam`
              help: did you mean `name`?
            6:96: tools.late.updates[0]: there is no parameter `nam`
              help: did you mean `name`?
            6:109: tools.late.updates[1]: `{` and `}` do not pair up in `x://{`
            8:3: resources.nowhere: `nowhere` is not a URI; write it with a scheme, such as `docs://nowhere`
            9:3: resources["a://{b}{c}"]: put some text between `{…}` and `{c}`, or it is unclear where one ends
            10:51: resources["a://{b}"].complete.c: `a://{b}` has no variable `c`
              help: there is `b`
            10:99: resources["a://{b}"].complete.b.more: unknown key `more`
              help: the keys here are `say`, `backend`
            11:14: resources["a://c"].say: unknown key `say`
              help: the keys here are `text`, `file`, `bytes`, `backend`, `name`, `title`, `description`, `mime`, `allow`, `complete`"#]],
    );
}

#[test]
fn a_parameter_says_only_what_fits() {
    let input = "tools:
  a:
    backend: hill
    description: d
    effect: read
    say: x
    input:
      1st: { type: string }
      back: { type: string, pattern: '(a)\\1' }
      open: { type: string, pattern: '(' }
      look: { type: string, pattern: '^(?=a)' }
      size: { type: integer, minLength: 1, default: many }
      pick: { type: string, enum: [a, 2], maxLength: 1, default: bb }
      none: { type: string, enum: [] }
      list: { type: array }
      many: { type: array, items: { type: integer, minimum: 3, maximum: 2 }, default: ['x'] }
      thing: { type: object }
      deep: { type: object, properties: { inner: { type: number, pattern: x } } }
";
    check(
        &format!("{ECHO}{input}"),
        &expect![[r#"
        9:7: tools.a.input.1st: `1st` cannot name a parameter; use 1 to 64 of a-z A-Z 0-9 _, not beginning with a digit
        10:38: tools.a.input.back.pattern: `pattern` cannot be used: backreferences are not supported
        11:38: tools.a.input.open.pattern: `pattern` cannot be used: unclosed group
        12:38: tools.a.input.look.pattern: `pattern` cannot be used: look-around, including look-ahead and look-behind, is not supported
        13:41: tools.a.input.size.minLength: `minLength` says nothing about a value of type integer
        13:53: tools.a.input.size.default: the value does not fit its own parameter: "many" is not of type "integer"
        14:39: tools.a.input.pick.enum[1]: the value does not fit its own parameter: 2 is not of type "string"
        14:66: tools.a.input.pick.default: the value does not fit its own parameter: "bb" is not one of "a" or 2
        15:29: tools.a.input.none.enum: an empty `enum` allows no value at all
        16:7: tools.a.input.list: say what the list holds, for example `items: { type: string }`
        17:61: tools.a.input.many.items.minimum: `minimum` is greater than `maximum`: no value fits
        17:78: tools.a.input.many.default: the value does not fit its own parameter: "x" is not of type "integer"
        18:7: tools.a.input.thing: say the object's members with `properties`; others are refused
        19:75: tools.a.input.deep.properties.inner.pattern: `pattern` says nothing about a value of type number"#]],
    );
}

#[test]
fn a_prompt_says_only_what_can_be_done() {
    let prompts = "tools:
  look: { backend: hill, description: d, effect: read, say: x, input: { who: { type: string, maxLength: 3 }, count: { type: integer, optional: true } } }
  push: { backend: hill, description: d, effect: write, say: x }
  lists: { backend: hill, description: d, effect: read, say: x, input: { who: { type: array, items: { type: string } } } }
prompts:
  unsaid: {}
  twice: { text: x, template: y }
  gone: { template: none.md }
  out: { template: ../gate.yaml }
  broken: { text: \"one\\n{% if %}\" }
  unknown: { text: '{{ whom }} {{ who }} {% for i in range(3) %}{{ i }}{% endfor %}', arguments: { who: {} } }
  calls:
    arguments: { who: { required: true }, some: {}, 2nd: {} }
    text: x
    data:
      a: lok
      b: push
      c: { tool: look, arguments: { who: '{whom}', count: '{some}', what: 1 } }
      d: { tool: look, arguments: { who: long, count: many } }
      e: { tool: look, arguments: { who: '{some}' } }
      f: { tool: look, arguments: { who: 'a{' } }
      g: { tool: look, arguments: {} }
      h: lists
      who: look
";
    check(
        &format!("{ECHO}{prompts}"),
        &expect![[r#"
            7:3: prompts.unsaid: say what the prompt is
              help: either `template`, a file, or `text`
            8:3: prompts.twice: say what the prompt is
              help: either `template`, a file, or `text`
            9:21: prompts.gone.template: cannot read `none.md`: No such file or directory (os error 2)
            10:20: prompts.out.template: `../gate.yaml` is not a path below the configuration folder
            11:19: prompts.broken.text: prompts.broken:2: unexpected end of block
            12:20: prompts.unknown.text: prompts.unknown: the template uses `whom`, which is neither an argument nor `data`
              help: did you mean `who`?
            14:53: prompts.calls.arguments.2nd: `2nd` cannot name an argument; use a-z A-Z 0-9 _, not beginning with a digit
            17:10: prompts.calls.data.a: there is no tool `lok`
              help: did you mean `look`?
            18:10: prompts.calls.data.b: `push` does not only read; asking for a prompt must change nothing
            19:42: prompts.calls.data.c.arguments.who: the prompt has no argument `whom`
              help: did you mean `who`?
            19:75: prompts.calls.data.c.arguments.what: `look` has no parameter `what`
              help: did you mean `who`?
            20:42: prompts.calls.data.d.arguments.who: the value does not fit the parameter: "long" is longer than 3 characters
            20:55: prompts.calls.data.d.arguments.count: the value does not fit the parameter: "many" is not of type "integer"
            21:7: prompts.calls.data.e: `look` needs `who`, but the argument `some` is not `required`
            22:42: prompts.calls.data.f.arguments.who: `{` is not `{name}`; write `{{` for a brace
            23:7: prompts.calls.data.g: `look` needs `who`, which nothing gives it
            24:10: prompts.calls.data.h: `who` is a text here, but a list or an object in `lists`
            25:12: prompts.calls.data.who: `who` is an argument of the prompt too; the template could not tell them apart"#]],
    );
}

#[test]
fn the_schema_of_the_input_is_closed_and_in_order() {
    let yaml = "tools:
  a:
    backend: hill
    description: d
    effect: write
    say: x
    input:
      z: { type: string, pattern: '^a', description: Last. }
      m: { type: array, items: { type: object, properties: { q: { type: integer, minimum: 1 }, a: { type: string, optional: true } } }, minItems: 1 }
      a: { type: boolean, default: false }
";
    let shown = opened(&format!("{ECHO}{yaml}"), |offers| format!("{}\n{}", offers.tools[0].input.as_str(), offers.tools[0].idempotent));
    expect![[r#"
        {"type":"object","properties":{"z":{"type":"string","description":"Last.","pattern":"^a"},"m":{"type":"array","items":{"type":"object","properties":{"q":{"type":"integer","minimum":1},"a":{"type":"string"}},"required":["q"],"additionalProperties":false},"minItems":1},"a":{"type":"boolean","default":false}},"required":["z","m"],"additionalProperties":false}
        false"#]].assert_eq(&shown);
}

/// Something about what the one backend offers once it is open.
fn opened(yaml: &str, show: impl Fn(Offers) -> String) -> String {
    let opened = block_on(plan(yaml).unwrap_or_else(|problems| panic!("{problems}")).open(&opening())).unwrap();
    opened.iter().map(|opened| show(opened.backend.offers())).collect::<Vec<_>>().join("\n")
}

fn opening() -> Opening {
    Opening { clock: Clock::System, key: [0; 32], aim: Aim::Serve }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(future)
}

#[test]
fn what_cannot_be_opened_is_said_with_its_place() {
    let opened = block_on(plan("backends: { hill: { kind: echo }, moon: { kind: echo, unreachable: true } }").unwrap().open(&opening()));
    let problems = opened.unwrap_err().to_string();
    assert!(problems.ends_with("gate.yaml:1:68: backends.moon.unreachable: nobody is there"), "{problems}");
}

#[test]
fn steps_are_told_with_their_backend() {
    let applied = block_on(plan("backends: { hill: { kind: echo }, dale: { kind: echo } }").unwrap().migrate()).unwrap();
    let shown: Vec<_> = applied.iter().map(|applied| format!("{} {}", applied.backend, applied.step)).collect();
    assert_eq!(shown, ["hill tune", "dale tune"]);
}

#[test]
fn proposals_come_from_whoever_was_named() {
    let yaml = "backends: { hill: { kind: echo }, dale: { kind: echo } }
resources:
  'a://{own}/{other}/{fixed}':
    backend: hill
    say: x
    complete: { own: { backend: hill, say: hill }, other: { backend: dale, say: dale }, fixed: { values: [Beta, alphabet, BE, gamma] } }
prompts:
  ask: { text: x, arguments: { who: { complete: { backend: dale, say: prompt } }, free: {} } }
";
    let opened = block_on(plan(yaml).unwrap_or_else(|problems| panic!("{problems}")).open(&opening())).unwrap();
    let template = || Reference::Template("a://{own}/{other}/{fixed}".into());
    let prompt = || Reference::Prompt("ask".into());
    let cases = [
        ("hill", template(), "own", vec!["hill be"]),
        ("hill", template(), "other", vec!["dale be"]),
        ("hill", template(), "fixed", vec!["Beta", "BE", "alphabet"]),
        ("content", prompt(), "who", vec!["prompt be"]),
        ("content", prompt(), "free", vec![]),
    ];
    for (owner, of, argument, expected) in cases {
        let target = Target::Completion { of, argument: argument.into(), value: "be".into() };
        let deadline = Deadline::after(std::time::Duration::from_secs(5));
        let backend = &opened.iter().find(|opened| opened.name.as_str() == owner).unwrap().backend;
        let reply = block_on(async {
            backend.complete(&Call::new(target.clone(), Members::new(), Caller::local(), Arc::new(Origin::default()), deadline)).await
        });
        let Ok(Reply::Completion(completion)) = reply else { panic!("{reply:?}") };
        assert_eq!(completion.values, expected, "{target:?}");
    }
}

#[test]
fn the_schema_for_editors_has_the_keys_of_all() {
    let mut generator = schemars::generate::SchemaSettings::draft2020_12().into_generator();
    let schemas = schemas_with(&[Kind::of::<Echo>()], &mut generator);
    let properties = |schema: &schemars::Schema| {
        let entry = &schema.as_value()["additionalProperties"];
        let keys: Vec<_> = entry["properties"].as_object().unwrap().keys().cloned().collect();
        format!("{} | required {} | closed {}", keys.join(" "), entry["required"], entry["additionalProperties"] == json!(false))
    };
    let backends = &schemas.backends.as_value()["additionalProperties"]["anyOf"][0];
    let shown = [
        properties(&schemas.tools),
        properties(&schemas.resources),
        properties(&schemas.prompts),
        backends["properties"]["kind"].to_string(),
    ];
    expect![[r#"
        backend title description effect idempotent deadline concurrency hedge fallback redact updates allow require cache invalidates input say | required ["backend","description","effect"] | closed true
        backend name title description mime allow text file bytes complete say | required null | closed true
        title description allow data template text bytes fuel arguments | required null | closed true
        {"const":"echo"}"#]].assert_eq(&shown.join("\n"));
}

#[test]
fn the_keys_that_are_split_off_are_those_of_the_types() {
    let keys = |schema: schemars::Schema| schema.as_value()["properties"].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(schemars::schema_for!(super::ToolConfig)), super::ToolConfig::KEYS);
    assert_eq!(keys(schemars::schema_for!(super::ResourceConfig)), super::ResourceConfig::KEYS);
}

#[test]
fn only_reads_are_kept_and_their_tags_are_always_known() {
    let tools = "tools:
  a: { backend: hill, description: d, effect: write, say: x, cache: { ttl: 60s } }
  b: { backend: hill, description: d, effect: read, say: x, cache: { ttl: 0s, tags: ['', 'x:{'] }, invalidates: [a] }
  c:
    backend: hill
    description: d
    effect: read
    say: x
    cache: { ttl: 60s, stale: 1m, tags: ['n:{nam}', 'n:{name}', 'm:{maybe}', 'l:{list}', 'u:{usual}'], shared: everyone }
    input: { name: { type: string } }
  d:
    backend: hill
    description: d
    effect: read
    say: x
    cache: { ttl: 60s, stale: 1m, tags: ['n:{nam}', 'n:{name}', 'm:{maybe}', 'l:{list}', 'u:{usual}'], shared: tenant }
    input:
      name: { type: string }
      maybe: { type: string, optional: true }
      list: { type: array, items: { type: string } }
      usual: { type: integer, default: 1 }
  e: { backend: hill, description: d, effect: destroy, say: x, invalidates: ['n:{name}', all] }
";
    check(
        &format!("{ECHO}{tools}"),
        &expect![[r#"
        3:62: tools.a.cache: only replies of tools that change nothing (`effect: read`) are kept
          help: leave `cache` out, or say `effect: read` if nothing is changed
        4:75: tools.b.cache.ttl: a reply that is fresh for no time is never served again
          help: write how long a reply is good, such as `60s`, or leave `cache` out
        4:86: tools.b.cache.tags[0]: a tag is not empty
        4:90: tools.b.cache.tags[1]: `{` and `}` do not pair up in `x:{`
        4:100: tools.b.invalidates: a tool that changes nothing (`effect: read`) makes nothing stale
          help: leave `invalidates` out; `cache.tags` says how replies of this tool are made stale
        10:112: tools.c.cache.shared: must be one of `caller`, `role`, `tenant`, found `everyone`
        17:42: tools.d.cache.tags[0]: there is no parameter `nam`
          help: did you mean `name`?
        17:65: tools.d.cache.tags[2]: `maybe` may be left out, and then there is no such tag
          help: give it a `default`, or use a tag without it
        17:78: tools.d.cache.tags[3]: `list` is more than one value, so it cannot stand in a tag
        23:78: tools.e.invalidates[0]: there is no parameter `name`"#]],
    );
}

#[tokio::test]
async fn what_is_said_about_keeping_reaches_the_offer() {
    let tools = "tools:
  a: { backend: hill, description: d, effect: read, say: x, cache: { ttl: 60s, tags: ['n:{name}'], shared: role }, input: { name: { type: string } } }
  b: { backend: hill, description: d, effect: write, say: x, invalidates: ['n:{name}'], input: { name: { type: string } } }
";
    let opening = Opening { clock: Clock::System, key: [0; 32], aim: Aim::Serve };
    let opened = plan(&format!("{ECHO}{tools}")).unwrap().open(&opening).await.unwrap();
    let mut terms: Vec<_> = opened.iter().flat_map(|opened| opened.backend.offers().tools).map(|tool| tool.terms).collect();
    terms.iter_mut().filter_map(|terms| terms.cache.as_mut()).for_each(|cache| cache.version.clear());
    let said: Vec<_> = terms.iter().map(|terms| format!("{:?} {:?}", terms.cache, terms.invalidates)).collect();
    expect![[r#"
        Some(Caching { ttl: 60s, stale: 0ns, tags: ["n:{name}"], shared: Role, version: "" }) []
        None ["n:{name}"]"#]]
    .assert_eq(&said.join("\n"));
}

#[tokio::test]
async fn a_tool_that_does_something_else_is_another_version() {
    let version = async |tool: &str| {
        let opening = Opening { clock: Clock::System, key: [0; 32], aim: Aim::Serve };
        let opened = plan(&format!("{ECHO}tools:\n  a: {tool}\n")).unwrap().open(&opening).await.unwrap();
        opened[0].backend.offers().tools[0].terms.cache.clone().unwrap().version
    };
    let first = version("{ backend: hill, description: d, effect: read, say: x, cache: { ttl: 60s } }").await;
    let same = version("{ backend: 'hill', description: d, effect: read, # the same\n    say: \"x\", cache: { ttl: 60s } }").await;
    let other = version("{ backend: hill, description: d, effect: read, say: y, cache: { ttl: 60s } }").await;
    assert!(first == same && first != other && first.len() == 22, "{first} {same} {other}");
}

#[test]
fn only_reads_are_asked_twice_or_answered_for() {
    let tools = "tools:
  twice: { backend: hill, description: d, effect: write, say: x, hedge: 200ms, fallback: { stale: 10m } }
  zero: { backend: hill, description: d, effect: read, say: x, hedge: 0s, fallback: {} }
  both: { backend: hill, description: d, effect: read, say: x, fallback: { stale: 10m, reply: { a: 1 } } }
  fine: { backend: hill, description: d, effect: read, say: x, hedge: 200ms, fallback: { reply: { a: 1 } } }
";
    check(
        &format!("{ECHO}{tools}"),
        &expect![[r#"
        3:66: tools.twice.hedge: `hedge` is for tools that read, and this one says `write`
          help: leave it out: whether a write was made must never be guessed
        3:80: tools.twice.fallback: `fallback` is for tools that read, and this one says `write`
          help: leave it out: whether a write was made must never be guessed
        4:71: tools.zero.hedge: a hedge after no time at all asks twice every time
        4:75: tools.zero.fallback: say one thing that is answered when the backend is away
          help: either `stale: 10m`, the last good answer up to that age, or `reply: {…}`, a fixed one
        5:64: tools.both.fallback: say one thing that is answered when the backend is away
          help: either `stale: 10m`, the last good answer up to that age, or `reply: {…}`, a fixed one"#]],
    );
    let fine = "tools: { fine: { backend: hill, description: d, effect: read, say: x, hedge: 200ms, fallback: { stale: 10m } } }";
    let terms =
        opened(&format!("{ECHO}{fine}"), |offers| format!("{:?} {:?}", offers.tools[0].terms.hedge, offers.tools[0].terms.fallback));
    assert_eq!(terms, "Some(200ms) Some(Stale(600s))");
}
