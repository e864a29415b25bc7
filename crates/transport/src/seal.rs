//! Sealing what a client keeps for us: nobody but the gate can read it, change it, or use it for something else.
//!
//! A sealed text is base64url of: one byte that names the key, the nonce, the ciphertext with its tag (AES-256-GCM). What it is
//! *about* (caller, method, arguments) is not inside; it is authenticated with it and must be the same when it is opened.

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey},
    hmac, rand,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use callgate_config::Secret;

/// The keys: the first one seals, all of them open.
pub(crate) struct Seal {
    keys: Vec<Key>,
}

struct Key {
    id: u8,
    cipher: RandomizedNonceKey,
}

impl Seal {
    /// Keys made from `secrets`, or one made up for this run if there are none.
    pub(crate) fn new(secrets: &[Secret]) -> Self {
        if secrets.is_empty() {
            let mut secret = [0; 32];
            rand::fill(&mut secret).expect("the system's random numbers do not run out");
            return Self { keys: vec![Key::of(&secret)] };
        }
        Self { keys: secrets.iter().map(|secret| Key::of(secret.expose().as_bytes())).collect() }
    }

    /// Seals `text`, to be opened only about the same thing.
    pub(crate) fn close(&self, about: &[u8], mut text: Vec<u8>) -> String {
        let key = &self.keys[0];
        let nonce =
            key.cipher.seal_in_place_append_tag(key.bound_to(about), &mut text).expect("a state is far shorter than the cipher's limit");
        let mut sealed = Vec::with_capacity(1 + NONCE_LEN + text.len());
        sealed.push(key.id);
        sealed.extend_from_slice(nonce.as_ref());
        sealed.extend_from_slice(&text);
        URL_SAFE_NO_PAD.encode(sealed)
    }

    /// Opens what was sealed about the same thing; `None` for anything else.
    pub(crate) fn open(&self, about: &[u8], sealed: &str) -> Option<Vec<u8>> {
        let sealed = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let (id, rest) = sealed.split_first()?;
        let (nonce, text) = rest.split_first_chunk::<NONCE_LEN>()?;
        self.keys.iter().filter(|key| key.id == *id).find_map(|key| {
            let mut text = text.to_vec();
            let length = key.cipher.open_in_place(Nonce::from(nonce), key.bound_to(about), &mut text).ok()?.len();
            text.truncate(length);
            Some(text)
        })
    }
}

impl Key {
    fn of(secret: &[u8]) -> Self {
        let derive = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let cipher = RandomizedNonceKey::new(&AES_256_GCM, hmac::sign(&derive, b"callgate seal 1 key").as_ref());
        Self {
            id: hmac::sign(&derive, b"callgate seal 1 name").as_ref()[0],
            cipher: cipher.expect("HMAC-SHA256 gives exactly the 32 bytes of an AES-256 key"),
        }
    }

    fn bound_to(&self, about: &[u8]) -> Aad<Vec<u8>> {
        let mut bound = Vec::with_capacity(1 + about.len());
        bound.push(self.id);
        bound.extend_from_slice(about);
        Aad::from(bound)
    }
}

/// An unguessable name of visible ASCII, such as a session id.
pub(crate) fn unguessable() -> String {
    let mut bytes = [0; 24];
    rand::fill(&mut bytes).expect("the system's random numbers do not run out");
    URL_SAFE_NO_PAD.encode(bytes)
}
