//! Configurations with mistakes, and what is said about them.

use std::{fs, path::Path};

use expect_test::{Expect, expect};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{Document, Environment, Mapping, Problems, Secret, Section, Size, Span};

/// A room's part, with every sort of value.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Tool {
    idempotent: bool,
    /// What it does to the world.
    effect: Option<Effect>,
    deadline: Option<Span>,
    bytes: Option<Size>,
    rows: Option<u16>,
    key: Option<Secret>,
    shape: Option<Shape>,
    returns: Option<Returns>,
    input: Mapping<Parameter>,
    #[schemars(length(min = 1))]
    tags: Option<Vec<String>>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Effect {
    /// Changes nothing.
    Read,
    /// Changes something.
    Write,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Returns {
    One,
    Many,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
#[expect(dead_code, reason = "read only to be printed")]
enum Shape {
    /// An id.
    Id(String),
    Now(Now),
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Now {
    Rfc3339,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "read only to be printed")]
struct Parameter {
    /// How the value is written.
    r#type: String,
    #[serde(default)]
    properties: Mapping<Parameter>,
}

/// The common half of a tool; the other half is `Tool`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "read only to be printed")]
struct Head {
    /// What the model reads.
    description: String,
    backend: Option<String>,
}

fn environment() -> Environment {
    Environment::of([("WORD", "brief"), ("NUMBER", "7"), ("YES", "true"), ("EMPTY", ""), ("PASSWORD", "hunter2")])
}

fn read(folder: &Path, files: &[(&str, &str)], problems: &mut Problems) -> Option<Document> {
    for (name, text) in files {
        fs::write(folder.join(name), text).unwrap();
        #[cfg(unix)]
        if *name == "secret.txt" {
            fs::set_permissions(folder.join(name), std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        }
    }
    Document::read_all(folder, &environment(), problems)
}

/// Reads `files` as one configuration whose `tools` are [`Tool`]s: shows the tools, and below them the mistakes.
fn check(files: &[(&str, &str)], expected: &Expect) {
    check_with(files, &|section, problems| section.read::<Tool>(problems).map(|tool| shown(&tool)), expected);
}

fn check_with(files: &[(&str, &str)], room: &dyn Fn(&Section, &mut Problems) -> Option<String>, expected: &Expect) {
    let folder = tempfile::tempdir().unwrap();
    let mut problems = Problems::new();
    let mut lines = Vec::new();
    if let Some(document) = read(folder.path(), files, &mut problems) {
        for (name, tool) in document.root().get("tools").map(|tools| tools.entries()).unwrap_or_default() {
            lines.extend(room(&tool, &mut problems).map(|tool| format!("{name}: {tool}")));
        }
    }
    lines.extend(problems.iter().map(ToString::to_string));
    let folder = folder.path().display().to_string();
    expected.assert_eq(&(lines.join("\n").replace(&format!("{folder}/"), "").replace(&folder, "FOLDER") + "\n"));
}

/// A tool without the fields that are not set.
fn shown(tool: &Tool) -> String {
    let text = format!("{tool:?}").replace(", input: Mapping([])", "").replace(" }", ", }");
    text.split(", ").filter(|field| !field.ends_with(": None")).collect::<Vec<_>>().join(", ").replace(", }", " }")
}

#[test]
fn values_arrive_typed() {
    check(
        &[(
            "a.yaml",
            "tools:\n  a: { effect: read, deadline: 30s, bytes: 4MiB, rows: 20, returns: many, shape: { id: cust_ }, idempotent: yes }\n  b: { idempotent: true, input: { z: { type: text }, a: { type: object, properties: { q: { type: int } } } } }\n  c:\n",
        )],
        &expect![[r#"
            b: Tool { idempotent: true, input: Mapping([("z", Parameter { type: "text", properties: Mapping([]) }), ("a", Parameter { type: "object", properties: Mapping([("q", Parameter { type: "int", properties: Mapping([]) })]) })]) }
            c: Tool { idempotent: false }
            a.yaml:2:109: tools.a.idempotent: expected true or false, found `yes`
        "#]],
    );
}

#[test]
fn all_mistakes_are_told_at_once() {
    check(
        &[(
            "a.yaml",
            "tools:\n  get:\n    efect: read\n    effect: rea\n    deadline: 30\n    bytes: 4MB\n    rows: many\n    tags: []\n    frobnicate: 1\n    returns: three\n    shape: { idd: x }\n    input:\n      a: { tpe: text }\n      b: text\n  other: 5\n",
        )],
        &expect![[r#"
            a.yaml:3:5: tools.get.efect: unknown key `efect`; did you mean `effect`?
            a.yaml:4:13: tools.get.effect: must be one of `read`, `write`, found `rea`
              help: did you mean `read`?
            a.yaml:5:15: tools.get.deadline: expected a duration such as `30s` (units: ms, s, m, h, d), found `30`
            a.yaml:6:12: tools.get.bytes: expected a size such as `4MiB` (units: B, KiB, MiB, GiB), found `4MB`
            a.yaml:7:11: tools.get.rows: expected a whole number, found `many`
            a.yaml:8:5: tools.get.tags: must not be empty
            a.yaml:9:5: tools.get.frobnicate: unknown key `frobnicate`
              help: the keys here are `idempotent`, `effect`, `deadline`, `bytes`, `rows`, `key`, `shape`, `returns`, `input`, `tags`
            a.yaml:10:14: tools.get.returns: must be one of `one`, `many`, found `three`
            a.yaml:11:14: tools.get.shape.idd: unknown key `idd`; did you mean `id`?
            a.yaml:13:7: tools.get.input.a: `type` is missing
              help: How the value is written.
            a.yaml:13:12: tools.get.input.a.tpe: unknown key `tpe`; did you mean `type`?
            a.yaml:14:10: tools.get.input.b: expected a mapping, found `text`
            a.yaml:15:10: tools.other: expected a mapping, found `5`
        "#]],
    );
}

#[test]
fn shapes_are_told_apart() {
    check(
        &[(
            "a.yaml",
            "tools:\n  a: { shape: { now: never } }\n  b: { shape: 5 }\n  c: { shape: { id: 5 } }\n  d: { shape: { id: a, now: rfc3339 } }\n  e: { shape: {} }\n  f: { rows: -1 }\n  g: { rows: 70000 }\n  h: { rows: 1.5 }\n",
        )],
        &expect![[r#"
            a.yaml:2:22: tools.a.shape.now: must be `rfc3339`, found `never`
            a.yaml:3:15: tools.b.shape: expected a mapping, found `5`
            a.yaml:4:21: tools.c.shape.id: expected a text, found `5`
            a.yaml:5:8: tools.d.shape: only one of `id`, `now` may stand here
            a.yaml:6:8: tools.e.shape: one of `id`, `now` is missing
            a.yaml:7:14: tools.f.rows: must be at least 0, found `-1`
            a.yaml:8:14: tools.g.rows: must be at most 65535, found `70000`
            a.yaml:9:14: tools.h.rows: expected a whole number, found `1.5`
        "#]],
    );
}

#[test]
fn the_environment_is_filled_in() {
    check_with(
        &[(
            "a.yaml",
            "tools:\n  whole: ${WORD}\n  inside: a ${WORD} b\n  unset: ${NOT_SET}\n  default: ${NOT_SET:-sqlite:data/shop.db}\n  empty: ${EMPTY:-filled}\n  literal: $${WORD}\n  template: costs ${{ price }} or ${WORD}\n  quoted: \"${NUMBER}\"\n  open: ${WORD\n  unnamed: ${}\n  two: ${NOT_SET} ${NEITHER}\n  key-${WORD}: same\n  block: |\n    one ${WORD}\n",
        )],
        &|section, _| section.text("").map(|text| format!("{text:?}")),
        &expect![[r#"
            whole: "brief"
            inside: "a brief b"
            default: "sqlite:data/shop.db"
            empty: "filled"
            literal: "${WORD}"
            template: "costs ${{ price }} or brief"
            quoted: "7"
            key-${WORD}: "same"
            block: "one brief\n"
            a.yaml:4:10: tools.unset: the environment variable `NOT_SET` is not set
              help: set it, or give a default: `${NOT_SET:-…}`
            a.yaml:10:9: tools.open: `${` without its `}`
              help: write `$${` for a literal `${`
            a.yaml:11:12: tools.unnamed: `${}` names no environment variable
              help: write `${NAME}` or `${NAME:-default}`, or `$${` for a literal `${`
            a.yaml:12:8: tools.two: the environment variable `NOT_SET` is not set
              help: set it, or give a default: `${NOT_SET:-…}`
            a.yaml:12:8: tools.two: the environment variable `NEITHER` is not set
              help: set it, or give a default: `${NEITHER:-…}`
        "#]],
    );
}

#[test]
fn a_variable_may_be_a_number_where_one_is_wanted() {
    check(
        &[(
            "a.yaml",
            "tools:\n  a:\n    rows: ${NUMBER}\n    idempotent: ${YES}\n    deadline: ${NUMBER}s\n    input:\n      n:\n        type: ${NUMBER}\n  b:\n    rows: \"${NUMBER}\"\n  c:\n    rows: ${PASSWORD}\n    deadline: ${NOT_SET}\n",
        )],
        &expect![[r#"
            a: Tool { idempotent: true, deadline: Some(Span(7s)), rows: Some(7), input: Mapping([("n", Parameter { type: "7", properties: Mapping([]) })]) }
            a.yaml:10:11: tools.b.rows: expected a whole number, found something else in the environment
            a.yaml:12:11: tools.c.rows: expected a whole number, found something else in the environment
            a.yaml:13:15: tools.c.deadline: the environment variable `NOT_SET` is not set
              help: set it, or give a default: `${NOT_SET:-…}`
        "#]],
    );
}

#[test]
fn files_are_merged_and_nothing_stands_twice() {
    check(
        &[
            ("a.yaml", "version: 1\ntools:\n  a: { rows: 1, rows: 2 }\n  b: { rows: 1 }\n  b: { rows: 2 }\n"),
            ("b.yml", "tools:\n  a: { rows: 3 }\n  c: { rows: 4 }\nversion: 1\n"),
            ("c.yaml", "# nothing here\n"),
            ("d.yaml", "- a list\n"),
            ("notes.txt", "tools: {"),
        ],
        &expect![[r#"
            a: Tool { idempotent: false, rows: Some(1) }
            b: Tool { idempotent: false, rows: Some(1) }
            c: Tool { idempotent: false, rows: Some(4) }
            a.yaml:3:17: tools.a.rows: `rows` stands there twice, first in line 3
              help: remove or rename one of the two
            a.yaml:5:3: tools.b: `b` stands there twice, first in line 4
              help: remove or rename one of the two
            b.yml:2:3: tools.a: `a` stands there twice, first in a.yaml:3
              help: remove or rename one of the two
            b.yml:4:1: version: `version` stands there twice, first in a.yaml:1
              help: remove or rename one of the two
            d.yaml:1:1: expected a mapping such as `version: 1`
        "#]],
    );
}

#[test]
fn aliases_are_followed_and_bombs_are_refused() {
    check(
        &[("a.yaml", "x: &x { rows: 1 }\ntools:\n  a: *x\n  b: { <<: *x, rows: 2, bytes: 1MiB }\n  c: { <<: *x, rows: 2, rows: 3 }\n")],
        &expect![[r#"
            a: Tool { idempotent: false, rows: Some(1) }
            b: Tool { idempotent: false, bytes: Some(Size(1048576)), rows: Some(2) }
            c: Tool { idempotent: false, rows: Some(2) }
            a.yaml:5:25: tools.c.rows: `rows` stands there twice, first in line 5
              help: remove or rename one of the two
        "#]],
    );
    let mut bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for (outer, inner) in ["b", "c", "d", "e", "f", "g"].iter().zip(["a", "b", "c", "d", "e", "f"]) {
        bomb += &format!(
            "{outer}: &{outer} [*{inner}, *{inner}, *{inner}, *{inner}, *{inner}, *{inner}, *{inner}, *{inner}, *{inner}, *{inner}]\n"
        );
    }
    check(
        &[("bomb.yaml", &bomb)],
        &expect![[r#"
        bomb.yaml:5:16: YAML document too large or too complex: total_replayed_events=50001 > 50000
    "#]],
    );
}

#[test]
fn what_is_not_yaml_says_where() {
    check(
        &[("a.yaml", "tools:\n  a: { rows: 1\n"), ("b.yaml", "tools:\n\ta: 1\n"), ("c.yaml", "a: 1\n---\nb: 2\n")],
        &expect![[r#"
            a.yaml:2:6: unclosed bracket '{'
            b.yaml:2:2: tabs disallowed within this context (block indentation)
            c.yaml:3:1: only single YAML document expected but multiple found
        "#]],
    );
    check(
        &[("a.yaml", "tools:\n  a: { rows: ${NUMBER} }\n")],
        &expect![[r#"
        a.yaml:2:15: while parsing a flow mapping, did not find expected ',' or '}'
          help: between `{ }` or `[ ]`, write "${NAME}" in quotes
    "#]],
    );
    check(
        &[],
        &expect![[r#"
            there is no `.yaml` file in `FOLDER`
              help: `callgate init DATABASE_URL` writes a first one
        "#]],
    );
}

#[test]
fn halves_know_each_others_keys() {
    check_with(
        &[("a.yaml", "tools:\n  a: { description: x, rows: 1 }\n  b: { descripton: x, rosw: 1, effect: raed }\n  c: 5\n")],
        &|section, problems| {
            let (head, own) = section.split(&["description", "backend"]);
            let head = head.read::<Head>(problems);
            let own = own.read::<Tool>(problems);
            Some(format!("{} {}", head.is_some(), own.is_some()))
        },
        &expect![[r#"
            a: true true
            b: false false
            c: false false
            a.yaml:3:3: tools.b: `description` is missing
              help: What the model reads.
            a.yaml:3:8: tools.b.descripton: unknown key `descripton`; did you mean `description`?
            a.yaml:3:23: tools.b.rosw: unknown key `rosw`; did you mean `rows`?
            a.yaml:3:40: tools.b.effect: must be one of `read`, `write`, found `raed`
              help: did you mean `read`?
            a.yaml:4:6: tools.c: expected a mapping, found `5`
        "#]],
    );
}

#[test]
fn secrets_are_followed_and_never_shown() {
    let key = |section: &Section, problems: &mut Problems| {
        section.read::<Tool>(problems).map(|tool| format!("{:?}", tool.key.map(|key| key.expose().clone())))
    };
    check_with(
        &[
            ("secret.txt", "from a file\r\n"),
            ("open.txt", "for everybody"),
            (
                "a.yaml",
                "tools:\n  text: { key: plain }\n  env: { key: { env: PASSWORD } }\n  file: { key: { file: secret.txt } }\n  unset: { key: { env: NOT_SET } }\n  lost: { key: { file: nowhere } }\n  open: { key: { file: open.txt } }\n  both: { key: { env: A, file: B } }\n  number: { key: 1234 }\n  odd: { key: { enw: A } }\n",
            ),
        ],
        &key,
        &expect![[r#"
            text: Some("plain")
            env: Some("hunter2")
            file: Some("from a file")
            a.yaml:5:12: tools.unset.key: the environment variable `NOT_SET` is not set
            a.yaml:6:11: tools.lost.key: cannot read the secret in `nowhere`: No such file or directory (os error 2)
            a.yaml:7:11: tools.open.key: cannot read the secret in `open.txt`: every user of this machine has access to it; `chmod 600` it
            a.yaml:8:11: tools.both.key: expected a text, `{ env: NAME }` or `{ file: PATH }`
            a.yaml:9:18: tools.number.key: expected a text, `{ env: NAME }` or `{ file: PATH }`
            a.yaml:10:17: tools.odd.key.enw: unknown key `enw`; did you mean `env`?
        "#]],
    );
}

#[test]
fn a_problem_finds_its_place() {
    let room = |section: &Section, problems: &mut Problems| {
        for pointer in ["", "/rows", "/input/a/type", "/input/none/type", "/tags/1", "/tags/7"] {
            problems.push(section.problem(pointer, pointer));
        }
        problems.push(section.key_problem("/rows", "key").help("why"));
        None
    };
    check_with(
        &[("a.yaml", "tools:\n  \"a b\":\n    rows: 1\n    input:\n      a:\n        type: x\n    tags:\n      - x\n      - y\n")],
        &room,
        &expect![[r#"
            a.yaml:2:3: tools["a b"]: 
            a.yaml:3:5: tools["a b"].rows: key
              help: why
            a.yaml:3:11: tools["a b"].rows: /rows
            a.yaml:4:5: tools["a b"].input.none.type: /input/none/type
            a.yaml:6:15: tools["a b"].input.a.type: /input/a/type
            a.yaml:7:5: tools["a b"].tags[7]: /tags/7
            a.yaml:9:9: tools["a b"].tags[1]: /tags/1
        "#]],
    );
}

#[test]
fn the_report_draws_the_place() {
    let folder = tempfile::tempdir().unwrap();
    let mut problems = Problems::new();
    let document = read(folder.path(), &[("a.yaml", "tools:\n  get: { efect: read }\n")], &mut problems).unwrap();
    document.root().get("tools").unwrap().get("get").unwrap().read::<Tool>(&mut problems);
    let mut drawn = String::new();
    let handler = miette::GraphicalReportHandler::new_themed(miette::GraphicalTheme::unicode_nocolor());
    handler.render_report(&mut drawn, problems.report().as_ref()).unwrap();
    expect![[r#"
          × there is 1 mistake in the configuration

        Error: 
          × tools.get.efect: unknown key `efect`; did you mean `effect`?
           ╭─[a.yaml:2:10]
         1 │ tools:
         2 │   get: { efect: read }
           ·          ─────
           ╰────
    "#]]
    .assert_eq(&drawn.replace(&format!("{}/", folder.path().display()), ""));
}

#[test]
fn a_file_or_folder_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let problems = Document::read(&folder.path().join("nowhere")).unwrap_err();
    assert!(problems.to_string().contains("nowhere"), "{problems}");
    fs::write(folder.path().join("a.yaml"), "a: 1\n").unwrap();
    let document = Document::read(&folder.path().join("a.yaml")).unwrap();
    assert_eq!(document.folder(), folder.path());
}

#[test]
fn a_file_beyond_the_bound_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.yaml"), " ".repeat(5 << 20)).unwrap();
    let problems = Document::read(folder.path()).unwrap_err();
    assert!(problems.to_string().contains("longer than 4 MiB"), "{problems}");
}
