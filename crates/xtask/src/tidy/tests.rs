//! Each rule on a small bad input and on a small good one.

use super::{RULES, Tree};

/// The complaints of all rules about these files, as `path:line` in the order of the rules.
fn check<const N: usize>(files: [(&str, &str); N]) -> String {
    let tree = Tree::of(files);
    let complaints = RULES.iter().flat_map(|rule| (rule.check)(&tree));
    complaints.map(|complaint| format!("{}:{}", complaint.file, complaint.line)).collect::<Vec<_>>().join(" ")
}

/// A module of the product with this body.
fn module(body: &str) -> String {
    check([("crates/model/src/a.rs", &format!("//! A module.\n{body}"))])
}

#[test]
fn modules_open_with_docs() {
    assert_eq!(check([("crates/model/src/a.rs", "fn a() {}")]), "crates/model/src/a.rs:1");
    assert_eq!(module("fn a() {}"), "");
}

#[test]
fn files_and_functions_are_short() {
    let long = |lines: usize| format!("fn a() {{\n{}}}\n", "    b();\n".repeat(lines));
    assert_eq!(module(&long(68)), "");
    assert_eq!(module(&long(69)), "crates/model/src/a.rs:2");
    assert_eq!(module(&"fn a() {}\n".repeat(400)), "crates/model/src/a.rs:401");
    let tests = format!("//! Tests.\n{}", long(500));
    assert_eq!(check([("crates/model/src/tests.rs", &tests)]), "");
    assert_eq!(module(&format!("#[cfg(test)]\nmod tests {{\n{}}}", long(100))), "");
}

#[test]
fn words_without_a_place_here() {
    let bad = [
        "fn a() { b().unwrap(); }",
        "fn a() { println!(\"{}\", b().unwrap()); }",
        "fn a() { todo!() }",
        "fn a() { unimplemented!() }",
        "#[test] #[ignore] fn a() {}",
        "#[test] #[should_panic] fn a() {}",
        "#[allow(dead_code)] fn a() {}",
        "#[cfg_attr(test, allow(dead_code))] fn a() {}",
        "#[expect(dead_code)] fn a() {}",
        "#[serde(untagged)] enum A {}",
        "struct A { #[serde(default, flatten)] b: B }",
        "fn a( {",
    ];
    for body in bad {
        assert_eq!(module(body), "crates/model/src/a.rs:2", "{body}");
    }
    let good = [
        "#[test] fn a() { b().unwrap(); }",
        "#[cfg(test)] mod tests { fn a() { b().unwrap(); } }",
        "fn a() { b().unwrap_or_default(); }",
        "#[expect(dead_code, reason = \"for later\")] fn a() {}",
        "#[serde(deny_unknown_fields)] struct A {}",
        "fn a() -> &'static str { \"todo!() unwrap()\" }",
    ];
    for body in good {
        assert_eq!(module(body), "", "{body}");
    }
}

#[test]
fn folders_have_no_twins() {
    let docs = "//! A module.";
    assert_eq!(check([("crates/model/src/a.rs", docs), ("crates/model/src/a/mod.rs", docs)]), "crates/model/src/a.rs:1");
    assert_eq!(check([("crates/model/src/a.rs", docs), ("crates/model/src/a/b.rs", docs)]), "crates/model/src/a.rs:1");
    assert_eq!(check([("crates/model/src/a.rs", docs), ("crates/model/src/ab/mod.rs", docs)]), "");
}

/// A manifest of the room `pipeline` that ends in these lines.
fn manifest(lines: &str) -> String {
    let text = format!("[package]\npublish.workspace = true\n[lints]\nworkspace = true\n{lines}");
    check([("crates/pipeline/Cargo.toml", &text)])
}

#[test]
fn rooms_know_only_whom_they_may_know() {
    assert_eq!(manifest("[dependencies]\ncallgate-store = { workspace = true }"), "");
    assert_eq!(manifest("[dependencies]\ncallgate-backend = { workspace = true }"), "crates/pipeline/Cargo.toml:6");
    assert_eq!(manifest("[dev-dependencies]\ncallgate-transport.workspace = true"), "crates/pipeline/Cargo.toml:6");
    assert_eq!(manifest("[dev-dependencies]\ncallgate-testkit.workspace = true"), "");
    assert_eq!(manifest("[target.'cfg(unix)'.dependencies]\ncallgate = { workspace = true }"), "crates/pipeline/Cargo.toml:6");
    let stranger = "[package]\npublish = false\n[lints]\nworkspace = true\n";
    assert_eq!(check([("crates/stranger/Cargo.toml", stranger)]), "crates/stranger/Cargo.toml:1");
}

#[test]
fn versions_stand_in_the_root() {
    assert_eq!(manifest("[dependencies]\nserde = \"1\""), "crates/pipeline/Cargo.toml:6");
    assert_eq!(manifest("[dependencies.serde]\nversion = \"1\""), "crates/pipeline/Cargo.toml:5");
    assert_eq!(manifest("[dev-dependencies]\nserde = { workspace = true, features = [\"derive\"] }"), "");
    let root = |line: &str| check([("Cargo.toml", &format!("[workspace.dependencies]\n{line}\n[profile.dev]\ndebug = 1"))]);
    assert_eq!(root("serde = { version = \"1\" }"), "Cargo.toml:2");
    assert_eq!(root("serde = { version = \"1\", default-features = false }"), "");
}

#[test]
fn members_keep_house() {
    assert_eq!(check([("bench/Cargo.toml", "[package]\n[lib]\n")]), "bench/Cargo.toml:1 bench/Cargo.toml:1 bench/Cargo.toml:1");
}

#[test]
fn the_lock_file_has_a_wall() {
    assert_eq!(check([("Cargo.lock", &"[[package]]\n".repeat(450))]), "");
    assert_eq!(check([("Cargo.lock", &"[[package]]\n".repeat(451))]), "Cargo.lock:1");
}

#[test]
fn machines_are_not_named() {
    assert_eq!(check([("a.txt", concat!("x\n/ho", "me/me/x"))]), "a.txt:2");
    assert_eq!(check([("a.json", concat!("https://registry.npm", "js.org/a"))]), "a.json:1");
    assert_eq!(check([("a.txt", "/var/lib")]), "");
}

#[test]
fn what_is_put_off_names_its_issue() {
    let line = |rest: &str| format!("{}{rest}", concat!("x; // TO", "DO"));
    assert_eq!(check([("a.py", &line(": later"))]), "a.py:1");
    assert_eq!(check([("a.py", &line("(#): later"))]), "a.py:1");
    assert_eq!(check([("a.py", &line("(#12): later"))]), "");
    assert_eq!(check([("a.md", "A `TODO` carries a number")]), "");
}

#[test]
fn links_lead_somewhere() {
    let text = "[a](b.md) [b](../c.md#x) [c](https://example.org) [d](#d) `[e](e.md)`\n```\n[f](f.md)\n```";
    assert_eq!(check([("docs/a.md", text), ("docs/b.md", "b"), ("c.md", "c")]), "");
    assert_eq!(check([("docs/a.md", text), ("docs/b.md", "b")]), "docs/a.md:1");
    assert_eq!(check([("a.md", "[a](docs) [b](../x)"), ("docs/b.md", "b")]), "a.md:1");
}
