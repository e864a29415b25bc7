//! Taking a token apart. Nothing here is believed yet.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use callgate_model::Members;
use serde::{
    Deserialize, Deserializer,
    de::{Error as _, IgnoredAny, MapAccess, Visitor},
};

use crate::refusal::Refusal;

/// The longest header, and the longest name of a key: both are a handful of words.
const LONGEST_HEADER: usize = 4096;
const LONGEST_KEY: usize = 256;
/// What a token that speaks about access may call itself. Others are meant for something else, however well they are signed.
const TYPES: [&str; 3] = ["jwt", "at+jwt", "application/at+jwt"];

/// A token in its parts.
#[derive(Debug)]
pub(super) struct Token<'t> {
    pub(super) header: Header,
    pub(super) claims: Members,
    /// What is signed.
    pub(super) message: &'t [u8],
    /// In its encoded form.
    pub(super) signature: &'t str,
}

/// What is read of a header. Where keys can be found (`jku`, `x5u`, `jwk`, `x5c`) is not: that is not for the token to say.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) algorithm: String,
    pub(super) key: Option<String>,
}

#[derive(Deserialize)]
struct RawHeader {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    /// Present at all, even as `null`: the token demands something that we do not do.
    #[serde(default, deserialize_with = "present")]
    crit: bool,
    #[serde(default, deserialize_with = "present")]
    b64: bool,
    #[serde(default, deserialize_with = "present")]
    zip: bool,
}

fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(deserializer).map(|_| true)
}

impl<'t> Token<'t> {
    pub(super) fn parse(token: &'t [u8]) -> Result<Self, Refusal> {
        let shape = || Refusal::lasting("the token is no JWT");
        let text = std::str::from_utf8(token).map_err(|_| shape())?;
        let (message, signature) = text.rsplit_once('.').ok_or_else(shape)?;
        let (header, claims) = message.split_once('.').ok_or_else(shape)?;
        if claims.contains('.') || signature.is_empty() || header.len() > LONGEST_HEADER {
            return Err(shape());
        }
        let header = decode::<RawHeader>(header).ok_or_else(shape)?;
        let Claims(claims) = decode(claims).ok_or_else(shape)?;
        Ok(Self { header: header.check()?, claims, message: message.as_bytes(), signature })
    }
}

impl RawHeader {
    fn check(self) -> Result<Header, Refusal> {
        let Self { alg, kid, typ, crit, b64, zip } = self;
        if crit || b64 || zip {
            return Err(Refusal::lasting("the token's header demands an extension"));
        }
        if typ.is_some_and(|typ| !TYPES.contains(&typ.to_ascii_lowercase().as_str())) {
            return Err(Refusal::lasting("the token is not one for access"));
        }
        if kid.as_ref().is_some_and(|kid| kid.len() > LONGEST_KEY) {
            return Err(Refusal::lasting("the name of the token's key is too long"));
        }
        Ok(Header { algorithm: alg, key: kid })
    }
}

fn decode<T: for<'de> Deserialize<'de>>(part: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

/// Claims, each once: what stands there twice could be read in two ways.
struct Claims(Members);

impl<'de> Deserialize<'de> for Claims {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Each)
    }
}

struct Each;

impl<'de> Visitor<'de> for Each {
    type Value = Claims;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("claims")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Claims, A::Error> {
        let mut claims = Members::new();
        while let Some((name, value)) = map.next_entry::<String, serde_json::Value>()? {
            if claims.insert(name, value).is_some() {
                return Err(A::Error::custom("a claim stands there twice"));
            }
        }
        Ok(Claims(claims))
    }
}
