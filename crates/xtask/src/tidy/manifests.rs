//! Rules about `Cargo.toml` and `Cargo.lock`.
//!
//! Manifests are read line by line: the house writes one dependency per line, and that is one of the rules.

use super::{Complaint, File, Tree};

const MOST_PACKAGES: usize = 450;

/// Who may know whom among our own crates. `dev` crates may be known by tests only; a crate that does not stand here knows none.
struct Arrows {
    of: &'static str,
    may_know: &'static [&'static str],
}

const ARROWS: &[Arrows] = &[
    Arrows { of: "model", may_know: &[] },
    Arrows { of: "config", may_know: &[] },
    Arrows { of: "protocol", may_know: &["model"] },
    Arrows { of: "egress", may_know: &["model", "config"] },
    Arrows { of: "expression", may_know: &[] },
    Arrows { of: "store", may_know: &["model", "config"] },
    Arrows { of: "identity", may_know: &["model", "config", "egress", "store"] },
    Arrows { of: "telemetry", may_know: &["model", "config", "egress"] },
    Arrows { of: "backend", may_know: &["model", "config", "egress", "expression"] },
    Arrows { of: "pipeline", may_know: &["model", "config", "expression", "store"] },
    Arrows { of: "transport", may_know: &["model", "config", "protocol"] },
    Arrows {
        of: "server",
        may_know: &["model", "config", "protocol", "egress", "store", "identity", "telemetry", "backend", "pipeline", "transport"],
    },
    Arrows { of: "testkit", may_know: &["model"] },
    Arrows { of: "xtask", may_know: &[] },
    Arrows { of: "conformance", may_know: &["callgate"] },
    Arrows { of: "bench", may_know: &[] },
    Arrows { of: "rmcp", may_know: &[] },
];

/// Data flows one way because crates cannot name each other otherwise.
pub(super) fn arrows(tree: &Tree) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for file in members(tree) {
        let room = file.folder().rsplit('/').next().unwrap_or_default();
        let Some(arrows) = ARROWS.iter().find(|arrows| arrows.of == room) else {
            complaints.push(Complaint::new(file, 1, format!("`{room}` has no row in the table of arrows in xtask")));
            continue;
        };
        for entry in entries(file) {
            let Some(known) = ours(entry.name) else { continue };
            let for_tests = entry.section == "dev-dependencies" && (known == "testkit" || room == "testkit");
            if !arrows.may_know.contains(&known) && !for_tests {
                let message = format!("`{room}` may not know `{known}`; it may know: {}", arrows.may_know.join(", "));
                complaints.push(Complaint::new(file, entry.line, message));
            }
        }
    }
    complaints
}

/// A version is decided once, and features are chosen, not inherited.
pub(super) fn versions(tree: &Tree) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for file in members(tree) {
        let versioned = entries(file).into_iter().filter(|entry| !entry.value.contains("workspace = true"));
        complaints
            .extend(versioned.map(|entry| Complaint::new(file, entry.line, format!("write `{} = {{ workspace = true }}`", entry.name))));
    }
    if let Some(file) = tree.file("Cargo.toml") {
        let careless = |entry: &Entry<'_>| !entry.value.contains("path =") && !entry.value.contains("default-features = false");
        let careless = entries(file).into_iter().filter(careless);
        complaints
            .extend(careless.map(|entry| Complaint::new(file, entry.line, format!("`{}` needs `default-features = false`", entry.name))));
    }
    complaints
}

/// Members are private, share the lints and have no doctests.
pub(super) fn members_keep_house(tree: &Tree) -> Vec<Complaint> {
    members(tree).flat_map(keeps_house).collect()
}

fn keeps_house(file: &File) -> Vec<Complaint> {
    let has = |wanted: &str| file.lines().any(|(_, line)| line.trim() == wanted);
    let mut missing = Vec::new();
    if !has("publish.workspace = true") && !has("publish = false") {
        missing.push("`publish.workspace = true`");
    }
    if !file.text.contains("[lints]\nworkspace = true") {
        missing.push("`[lints]` with `workspace = true`");
    }
    if file.text.contains("[lib]") && !has("doctest = false") {
        missing.push("`doctest = false`");
    }
    missing.into_iter().map(|what| Complaint::new(file, 1, format!("{what} is missing"))).collect()
}

/// What is not in the tree need not be built, read or patched.
pub(super) fn lock(tree: &Tree) -> Vec<Complaint> {
    let Some(file) = tree.file("Cargo.lock") else { return Vec::new() };
    let packages = file.lines().filter(|(_, line)| *line == "[[package]]").count();
    let message = format!("{packages} packages; the wall is {MOST_PACKAGES}");
    (packages > MOST_PACKAGES).then(|| Complaint::new(file, 1, message)).into_iter().collect()
}

/// One line of a dependency table.
struct Entry<'f> {
    section: &'f str,
    name: &'f str,
    value: &'f str,
    line: usize,
}

fn members(tree: &Tree) -> impl Iterator<Item = &File> {
    tree.files().iter().filter(|file| file.name() == "Cargo.toml" && !file.folder().is_empty())
}

/// All dependencies, whatever table they stand in.
fn entries(file: &File) -> Vec<Entry<'_>> {
    let mut section = "";
    let mut entries = Vec::new();
    for (line, text) in file.lines() {
        let text = text.trim();
        if let Some(header) = text.strip_prefix('[') {
            section = header.trim_end_matches(']').rsplit("workspace.").next().unwrap_or_default();
            // `[dependencies.name]` would hide its lines from this reader, so it counts as an entry that says nothing.
            if let Some((_, name)) = section.split_once("dependencies.") {
                entries.push(Entry { section, name, value: "", line });
            }
        } else if section.ends_with("dependencies")
            && let Some((name, value)) = text.split_once('=')
            && !text.starts_with('#')
        {
            let (name, value) = (name.trim(), value.trim());
            let whole = name.strip_suffix(".workspace").filter(|_| value == "true");
            let value = if whole.is_some() { "workspace = true" } else { value };
            entries.push(Entry { section, name: whole.unwrap_or(name), value, line });
        }
    }
    entries
}

/// The room behind the name of one of our crates.
fn ours(name: &str) -> Option<&str> {
    if name == "callgate" { Some(name) } else { name.strip_prefix("callgate-") }
}
