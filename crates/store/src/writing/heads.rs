//! Signed heads: a file that says, signed, how far each chain had come at some time.
//!
//! A chain alone shows that nothing in its middle was changed. Whoever can write the store could still cut records off its end, put
//! yesterday's file back, or write all of it anew; the heads, kept elsewhere, show that too. Each line is one JSON object; what is
//! signed are the texts `callgate head 1`, chain, seq, hash and at, with one space between them.

use std::{
    fmt, fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use aws_lc_rs::{
    hmac,
    signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use callgate_config::{Secret, Span};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Error, Hash, Head};

/// Where it is written, signed, how far the audit log has come. With it, `callgate audit verify` finds a log that was cut off, rolled
/// back or written anew. Keep the file where whoever can write the store cannot: another disk, or shipped away as it grows.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct Heads {
    /// The file to which heads are appended; without it there are none. Gates that share a store have a file each.
    pub file: Option<PathBuf>,
    /// How often a head is written; default `1m`. One is also written when the gate ends, and none while nothing happens.
    pub every: Span,
    /// The private key that signs with Ed25519, in PEM as `openssl genpkey -algorithm ed25519` writes it.
    pub key: Option<Secret>,
    /// A secret that signs with HMAC-SHA-256 instead, where one key for signing and checking is enough. At least 32 bytes.
    pub secret: Option<Secret>,
    /// What signed before: keys in PEM or secrets, with which old heads are still checked. To replace a key, move it here.
    pub before: Vec<Secret>,
}

impl Default for Heads {
    fn default() -> Self {
        Self { file: None, every: Span::seconds(60), key: None, secret: None, before: Vec::new() }
    }
}

/// A secret shorter than this is guessed.
const SHORTEST: usize = 32;

impl Heads {
    /// What is wrong with these settings: the key of the section, and the mistake.
    pub fn check(&self) -> Result<(), (&'static str, String)> {
        match (&self.file, &self.key, &self.secret) {
            (_, Some(_), Some(_)) => Err(("secret", "there is a `key` already; heads are signed with one of them".into())),
            (None, Some(_), _) => Err(("key", "there is no `file` to sign heads in".into())),
            (None, _, Some(_)) => Err(("secret", "there is no `file` to sign heads in".into())),
            (Some(_), None, None) => Err(("file", "heads need a `key` or a `secret` to be signed with".into())),
            (None, None, None) if !self.before.is_empty() => {
                Err(("before", "there is no `file` with heads that were signed before".into()))
            }
            (None, None, None) => Ok(()),
            (Some(_), ..) if self.every.get().is_zero() => Err(("every", "must be longer than nothing".into())),
            (Some(_), key, _) => {
                let place = if key.is_some() { "key" } else { "secret" };
                self.own().map_err(|why| (place, why))?;
                self.earlier().map(drop).map_err(|why| ("before", why))
            }
        }
    }

    /// What signs and checks.
    pub fn keys(&self) -> Result<Keys, String> {
        Ok(Keys { own: self.own()?, earlier: self.earlier()? })
    }

    fn own(&self) -> Result<Key, String> {
        match &self.key {
            Some(pem) => Key::pair(pem.expose()),
            None => Key::shared(self.secret.as_ref().map(|secret| secret.expose().as_str()).unwrap_or_default()),
        }
    }

    fn earlier(&self) -> Result<Vec<Key>, String> {
        let key = |text: &str| if text.contains("-----BEGIN") { Key::pair(text) } else { Key::shared(text) };
        self.before.iter().map(|secret| key(secret.expose())).collect()
    }

    pub(super) fn journal(&self) -> io::Result<Option<Journal>> {
        let Some(path) = self.file.clone() else { return Ok(None) };
        let keys = self.keys().map_err(io::Error::other)?;
        let journal = Journal { path, keys, last: None };
        journal.open()?;
        Ok(Some(journal))
    }
}

/// What signs heads and checks them.
pub struct Keys {
    own: Key,
    earlier: Vec<Key>,
}

