//! What an operator may write under `egress`.

use std::path::PathBuf;

use callgate_config::{Problems, Section, Size, Span};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    Error, Target,
    guard::{Guard, Rule},
};

/// Where the gate may call by URL, and how much it takes from there.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// What may be called although it is on this machine or in a private network: an address (`127.0.0.1`), a network
    /// (`10.20.0.0/16`) or a host name (`idp.internal`), which then may stand for a private address. Default none: only public
    /// addresses are called. Addresses under which clouds hand out credentials are never called, whatever stands here.
    pub allow: Vec<String>,
    /// A file with certificates (PEM) that are trusted besides those that the machine trusts.
    pub ca: Option<PathBuf>,
    /// How long connecting may take; default `2s`.
    pub connect: Span,
    /// How long a request may take as a whole, from resolving the name to the last byte of the answer; default `5s`.
    pub timeout: Span,
    /// How long an answer may be; default `1MiB`. A longer one is a failure; it is not read to its end.
    pub answer: Size,
}

impl Default for Config {
    fn default() -> Self {
        Self { allow: Vec::new(), ca: None, connect: Span::seconds(2), timeout: Span::seconds(5), answer: Size::mib(1) }
    }
}

impl Config {
    /// Whether `target` may be called, as far as one can tell without resolving its name.
    pub fn admits(&self, target: &Target) -> Result<(), Error> {
        Guard::new(self)?.admit(target)
    }

    /// Adds what is wrong to `problems`; `section` is where it stands.
    pub fn check(&self, section: &Section, problems: &mut Problems) {
        for (index, text) in self.allow.iter().enumerate() {
            if let Err(why) = Rule::parse(text) {
                let problem = section.problem(&format!("/allow/{index}"), format!("`{text}` {why}"));
                problems.push(problem.help("write an address, a network such as `10.20.0.0/16`, or a host name"));
            }
        }
        section.at_least(&[("/connect", self.connect, Span::millis(1)), ("/timeout", self.timeout, Span::millis(1))], problems);
        section.at_least(&[("/answer", self.answer, Size(1))], problems);
    }
}
