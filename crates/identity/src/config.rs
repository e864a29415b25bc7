//! What an operator may write under `auth`.

use std::time::Duration;

use callgate_config::{Problems, Section, Size, Span};
use callgate_egress::Target;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{certificate, keys, token};

/// The longest that a decision may be remembered.
const LONGEST: Duration = Duration::from_secs(5);

/// Who may call, and how they show it. With this section, nobody gets in without proof; an empty one lets nobody in.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The canonical URI of this gate's MCP endpoint as clients reach it, such as `https://gate.example.com/mcp`. Clients learn it,
    /// and tokens must name it as their audience.
    pub resource: Option<String>,
    /// The scopes that clients are told they can ask their issuer for.
    pub scopes: Vec<String>,
    /// The API keys that `callgate keys add` gives out. Without this section no key is taken; `keys: {}` is enough.
    pub keys: Option<keys::Config>,
    /// The identity providers whose tokens (JWT) are taken.
    pub issuers: Vec<token::Config>,
    /// The client certificates that stand for callers; the first that fits counts. The listener has checked them already.
    pub certificates: Vec<certificate::Config>,
    /// How long a decision about a credential is remembered; default and most `5s`. It is how long a revoked key, or a token whose
    /// signing key was withdrawn, may still be taken, on every replica; while the store of the keys is away, see `keys.keep`.
    pub remember: Span,
    /// How much memory the callers that were recognised last may take, about; default `16MiB`.
    pub memory: Size,
    /// How many refused credentials are remembered, so that sending them again costs little; default 10000.
    pub refusals: u64,
    /// How long a token may be; default `16KiB`. A longer one is refused unread.
    pub token: Size,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            resource: None,
            scopes: Vec::new(),
            keys: None,
            issuers: Vec::new(),
            certificates: Vec::new(),
            remember: Span(LONGEST),
            memory: Size::mib(16),
            refusals: 10_000,
            token: Size::kib(16),
        }
    }
}

impl Config {
    /// Whether anybody is asked for keys, for which there must be a client.
    #[must_use]
    pub fn asks(&self) -> bool {
        self.issuers.iter().any(|issuer| issuer.secret.is_none())
    }

    /// Adds what is wrong to `problems`; `section` is where it stands. Does no I/O.
    pub fn check(&self, section: &Section, egress: &callgate_egress::Config, problems: &mut Problems) {
        // A key has some forty characters; no token is that short.
        section.at_least(&[("/token", self.token, Size(64))], problems);
        if self.remember.get() > LONGEST {
            let problem = section.problem("/remember", format!("{} is longer than a revoked credential may still be taken", self.remember));
            problems.push(problem.help("write `5s` or less"));
        }
        if let Some(resource) = &self.resource {
            check_url(section, "/resource", resource, problems);
        }
        for (index, scope) in self.scopes.iter().enumerate() {
            let is_token = !scope.is_empty() && scope.bytes().all(|b| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e));
            if !is_token {
                let problem = section.problem(&format!("/scopes/{index}"), format!("`{scope}` is no scope"));
                problems.push(problem.help("a scope has no space, quote or backslash, as in `read:customers`"));
            }
        }
        if let Some(keys) = &self.keys {
            keys.check(section, "/keys", problems);
        }
        for (index, issuer) in self.issuers.iter().enumerate() {
            let place = format!("/issuers/{index}");
            issuer.check(section, &place, self.resource.as_deref(), egress, problems);
            if self.issuers[..index].iter().any(|other| other.issuer == issuer.issuer) {
                problems.push(section.problem(&format!("{place}/issuer"), format!("`{}` stands here twice", issuer.issuer)));
            }
        }
        for (index, certificate) in self.certificates.iter().enumerate() {
            certificate.check(section, &format!("/certificates/{index}"), problems);
        }
    }
}

/// The URL at `pointer`, if it is one that tokens and keys may depend on: encrypted, unless it is on this machine.
pub(crate) fn check_url(section: &Section, pointer: &str, text: &str, problems: &mut Problems) -> Option<Target> {
    let target = match Target::parse(text) {
        Ok(target) => target,
        Err(error) => {
            problems.push(section.problem(pointer, error.to_string()).help("write an absolute URL such as `https://id.example.com`"));
            return None;
        }
    };
    if text.contains('#') {
        problems.push(section.problem(pointer, "the URL has a fragment, which is never sent"));
    }
    if !target.is_encrypted() && !target.is_loopback() {
        let problem = section.problem(pointer, "the URL is not https, so that anyone on the way could answer");
        problems.push(problem.help("write `https://…`; plain http is for this machine only"));
    }
    Some(target)
}
