//! What an operator may write about API keys.

use callgate_config::{Problems, Secret, Section, Span};
use schemars::JsonSchema;
use serde::Deserialize;

/// A secret shorter than the hash it keys can be guessed.
const SHORTEST_PEPPER: usize = 16;

/// The keys that `callgate keys add` gives out.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// What keys begin with, so that people and scanners know one when they see it; default `cg`. Keys that were given out under
    /// another beginning stop working.
    pub prefix: String,
    /// The secret under which keys are hashed, at least 16 bytes; whoever copies the store cannot try keys without it. All replicas
    /// need the same one. Default is a secret that is made once and kept in `callgate.pepper` beside the store's file, readable by
    /// its owner only; a store that is no file needs one written here. A changed pepper makes all keys stop working.
    pub pepper: Option<Secret>,
    /// How long the store may take to find a key; default `2s`. After that the client is told to come back, or `keep` counts. A key in use is
    /// asked about when two fifths of `auth.remember` are over, so that nobody waits for a store that says nothing if this is at most
    /// three fifths of it; if it is more, calls wait for the rest of it once in each `auth.remember`.
    pub patience: Span,
    /// How long a key that was taken is still taken while the store cannot be asked, counted from when the store last knew it; default
    /// `1m`. If it was revoked meanwhile it is refused as soon as the store answers. `0s`: no longer than `auth.remember`.
    pub keep: Span,
}

impl Default for Config {
    fn default() -> Self {
        Self { prefix: "cg".into(), pepper: None, patience: Span::seconds(2), keep: Span::seconds(60) }
    }
}

impl Config {
    pub(crate) fn check(&self, section: &Section, place: &str, problems: &mut Problems) {
        section.at_least(&[(format!("{place}/patience").as_str(), self.patience, Span::millis(10))], problems);
        let is_word = (1..=16).contains(&self.prefix.len()) && self.prefix.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        if !is_word {
            let problem = section.problem(&format!("{place}/prefix"), format!("`{}` is no beginning of a key", self.prefix));
            problems.push(problem.help("write up to 16 lower-case letters and digits, such as `cg`"));
        }
        if self.pepper.as_ref().is_some_and(|pepper| pepper.expose().len() < SHORTEST_PEPPER) {
            let problem = section.problem(&format!("{place}/pepper"), "is shorter than 16 bytes, and can be guessed");
            problems.push(problem.help("`openssl rand -base64 32` makes one"));
        }
    }
}
