//! `cargo xtask tidy`: counts what the house style promises and names the line where a promise breaks.
//!
//! A rule is a function from the tree of files to complaints; the table below lists them all. Taste is left to review.

mod docs;
mod manifests;
mod source;
mod text;
mod tree;

use std::fmt;

use anyhow::Result;

pub(crate) use self::tree::{File, Tree};
use crate::workspace::Workspace;

/// A rule, with the sentence that it keeps.
struct Rule {
    promise: &'static str,
    check: fn(&Tree) -> Vec<Complaint>,
}

const RULES: &[Rule] = &[
    Rule { promise: "every module opens with `//!`", check: docs::modules_open_with_docs },
    Rule { promise: "a file has at most 400 lines", check: source::files_are_short },
    Rule { promise: "a function has at most 70 lines", check: source::functions_are_short },
    Rule { promise: "a file is Rust, and holds no forbidden word", check: source::words },
    Rule { promise: "never `name.rs` beside `name/`", check: tree::no_twins },
    Rule { promise: "rooms know only whom they may know", check: manifests::arrows },
    Rule { promise: "versions stand in the root manifest, without default features", check: manifests::versions },
    Rule { promise: "members are private, share the lints and have no doctests", check: manifests::members_keep_house },
    Rule { promise: "the lock file has at most 450 packages", check: manifests::lock },
    Rule { promise: "no path or registry of somebody's machine", check: text::machine },
    Rule { promise: "a to-do names its issue", check: text::to_dos },
    Rule { promise: "links in documents lead somewhere", check: docs::links },
];

/// A broken promise and where it broke.
#[derive(Debug)]
pub(crate) struct Complaint {
    file: String,
    line: usize,
    message: String,
}

impl Complaint {
    fn new(file: &File, line: usize, message: impl Into<String>) -> Self {
        Self { file: file.path.clone(), line, message: message.into() }
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.message)
    }
}

/// Checks the repository; `true` if every promise holds.
pub(crate) fn run(workspace: &Workspace) -> Result<bool> {
    let tree = Tree::read(&workspace.root)?;
    let mut broken = 0;
    for rule in RULES {
        let complaints = (rule.check)(&tree);
        broken += complaints.len();
        println!("{} {}", if complaints.is_empty() { "ok  " } else { "FAIL" }, rule.promise);
        for complaint in &complaints {
            println!("     {complaint}");
        }
    }
    println!("tidy: {} files, {} rules, {broken} broken promises", tree.files().len(), RULES.len());
    Ok(broken == 0)
}

#[cfg(test)]
mod tests;
