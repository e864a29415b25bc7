//! What an operator may write about an identity provider.

use std::time::Duration;

use callgate_config::{Mapping, Problems, Secret, Section, Span};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::check_url;

/// Clocks that are further apart than this are broken.
const MOST_LEEWAY: Duration = Duration::from_secs(300);
/// A secret shorter than the hash it keys can be guessed.
const SHORTEST_SECRET: usize = 32;

/// An identity provider whose tokens are taken.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The issuer, letter for letter as its tokens say it in `iss`.
    pub issuer: String,
    /// What tokens may be meant for (`aud`), letter for letter; one of these must be named. Default is `auth.resource`.
    #[serde(default)]
    pub audiences: Vec<String>,
    /// How tokens may be signed; default `[RS256, ES256]`. What a token says about itself does not count.
    #[serde(default = "algorithms")]
    pub algorithms: Vec<Algorithm>,
    /// Where the issuer publishes its keys; default is what its discovery document (`/.well-known/openid-configuration`) says.
    pub jwks: Option<String>,
    /// The shared secret of an issuer that signs with `HS256`, `HS384` or `HS512`; at least 32 bytes. Such an issuer publishes no
    /// keys, and whoever knows the secret can be anyone: prefer another algorithm.
    pub secret: Option<Secret>,
    /// How far the clocks of the issuer and this machine may be apart; default `30s`, at most `5m`.
    #[serde(default = "leeway")]
    pub leeway: Span,
    /// How long fetched keys are used before they are fetched again, in the background; default `5m`.
    #[serde(default = "refresh")]
    pub refresh: Span,
    /// The least time between two fetches, however many tokens name keys that are not known; default `30s`.
    #[serde(default = "cooldown")]
    pub cooldown: Span,
    /// How long keys are used while they cannot be fetched again; default `1h`.
    #[serde(default = "keep")]
    pub keep: Span,
    /// Which claims say who the caller is.
    #[serde(default)]
    pub claims: Claims,
    /// The tenant of all callers of this issuer, where no claim says it; default is the issuer itself. Callers of one tenant with
    /// equal ids are one caller: give two issuers the same tenant only if they mean the same people.
    pub tenant: Option<String>,
    /// Claims that a token must have, and the values of which it must have one: `{ tenant_id: [acme, globex] }`.
    #[serde(default)]
    pub required: Mapping<Vec<String>>,
}

/// Which claims say who the caller is: the name of a claim, or a JSON pointer such as `/realm_access/roles`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Claims {
    /// The caller's id; default `sub`.
    pub caller: String,
    /// The caller's tenant. If it is named here, a token without it is refused.
    pub tenant: Option<String>,
    /// The caller's roles, a list of texts; default `roles`. Without it the caller has none.
    pub roles: String,
    /// The caller's scopes, a list of texts or one text with spaces; default `scope`. Without it the caller has none.
    pub scopes: String,
}

impl Default for Claims {
    fn default() -> Self {
        Self { caller: "sub".into(), tenant: None, roles: "roles".into(), scopes: "scope".into() }
    }
}

fn algorithms() -> Vec<Algorithm> {
    vec![Algorithm::RS256, Algorithm::ES256]
}

fn leeway() -> Span {
    Span::seconds(30)
}

fn refresh() -> Span {
    Span::seconds(300)
}

fn cooldown() -> Span {
    Span::seconds(30)
}

fn keep() -> Span {
    Span::seconds(3600)
}

/// How a token may be signed.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
pub enum Algorithm {
    /// RSA, PKCS #1 v1.5, SHA-256.
    RS256,
    /// RSA, PKCS #1 v1.5, SHA-384.
    RS384,
    /// RSA, PKCS #1 v1.5, SHA-512.
    RS512,
    /// RSA, PSS, SHA-256.
    PS256,
    /// RSA, PSS, SHA-384.
    PS384,
    /// RSA, PSS, SHA-512.
    PS512,
    /// Curve P-256, SHA-256.
    ES256,
    /// Curve P-384, SHA-384.
    ES384,
    /// Curve Ed25519.
    EdDSA,
    /// A shared secret, SHA-256.
    HS256,
    /// A shared secret, SHA-384.
    HS384,
    /// A shared secret, SHA-512.
    HS512,
}