/// One of them.
enum Key {
    /// A key pair.
    Ed25519(Ed25519KeyPair),
    /// A shared secret.
    Hmac(Box<hmac::Key>),
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys(…)")
    }
}

impl Keys {
    fn sign(&self, text: &str) -> String {
        self.own.sign(text)
    }

    fn holds(&self, text: &str, signature: &str) -> bool {
        std::iter::once(&self.own).chain(&self.earlier).any(|key| key.holds(text, signature))
    }
}

impl Key {
    fn pair(pem: &str) -> Result<Self, String> {
        let base64: String = pem.lines().filter(|line| !line.starts_with("-----")).map(str::trim).collect();
        let pair = STANDARD.decode(base64).ok().and_then(|der| Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der).ok());
        pair.map(Self::Ed25519).ok_or_else(|| "is no Ed25519 key in PEM; `openssl genpkey -algorithm ed25519` makes one".into())
    }

    fn shared(secret: &str) -> Result<Self, String> {
        if secret.len() < SHORTEST {
            return Err(format!("has fewer than {SHORTEST} bytes"));
        }
        Ok(Self::Hmac(Box::new(hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()))))
    }

    fn sign(&self, text: &str) -> String {
        match self {
            Self::Ed25519(pair) => STANDARD.encode(pair.sign(text.as_bytes())),
            Self::Hmac(key) => STANDARD.encode(hmac::sign(key, text.as_bytes())),
        }
    }

    fn holds(&self, text: &str, signature: &str) -> bool {
        let Ok(signature) = STANDARD.decode(signature) else { return false };
        match self {
            Self::Ed25519(pair) => UnparsedPublicKey::new(&ED25519, pair.public_key().as_ref()).verify(text.as_bytes(), &signature).is_ok(),
            Self::Hmac(key) => hmac::verify(key, text.as_bytes(), &signature).is_ok(),
        }
    }
}

/// One line of the file.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Line {
    chain: u32,
    seq: u64,
    hash: String,
    at: i64,
    signature: String,
}

fn text(head: &Head, at: i64) -> String {
    format!("callgate head 1 {} {} {} {at}", head.chain, head.seq, head.hash)
}

/// The file of heads as it grows.
#[derive(Debug)]
pub(super) struct Journal {
    path: PathBuf,
    keys: Keys,
    last: Option<Head>,
}

impl Journal {
    fn open(&self) -> io::Result<fs::File> {
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut options = fs::OpenOptions::new();
        options.append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(&self.path)
    }

    /// Writes `head` down, unless it stands there already.
    pub(super) fn append(&mut self, head: Head, at: Timestamp) -> io::Result<()> {
        if head.seq == 0 || self.last == Some(head) {
            return Ok(());
        }
        let at = at.as_microsecond();
        let signature = self.keys.sign(&text(&head, at));
        let line = Line { chain: head.chain, seq: head.seq, hash: head.hash.to_string(), at, signature };
        let mut file = self.open()?;
        file.write_all((serde_json::to_string(&line)? + "\n").as_bytes())?;
        file.sync_data()?;
        self.last = Some(head);
        Ok(())
    }
}

/// The heads in a file, each with a signature that holds. A last line that was not finished is passed over.
pub fn read(path: &Path, keys: &Keys) -> Result<Vec<Head>, Error> {
    let text_of = fs::read_to_string(path).map_err(|cause| Error::Heads { path: path.into(), why: cause.to_string() })?;
    let whole = text_of.rfind('\n').map_or("", |end| &text_of[..end]);
    let lines = whole.lines().enumerate();
    lines
        .map(|(index, line)| {
            checked(line, keys)
                .ok_or_else(|| Error::Heads { path: path.into(), why: format!("line {} is not signed with this key", index + 1) })
        })
        .collect()
}

fn checked(line: &str, keys: &Keys) -> Option<Head> {
    let Line { chain, seq, hash, at, signature } = serde_json::from_str(line).ok()?;
    let head = Head { chain, seq, hash: Hash::from_hex(&hash)? };
    keys.holds(&text(&head, at), &signature).then_some(head)
}
