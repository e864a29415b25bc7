//! Rules about documentation: what modules begin with, and where documents point.

use super::{Complaint, File, Tree};

/// Every module says first what it is for.
pub(super) fn modules_open_with_docs(tree: &Tree) -> Vec<Complaint> {
    let silent = |file: &&File| file.is_rust() && file.path.contains("/src/") && !file.text.trim_start().starts_with("//!");
    let complaint = |file| Complaint::new(file, 1, "begin with `//!`: what it is for, what it promises, what it leaves to others");
    tree.files().iter().filter(silent).map(complaint).collect()
}

/// A relative link in a document leads to a file or folder of the repository.
pub(super) fn links(tree: &Tree) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for file in tree.files().iter().filter(|file| file.path.ends_with(".md")) {
        let mut in_code = false;
        for (line, text) in file.lines() {
            in_code ^= text.trim_start().starts_with("```");
            if in_code {
                continue;
            }
            let broken = targets(text).filter(|target| !leads_somewhere(tree, file, target));
            complaints.extend(broken.map(|target| Complaint::new(file, line, format!("`{target}` does not exist"))));
        }
    }
    complaints
}

/// The targets of `](target)` in a line, without those inside backticks.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    let prose = line.split('`').step_by(2);
    prose.flat_map(|text| text.split("](").skip(1)).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target)
}

fn leads_somewhere(tree: &Tree, file: &File, target: &str) -> bool {
    let path = target.split('#').next().unwrap_or_default();
    if path.is_empty() || path.contains("://") || path.starts_with("mailto:") {
        return true;
    }
    let mut parts: Vec<&str> = file.folder().split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.pop().is_none() => return false,
            ".." => {}
            name => parts.push(name),
        }
    }
    tree.has(&parts.join("/"))
}
