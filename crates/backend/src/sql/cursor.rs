//! The `after` cursor: where a list goes on. It is sealed, so that it is good for the same caller, tool and arguments only.
//!
//! A cursor is no secret, it is a number with a signature: what matters is that nobody can make one up or carry it elsewhere.

use aws_lc_rs::hmac;
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use callgate_model::{Call, Fault};
use serde_json::Value;

/// The name of the argument.
pub(super) const AFTER: &str = "after";

const NUMBER: usize = size_of::<u64>();
const SEAL: usize = 16;

/// Seals and opens cursors.
pub(super) struct Seal(hmac::Key);

impl Seal {
    /// Seals with `key`.
    pub(super) fn new(key: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// The cursor behind `offset` rows of what this call asks for.
    pub(super) fn close(&self, call: &Call, offset: u64) -> String {
        let number = offset.to_be_bytes();
        let tag = self.tag(call, number);
        let mut sealed = [0_u8; NUMBER + SEAL];
        sealed[..NUMBER].copy_from_slice(&number);
        sealed[NUMBER..].copy_from_slice(&tag.as_ref()[..SEAL]);
        BASE64_URL_SAFE_NO_PAD.encode(sealed)
    }

    /// How many rows to skip. A cursor that was not made for exactly this call is refused.
    pub(super) fn open(&self, call: &Call) -> Result<u64, Fault> {
        let Some(cursor) = call.arguments.get(AFTER).filter(|cursor| !cursor.is_null()) else { return Ok(0) };
        let refusal = || {
            Fault::arguments(
                "`after` is not a cursor for this list: pass the `after` of the reply before, unchanged, with the same arguments",
            )
        };
        let sealed = cursor.as_str().and_then(|cursor| BASE64_URL_SAFE_NO_PAD.decode(cursor).ok()).ok_or_else(refusal)?;
        let (number, tag) = sealed.split_first_chunk::<NUMBER>().ok_or_else(refusal)?;
        let expected = self.tag(call, *number);
        aws_lc_rs::constant_time::verify_slices_are_equal(tag, &expected.as_ref()[..SEAL]).map_err(|_| refusal())?;
        Ok(u64::from_be_bytes(*number))
    }

    fn tag(&self, call: &Call, number: [u8; NUMBER]) -> hmac::Tag {
        let mut context = hmac::Context::with_key(&self.0);
        let mut member = |bytes: &[u8]| {
            // Lengths keep neighbours apart: `ab` + `c` is not `a` + `bc`.
            context.update(&(bytes.len() as u64).to_be_bytes());
            context.update(bytes);
        };
        member(b"callgate sql cursor 1");
        member(call.caller.key().as_bytes());
        member(call.target.name().as_bytes());
        let mut arguments: Vec<_> = call.arguments.iter().filter(|(name, _)| *name != AFTER).collect();
        arguments.sort_by_key(|(name, _)| *name);
        for (name, value) in arguments {
            member(name.as_bytes());
            member(canonical(value).as_bytes());
        }
        member(&number);
        context.sign()
    }
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seal")
    }
}

/// The value's text, whatever the order in which its members came.
fn canonical(value: &Value) -> String {
    let mut value = value.clone();
    value.sort_all_objects();
    value.to_string()
}