impl Algorithm {
    /// As a token's header writes it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::RS256 => "RS256",
            Self::RS384 => "RS384",
            Self::RS512 => "RS512",
            Self::PS256 => "PS256",
            Self::PS384 => "PS384",
            Self::PS512 => "PS512",
            Self::ES256 => "ES256",
            Self::ES384 => "ES384",
            Self::EdDSA => "EdDSA",
            Self::HS256 => "HS256",
            Self::HS384 => "HS384",
            Self::HS512 => "HS512",
        }
    }

    /// Whether both sides share one secret.
    pub(crate) fn is_shared(self) -> bool {
        matches!(self, Self::HS256 | Self::HS384 | Self::HS512)
    }
}

impl From<Algorithm> for jsonwebtoken::Algorithm {
    fn from(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::RS256 => Self::RS256,
            Algorithm::RS384 => Self::RS384,
            Algorithm::RS512 => Self::RS512,
            Algorithm::PS256 => Self::PS256,
            Algorithm::PS384 => Self::PS384,
            Algorithm::PS512 => Self::PS512,
            Algorithm::ES256 => Self::ES256,
            Algorithm::ES384 => Self::ES384,
            Algorithm::EdDSA => Self::EdDSA,
            Algorithm::HS256 => Self::HS256,
            Algorithm::HS384 => Self::HS384,
            Algorithm::HS512 => Self::HS512,
        }
    }
}

impl Config {
    pub(crate) fn check(
        &self,
        section: &Section,
        place: &str,
        resource: Option<&str>,
        egress: &callgate_egress::Config,
        problems: &mut Problems,
    ) {
        let at = |key: &str| format!("{place}/{key}");
        let issuer = check_url(section, &at("issuer"), &self.issuer, problems);
        let jwks = self.jwks.as_deref().map(|jwks| (at("jwks"), check_url(section, &at("jwks"), jwks, problems)));
        let asked = jwks.unwrap_or_else(|| (at("issuer"), issuer));
        if let (pointer, Some(target)) = asked
            && self.secret.is_none()
            && let Err(error) = egress.admits(&target)
        {
            let help = format!("write `egress: {{ allow: [\"{}\"] }}` if it is meant to be asked for keys", target.host());
            problems.push(section.problem(&pointer, error.to_string()).help(help));
        }
        if self.audiences.is_empty() && resource.is_none() {
            let problem = section.problem(&at("issuer"), "nothing says what its tokens must be meant for, so that any would do");
            problems.push(problem.help("write `auth.resource`, the URI of this gate, or `audiences` here"));
        }
        if self.audiences.iter().any(String::is_empty) {
            problems.push(section.problem(&at("audiences"), "an audience is empty"));
        }
        self.check_algorithms(section, place, problems);
        if self.leeway.get() > MOST_LEEWAY {
            let problem = section.problem(&at("leeway"), format!("{} is more than clocks that work are apart", self.leeway));
            problems.push(problem.help("write `5m` or less"));
        }
        for (key, span) in [("refresh", self.refresh), ("cooldown", self.cooldown), ("keep", self.keep)] {
            if span.get().is_zero() {
                problems.push(section.problem(&at(key), "must be longer than nothing"));
            }
        }
        for (claim, _) in self.required.iter().filter(|(_, values)| values.is_empty()) {
            let problem = section.problem(&format!("{}/{claim}", at("required")), "lists no value, so that no token would do");
            problems.push(problem.help("list the values of which a token must have one"));
        }
    }

    fn check_algorithms(&self, section: &Section, place: &str, problems: &mut Problems) {
        let at = |key: &str| format!("{place}/{key}");
        let shared = self.algorithms.iter().filter(|algorithm| algorithm.is_shared()).count();
        let problem = match (&self.secret, shared) {
            _ if self.algorithms.is_empty() => section
                .problem(&at("algorithms"), "is empty, so that no token would do")
                .help("list how tokens are signed, such as `[RS256]`"),
            (None, 1..) => section
                .problem(&at("algorithms"), "an algorithm with a shared secret, and no `secret`")
                .help("add `secret: { file: … }`, or list only algorithms with published keys, such as `RS256`"),
            (Some(_), _) if shared < self.algorithms.len() => section
                .problem(&at("algorithms"), "an issuer with a `secret` signs with it, and with nothing else")
                .help("list only `HS256`, `HS384` or `HS512`, or leave `secret` out"),
            (Some(secret), _) if secret.expose().len() < SHORTEST_SECRET => {
                section.problem(&at("secret"), "is shorter than 32 bytes, and can be guessed").help("`openssl rand -base64 48` makes one")
            }
            (Some(_), _) if self.jwks.is_some() => {
                section.problem(&at("jwks"), "an issuer with a `secret` publishes no keys").help("leave `jwks` out")
            }
            _ => return,
        };
        problems.push(problem);
    }
}
