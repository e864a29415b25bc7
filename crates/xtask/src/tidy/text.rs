//! Rules about the words in files of any sort.

use super::{Complaint, Tree};

/// What betrays the machine on which something was written. Kept in pieces, so that this file does not accuse itself.
const MACHINE: [&str; 9] = [
    concat!("/ho", "me/"),
    concat!("/ro", "ot/"),
    concat!("/wo", "rk/"),
    concat!("/Us", "ers/"),
    concat!("registry.npm", "js.org"),
    concat!("py", "pi.org"),
    concat!("files.python", "hosted.org"),
    concat!("static.cra", "tes.io"),
    concat!("index.cra", "tes.io"),
];

/// Nothing in the repository depends on whose machine it lies on or where that machine gets its packages.
pub(super) fn machine(tree: &Tree) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for file in tree.files() {
        for (line, text) in file.lines() {
            let found = MACHINE.iter().find(|word| text.contains(**word));
            complaints.extend(found.map(|word| Complaint::new(file, line, format!("`{word}` belongs to a machine, not to the project"))));
        }
    }
    complaints
}

/// A comment that puts something off says where it is kept: `(#12)` follows.
pub(super) fn to_dos(tree: &Tree) -> Vec<Complaint> {
    const WORD: &str = concat!("TO", "DO");
    let mut complaints = Vec::new();
    for file in tree.files() {
        for (line, text) in file.lines() {
            let comment = ["//", "#", "--", "<!--"].iter().filter_map(|mark| text.split_once(mark)).map(|(_, comment)| comment);
            let put_off = comment.filter_map(|comment| comment.trim_start_matches(['/', '!', '-', ' ']).strip_prefix(WORD)).next();
            if put_off.is_some_and(|rest| !names_an_issue(rest)) {
                complaints.push(Complaint::new(file, line, format!("write `{WORD}(#issue)`")));
            }
        }
    }
    complaints
}

fn names_an_issue(rest: &str) -> bool {
    let number = rest.strip_prefix("(#").and_then(|rest| rest.split_once(')')).map(|(number, _)| number);
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}
