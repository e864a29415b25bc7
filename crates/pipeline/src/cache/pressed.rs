//! A reply as it lies in the storage that replicas share: encrypted, and good under its own key only.
//!
//! Whoever can write to that storage can take replies away, and nothing else: a value that was changed, made up, or moved from another
//! key does not open, and one that is put back later has its age inside.

use std::time::Duration;

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey},
    hmac,
};
use callgate_model::{Body, Content, Json, ToolReply};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::key::Key;

const NONCE: usize = 12;

/// Presses and opens.
pub(super) struct Press(RandomizedNonceKey);

/// What is pressed.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Pressed {
    /// When it was fetched, in milliseconds since 1970.
    at: i64,
    /// What stood under its marks when its loading began.
    pub(super) tokens: Vec<u64>,
    texts: Vec<String>,
    structured: Option<String>,
    meta: Option<String>,
}

impl Press {
    /// With a key made of the operator's secret, so that replicas agree.
    pub(super) fn new(secret: &str) -> Self {
        let derive = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let key = hmac::sign(&derive, b"callgate cache 1 key");
        Self(RandomizedNonceKey::new(&AES_256_GCM, key.as_ref()).expect("HMAC-SHA256 gives the 32 bytes that AES-256 takes"))
    }

    /// Encrypts, for `key` alone.
    pub(super) fn close(&self, key: &Key, pressed: &Pressed) -> Option<Vec<u8>> {
        let mut text = serde_json::to_vec(pressed).ok()?;
        let nonce = self.0.seal_in_place_append_tag(about(key), &mut text).ok()?;
        let mut closed = nonce.as_ref().to_vec();
        closed.append(&mut text);
        Some(closed)
    }

    /// Decrypts what was encrypted for `key`, and nothing else.
    pub(super) fn open(&self, key: &Key, closed: &[u8]) -> Option<Pressed> {
        let (nonce, text) = closed.split_first_chunk::<NONCE>()?;
        let mut text = text.to_vec();
        let open = self.0.open_in_place(Nonce::assume_unique_for_key(*nonce), about(key), &mut text).ok()?;
        serde_json::from_slice(open).ok()
    }
}

fn about(key: &Key) -> Aad<[u8; 32]> {
    Aad::from(key.0)
}

impl std::fmt::Debug for Press {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Press")
    }
}

impl Pressed {
    /// A reply of this moment. Only texts and data are shared; a reply with pictures, sounds or links is kept in memory alone.
    pub(super) fn of(reply: &ToolReply, tokens: Vec<u64>, at: Timestamp) -> Option<Self> {
        let text = |content: &Content| match content {
            Content { body: Body::Text(text), annotations: None, meta: None } => Some(text.clone()),
            _ => None,
        };
        let texts = reply.content.iter().map(text).collect::<Option<_>>()?;
        let json = |json: &Option<Json>| json.as_ref().map(|json| json.as_str().to_owned());
        Some(Self { at: at.as_millisecond(), tokens, texts, structured: json(&reply.structured), meta: json(&reply.meta) })
    }

    /// How old it is. What was made in the future, by another replica's clock, is new.
    pub(super) fn age(&self, now: Timestamp) -> Duration {
        Duration::from_millis(u64::try_from(now.as_millisecond().saturating_sub(self.at)).unwrap_or_default())
    }

    /// The reply, to the byte.
    pub(super) fn reply(self) -> ToolReply {
        ToolReply {
            content: self.texts.into_iter().map(Content::text).collect(),
            structured: self.structured.map(Json::written),
            meta: self.meta.map(Json::written),
            is_error: false,
            partial: false,
        }
    }
}
