//! What an operator may write under `shared`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use callgate_config::{Problems, Secret, Section, Size, Span};
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Error, redis};

/// What the replicas of a gate share: quotas, kept replies, notices of changes.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where it is kept. `memory` (default) is for one gate alone. Replicas need a Redis or Valkey server, version 6 or later:
    /// `redis://user:password@host:6379/0`, or `rediss://…` with TLS. While it is away the gate goes on by itself: each replica
    /// has its part of every quota, and keeps replies for itself.
    pub url: Secret,
    /// A file with certificates (PEM), relative to the configuration's folder: that of a `rediss://` server is checked against them, and not against
    /// those that the machine trusts.
    pub ca: Option<PathBuf>,
    /// What all keys and channels on the server begin with; default `callgate`. Gates that have it in common share everything, so
    /// that different gates on one server need different ones.
    #[schemars(length(min = 1, max = 64))]
    pub prefix: String,
    /// How long one operation on the server may take before the call goes on without it; default `20ms`.
    pub timeout: Span,
    /// How many replicas there are; default 1. While the server is away, each has this part of every quota.
    #[schemars(range(min = 1))]
    pub replicas: u32,
    /// How many counters are kept in memory, one for each caller, tenant or tool that a quota counts; default 100000. The one that
    /// has been unused for longest is forgotten first.
    #[schemars(range(min = 1))]
    pub counters: u64,
    /// Only for `memory`: how much room values may take, all together; default `64MiB`.
    pub room: Size,
    /// How long one value may be; default `1MiB`. Longer ones are not kept.
    pub value: Size,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            url: Secret::new(MEMORY.to_owned()),
            ca: None,
            prefix: "callgate".to_owned(),
            timeout: Span::millis(20),
            replicas: 1,
            counters: 100_000,
            room: Size::mib(64),
            value: Size::mib(1),
        }
    }
}

const MEMORY: &str = "memory";

impl Config {
    /// What no schema can say. `section` is where it stands. The URL may hold a password, so nothing here repeats it.
    pub fn check(&self, section: &Section, problems: &mut Problems) {
        section.at_least(&[("/timeout", self.timeout, Span::millis(1))], problems);
        if let Err(error @ (Error::Plain | Error::Authority { .. })) = self.client(section.folder()) {
            problems.push(section.problem("/ca", error.to_string()));
        } else if self.client(section.folder()).is_err() {
            let problem = section.problem("/url", "this is no address of a Redis server");
            problems.push(problem.help("write `memory`, `redis://host:6379/0`, or `rediss://user:password@host:6379/0` for TLS"));
        }
    }

    /// Nothing is shared: the gate keeps it in its own memory.
    #[must_use]
    pub fn is_alone(&self) -> bool {
        self.url.expose() == MEMORY
    }

    /// The client for the server, if there is to be one.
    pub(super) fn client(&self, folder: &Path) -> Result<Option<::redis::Client>, Error> {
        if self.is_alone() {
            return if self.ca.is_some() { Err(Error::Plain) } else { Ok(None) };
        }
        let url = self.url.expose();
        let client = match &self.ca {
            None if url.starts_with("redis://") || url.starts_with("rediss://") => redis::client(url).ok(),
            Some(path) if url.starts_with("rediss://") => redis::client_trusting(url, authority(&folder.join(path))?).ok(),
            Some(_) if url.starts_with("redis://") => return Err(Error::Plain),
            _ => None,
        };
        client.map(Some).ok_or(Error::Url)
    }
}

/// The certificates in a file, at least one.
fn authority(path: &Path) -> Result<Vec<u8>, Error> {
    let unreadable = |why: String| Error::Authority { path: path.into(), why };
    let bytes = fs::read(path).map_err(|cause| unreadable(cause.to_string()))?;
    let certificates =
        CertificateDer::pem_slice_iter(&bytes).collect::<Result<Vec<_>, _>>().map_err(|cause| unreadable(cause.to_string()))?;
    if certificates.is_empty() { Err(unreadable("there is none".into())) } else { Ok(bytes) }
}
