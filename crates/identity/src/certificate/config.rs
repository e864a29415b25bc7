//! What an operator may write about client certificates.

use callgate_config::{Problems, Section};
use schemars::JsonSchema;
use serde::Deserialize;

use super::leaf::Leaf;

/// Which certificates, and which caller they stand for. Everything that is named must be in the certificate, letter for letter.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// A URI among its alternative names, such as `spiffe://example.com/agent`.
    pub uri: Option<String>,
    /// A DNS name among its alternative names, such as `agent.example.com`. Wildcards are not expanded.
    pub dns: Option<String>,
    /// An e-mail address among its alternative names.
    pub email: Option<String>,
    /// Its whole subject (RFC 4514), such as `CN=agent,O=Example`.
    pub subject: Option<String>,
    /// The SHA-256 of the certificate, as 64 hexadecimal digits.
    pub fingerprint: Option<String>,
    /// The caller's id; default is the name that fits, the first of those above.
    pub caller: Option<String>,
    /// The caller's tenant; default `default`.
    #[serde(default = "tenant")]
    pub tenant: String,
    /// What the caller is.
    pub roles: Vec<String>,
    /// What the caller is granted.
    pub scopes: Vec<String>,
}

fn tenant() -> String {
    "default".to_owned()
}

impl Config {
    pub(crate) fn check(&self, section: &Section, place: &str, problems: &mut Problems) {
        let named = [&self.uri, &self.dns, &self.email, &self.subject, &self.fingerprint];
        if named.iter().all(|name| name.is_none()) {
            let problem = section.problem(place, "names no certificate, and would fit every one");
            problems.push(problem.help("name one by `uri`, `dns`, `email`, `subject` or `fingerprint`"));
        }
        for (key, value) in [("uri", &self.uri), ("dns", &self.dns), ("email", &self.email), ("subject", &self.subject)] {
            if value.as_deref().is_some_and(|value| value.is_empty() || value.contains('*')) {
                let problem = section.problem(&format!("{place}/{key}"), "must be one whole name; nothing is expanded");
                problems.push(problem.help("write the name as it stands in the certificate"));
            }
        }
        if self.fingerprint.as_deref().is_some_and(|print| print.len() != 64 || !print.bytes().all(|b| b.is_ascii_hexdigit())) {
            let problem = section.problem(&format!("{place}/fingerprint"), "is no SHA-256 in 64 hexadecimal digits");
            problems.push(problem.help("`openssl x509 -in client.pem -outform der | sha256sum` prints it"));
        }
    }

    /// The first name that fits, if all that are named do.
    pub(super) fn fits<'a>(&'a self, leaf: &Leaf) -> Option<&'a str> {
        let has = |names: &[String], wanted: &str| names.iter().any(|name| name == wanted);
        let asked = [
            self.uri.as_deref().map(|wanted| (wanted, has(&leaf.uris, wanted))),
            self.dns.as_deref().map(|wanted| (wanted, leaf.names.iter().any(|name| name.eq_ignore_ascii_case(wanted)))),
            self.email.as_deref().map(|wanted| (wanted, has(&leaf.emails, wanted))),
            self.subject.as_deref().map(|wanted| (wanted, leaf.subject == wanted)),
            self.fingerprint.as_deref().map(|wanted| (wanted, leaf.fingerprint.eq_ignore_ascii_case(wanted))),
        ];
        let mut named = asked.into_iter().flatten().peekable();
        let (first, _) = *named.peek()?;
        named.all(|(_, holds)| holds).then_some(first)
    }
}
