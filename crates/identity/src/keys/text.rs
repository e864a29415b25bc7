//! How an API key is written: `cg_<id>_<secret><seal>`.
//!
//! The id is public, and by it the key is found. The secret is 32 random bytes. The seal is a short keyed hash of what stands before
//! it: a key that nobody gave out is known as such without asking the store, so that guessing costs the gate next to nothing.

use aws_lc_rs::{constant_time::verify_slices_are_equal, rand};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::Pepper;

/// Letters and digits that are not taken for each other; 32 of them, so that a byte chooses one without bias.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
const ID: usize = 12;
const SECRET: usize = 32;
const SEAL: usize = 6;
/// The length of the secret and the seal in base64.
const REST: usize = (SECRET * 4).div_ceil(3) + SEAL * 4 / 3;

/// A new key, and its id.
pub(super) fn make(prefix: &str, pepper: &Pepper) -> (String, String) {
    let (mut id, mut secret) = ([0; ID], [0; SECRET]);
    rand::fill(&mut id).and_then(|()| rand::fill(&mut secret)).expect("the system's random numbers do not run out");
    let id: String = id.iter().map(|byte| char::from(ALPHABET[usize::from(byte & 31)])).collect();
    let open = format!("{prefix}_{id}_{}", URL_SAFE_NO_PAD.encode(secret));
    let seal = pepper.seal(&open);
    (format!("{open}{}", URL_SAFE_NO_PAD.encode(&seal[..SEAL])), id)
}

/// The id in a key, if the key was given out under this pepper.
pub(super) fn id<'k>(key: &'k str, prefix: &str, pepper: &Pepper) -> Option<&'k str> {
    let (id, rest) = key.strip_prefix(prefix)?.strip_prefix('_')?.split_at_checked(ID)?;
    let has_shape = rest.strip_prefix('_').is_some_and(|rest| rest.len() == REST && rest.is_ascii());
    if !has_shape || !id.bytes().all(|byte| ALPHABET.contains(&byte)) {
        return None;
    }
    let (open, seal) = key.split_at_checked(key.len() - SEAL * 4 / 3)?;
    let seal = URL_SAFE_NO_PAD.decode(seal).ok()?;
    verify_slices_are_equal(&pepper.seal(open)[..SEAL], &seal).ok().map(|()| id)
}
