//! Configurations that want to be more than a configuration. Whoever writes one is trusted; whoever made the file it was copied from is
//! not. Each is refused in good time, with a sentence, and without a secret in it.

use std::time::Duration;

use callgate_testkit::Folder;
use tokio::time::Instant;

use crate::{
    canary::{self, Cage},
    gate::run,
};

/// A gate with one tool, whose parts are filled in.
fn config(auth: &str, input: &str, rest: &str) -> String {
    format!(
        "version: 1\nname: bomb\nauth: {{ keys: {{ pepper: '{}' }} {auth} }}\nbackends:\n  main: {{ kind: sql, url: 'sqlite:a.db' }}\ntools:\n  \
         tool:\n    backend: main\n    description: A tool.\n    effect: read\n    {rest}\n    sql: SELECT :a AS a\n    returns: one\n    input:\n      a: {input}\n",
        canary::PEPPER
    )
}

fn input(input: &str) -> String {
    config("", input, "allow: anyone")
}

fn rule(rule: &str) -> String {
    config("", "{ type: string }", &format!("allow: [{rule:?}]"))
}

/// What is written, and a word of the answer.
fn bombs() -> Vec<(&'static str, String, &'static str)> {
    let laughs: String =
        (1..12).map(|level| format!("l{level}: &l{level} [{}]\n", vec![format!("*l{}", level - 1); 10].join(", "))).collect();
    let deep = |levels: usize| format!("{}{{ type: string }}{}", "{ type: object, properties: { a: ".repeat(levels), " } }".repeat(levels));
    let values: Vec<String> = (0..50_000).map(|number| format!("v{number}")).collect();
    vec![
        ("a laugh of aliases", format!("l0: &l0 [ha, ha]\n{laughs}{}", input("{ type: string }")), "gate.yaml"),
        ("an anchor in itself", format!("a: &a [*a]\n{}", input("{ type: string }")), "gate.yaml"),
        ("ten thousand brackets", format!("x: {}\n", "[".repeat(10_000)), "gate.yaml"),
        ("ten thousand levels", input(&deep(10_000)), "gate.yaml"),
        ("two hundred levels", input(&deep(200)), "gate.yaml"),
        ("fifty thousand values", input(&format!("{{ type: string, enum: [{}] }}", values.join(", "))), "schema"),
        ("look-around", input(r#"{ type: string, pattern: "(?=a)b" }"#), "look-around"),
        ("a back-reference", input(r#"{ type: string, pattern: '(a)\1' }"#), "backreference"),
        ("a pattern that grows", input(r#"{ type: string, pattern: "((a{1,1000}){1,1000}){1,1000}" }"#), "pattern"),
        ("a keyword that fetches", input("{ $ref: 'http://127.0.0.1:9/schema' }"), "$ref"),
        ("a rule of ten thousand brackets", rule(&format!("{}caller.id{} == 'a'", "(".repeat(10_000), ")".repeat(10_000))), "allow"),
        ("a rule of four loops", rule("[1].all(a, [1].all(b, [1].all(c, [1].all(d, true))))"), "allow"),
        ("a rule with a pattern of the caller's", rule("'a'.matches(caller.id)"), "allow"),
        ("everybody in one sign", rule("*"), "anyone"),
        ("a tag that makes things", format!("x: !!python/object/apply:os.system [id]\n{}", input("{ type: string }")), "gate.yaml"),
        ("a key twice", input("{ type: string, type: integer }"), "type"),
        ("a key that nobody knows", config(", trust_everyone: true", "{ type: string }", "allow: anyone"), "trust_everyone"),
        ("nobody said who may", config("", "{ type: string }", "title: x"), "does not say who may"),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bombs_in_a_configuration() {
    let cage = Cage::new();
    for (name, text, word) in bombs() {
        let folder = Folder::with([("gate.yaml", text.as_str()), ("a.db", "")]).unwrap();
        let begun = Instant::now();
        // What a check lets pass must not be served either.
        let mut said = run(&folder, &["check", "FOLDER"]).await;
        if said.starts_with("ok") {
            said = run(&folder, &["serve", "FOLDER", "--listen", "127.0.0.1:0"]).await;
        }
        let took = begun.elapsed();
        assert!(said.starts_with("exit status: 1: "), "{name}: {}", &said[..said.len().min(500)]);
        assert!(said.contains(word), "{name}: {}", &said[..said.len().min(500)]);
        assert!(took < Duration::from_secs(15), "{name}: refused after {took:?}");
        assert_eq!(cage.found(said.as_bytes()), Vec::<&str>::new(), "{name}: {}", &said[..said.len().min(500)]);
    }
}
