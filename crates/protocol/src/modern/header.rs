//! Header values that repeat something in the body.
//!
//! Text that a header cannot carry travels as `=?base64?…?=`. Prefix and suffix are compared exactly; a text that has only
//! one of them is meant literally.

use std::borrow::Cow;

use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::RpcError;

const PREFIX: &str = "=?base64?";
const SUFFIX: &str = "?=";

/// The headers of a request, by lower-case name.
pub trait Mirror {
    /// The first value of one header, and how many there are.
    fn value(&self, name: &str) -> Option<(&[u8], usize)>;
}

/// The one value of header `name`, decoded; `None` if the header is absent.
///
/// Twice the same header, a character that does not belong into one, or a broken encoding is a mismatch.
pub fn text<'m>(mirror: &'m dyn Mirror, name: &str) -> Result<Option<Cow<'m, str>>, RpcError> {
    let value = match mirror.value(name) {
        None => return Ok(None),
        Some((value, 1)) => value,
        Some((_, times)) => return Err(RpcError::header_mismatch(format!("header `{name}` is given {times} times"))),
    };
    let is_plain = value.iter().all(|byte| matches!(byte, b'\t' | 0x20..=0x7e));
    let Some(text) = std::str::from_utf8(value).ok().filter(|_| is_plain) else {
        return Err(RpcError::header_mismatch(format!("header `{name}` holds a character that must be sent as {PREFIX}…{SUFFIX}")));
    };
    decode(text.trim_matches([' ', '\t']))
        .map(Some)
        .ok_or_else(|| RpcError::header_mismatch(format!("header `{name}` is not valid base64 of UTF-8")))
}

/// Refuses unless header `name` is there and says `expected`.
pub(super) fn agree(mirror: &dyn Mirror, name: &str, expected: &str) -> Result<(), RpcError> {
    match text(mirror, name)? {
        Some(value) if value == expected => Ok(()),
        Some(_) => Err(RpcError::header_mismatch(format!("header `{name}` differs from the body"))),
        None => Err(RpcError::header_mismatch(format!("header `{name}` is missing; it repeats what the body says"))),
    }
}

fn decode(text: &str) -> Option<Cow<'_, str>> {
    let Some(encoded) = text.strip_prefix(PREFIX).and_then(|rest| rest.strip_suffix(SUFFIX)) else {
        return Some(Cow::Borrowed(text));
    };
    let bytes = STANDARD.decode(encoded).ok()?;
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

/// `text` as a header value, encoded where it must be.
#[must_use]
pub fn encode(text: &str) -> Cow<'_, str> {
    let carries = text.bytes().all(|byte| (0x20..=0x7e).contains(&byte));
    let outer = [' ', '\t'];
    let looks_encoded = text.starts_with(PREFIX) && text.ends_with(SUFFIX);
    if carries && !text.starts_with(outer) && !text.ends_with(outer) && !looks_encoded {
        return Cow::Borrowed(text);
    }
    Cow::Owned(format!("{PREFIX}{}{SUFFIX}", STANDARD.encode(text)))
}
