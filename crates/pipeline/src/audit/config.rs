//! What an operator may write under `audit`.

use callgate_config::{Problems, Section, Size, Span};
use callgate_store::{Heads, Pseudonyms};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::redact::Pattern;

/// What is written down about calls, and how much of it may be under way.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Names of arguments, and of members inside them, whose values are never written down, in any tool. Upper and lower case
    /// are the same. A tool adds its own under `redact`; names that look like credentials (`password`, `token`, `secret`,
    /// `authorization`, …) are always hidden.
    /// An entry that begins with `/` is a path into the arguments instead, such as `/customer/iban` or `/cards/*/number`; `*` stands for
    /// any name or place.
    pub redact: Vec<String>,
    /// What is looked for in texts and hidden wherever it stands: `card`, `email`, `token`; default all three.
    pub patterns: Vec<Pattern>,
    /// How many calls and records may be on their way to the store; default 4096. When there is no room calls wait, and are
    /// refused at their deadline.
    #[schemars(range(min = 1))]
    pub queue: usize,
    /// How many requests a second whose caller was not recognised have a record each; default 10. What comes beyond is counted, and
    /// the count of a second has one record.
    pub strangers: u32,
    /// How many characters of a text are written down; default 256. The rest is cut and the cut is marked.
    pub value: usize,
    /// How much of one call's arguments is written down; default `4KiB`. Further members are counted and left out.
    pub arguments: Size,
    /// How long records are kept, such as `90d`; default for ever. Older ones are removed from the beginning of each chain, and what
    /// is left still verifies.
    pub keep: Option<Span>,
    /// Records that do not name their callers; default none.
    pub pseudonyms: Option<Pseudonyms>,
    /// Signed heads of the log.
    pub heads: Heads,
}

impl Config {
    /// What no schema can say; `section` is where it stands.
    pub fn check(&self, section: &Section, problems: &mut Problems) {
        if let Some(keep) = self.keep {
            section.at_least(&[("/keep", keep, Span::seconds(1))], problems);
        }
        if let Err((key, why)) = self.heads.check() {
            problems.push(section.problem(&format!("/heads/{key}"), why));
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            redact: Vec::new(),
            patterns: vec![Pattern::Card, Pattern::Email, Pattern::Token],
            queue: 4096,
            strangers: 10,
            value: 256,
            arguments: Size::kib(4),
            keep: None,
            pseudonyms: None,
            heads: Heads::default(),
        }
    }
}
