//! What must not be written down: arguments by name or path, texts by what they hold, values by length.
//!
//! It promises that the value of a hidden argument appears neither in the record nor in a message, at any depth of the
//! arguments, and that the text of one call's arguments is bounded. Hidden are the names under `audit.redact`, those a tool
//! lists under `redact`, and always those that look like credentials.

mod pattern;
mod text;

use std::borrow::Cow;

use callgate_model::{Catalog, Members};
use serde_json::Number;

use crate::audit;

pub use pattern::Pattern;

/// Parts of a name that mark a credential, whatever the operator wrote: compared in lower case, letters and digits only.
const ALWAYS: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "secret",
    "token",
    "authorization",
    "apikey",
    "privatekey",
    "accesskey",
    "credential",
    "cookie",
];

/// How they begin.
static LIKELY: [bool; 256] = pattern::beginnings(ALWAYS);

/// A longer name is nothing we declared, and it is cheaper to hide its value than to read all of it.
const LONGEST_NAME: usize = 64;

/// The rules of one gate.
#[derive(Debug)]
pub(crate) struct Redaction {
    names: Box<[String]>,
    paths: Box<[Box<[String]>]>,
    patterns: Box<[Pattern]>,
    tools: Box<[Box<[String]>]>,
    longest_value: usize,
    longest: usize,
}

impl Redaction {
    pub(crate) fn new(config: &audit::Config, catalog: &Catalog) -> Self {
        let (paths, names): (Vec<String>, Vec<String>) = config.redact.iter().cloned().partition(|entry| entry.starts_with('/'));
        let lower = |names: &[String]| names.iter().map(|name| name.to_lowercase()).collect();
        Self {
            names: lower(&names),
            paths: paths.iter().map(|path| path.split('/').skip(1).map(str::to_owned).collect()).collect(),
            patterns: config.patterns.as_slice().into(),
            tools: catalog.tools().iter().map(|item| lower(&item.offer.redact)).collect(),
            longest_value: config.value,
            longest: config.arguments.bytes(),
        }
    }

    /// The value of an argument (or a member of one) by this name is hidden.
    pub(crate) fn hides(&self, tool: Option<usize>, name: &str) -> bool {
        let own = tool.and_then(|tool| self.tools.get(tool)).map_or(&[] as &[String], |names| names);
        name.len() > LONGEST_NAME || self.names.iter().chain(own).any(|hidden| is_same(hidden, name)) || is_credential(name)
    }

    /// The arguments as they are written down: JSON, hidden values replaced, long ones cut.
    pub(crate) fn arguments(&self, tool: Option<usize>, arguments: &Members) -> String {
        text::Text::new(self, tool).arguments(arguments)
    }

    /// A reason for a refusal as it is written down.
    pub(crate) fn reason(&self, reason: &str) -> String {
        self.shown(reason).into_owned()
    }

    /// A name or URI as it is written down.
    pub(crate) fn name(&self, name: &str) -> String {
        self.shown(name).into_owned()
    }

    /// The beginning of a name or URI without what it must not hold; `None` if that is nothing.
    pub(crate) fn hidden(&self, name: &str) -> Option<String> {
        // Longer than anything that is repeated of a name.
        const SEEN: usize = 2048;
        pattern::hide(&self.patterns, &name[..name.floor_char_boundary(SEEN)])
    }

    /// A text as it is written down: what it must not hold replaced, the rest cut.
    fn shown<'a>(&self, text: &'a str) -> Cow<'a, str> {
        // What begins before the cut is known by its first characters; these are enough.
        const BEYOND: usize = 256;
        let longest = self.longest_value;
        let seen = text.floor_char_boundary(longest.saturating_mul(4).saturating_add(BEYOND));
        let Some(hidden) = pattern::hide(&self.patterns, &text[..seen]) else { return text::cut(text, longest) };
        let rest = text.len() - seen;
        let end = hidden.char_indices().nth(longest).map_or(hidden.len(), |(end, _)| end);
        let missing = rest + hidden.len() - end;
        if missing == 0 { Cow::Owned(hidden) } else { Cow::Owned(format!("{}… {missing} bytes more", &hidden[..end])) }
    }

    /// The number of a card that came as a number. Short ones are told by their size.
    fn is_card(&self, number: &Number) -> bool {
        number.as_u64().is_some_and(|number| number >= 1_000_000_000_000) && pattern::hide(&self.patterns, &number.to_string()).is_some()
    }

    /// The value at this path of the arguments is hidden.
    pub(crate) fn hides_path(&self, trail: &[String]) -> bool {
        let fits =
            |path: &[String]| path.len() == trail.len() && path.iter().zip(trail).all(|(wanted, found)| wanted == "*" || wanted == found);
        self.paths.iter().any(|path| fits(path))
    }
}

/// `lower` is `name` in lower case.
fn is_same(lower: &str, name: &str) -> bool {
    if name.is_ascii() { lower.eq_ignore_ascii_case(name) } else { lower == name.to_lowercase() }
}

fn is_credential(name: &str) -> bool {
    let mut letters = [0; LONGEST_NAME];
    let mut length = 0;
    for byte in name.bytes().filter(u8::is_ascii_alphanumeric).take(LONGEST_NAME) {
        letters[length] = byte.to_ascii_lowercase();
        length += 1;
    }
    let letters = &letters[..length];
    let begins = |at: usize| ALWAYS.iter().any(|word| letters[at..].starts_with(word.as_bytes()));
    (0..length).any(|at| LIKELY[usize::from(letters[at])] && begins(at))
}

#[cfg(test)]
mod tests;
