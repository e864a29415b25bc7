//! W3C trace context: what of it is believed, and how it is written.

use std::fmt;

/// The longest `traceparent` of a later version that is looked at.
const LONGEST_PARENT: usize = 128;
/// The length of version 00.
const LENGTH: usize = 55;
const LONGEST_STATE: usize = 512;
const MOST_MEMBERS: usize = 32;

/// A place in a trace: whose child the next span is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceParent {
    /// The trace; never zero.
    pub trace: u128,
    /// The span in it; never zero.
    pub span: u64,
    /// Whoever made that span has kept it.
    pub sampled: bool,
}

impl TraceParent {
    /// Reads a `traceparent`: `00-<32 hex>-<16 hex>-<2 hex>`, or a later version that begins so. `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let version = hex(text.get(..2)?)?;
        let rest = text.as_bytes().get(LENGTH);
        let is_known = version == 0 && rest.is_none();
        let is_later = version > 0 && version < 0xff && text.len() <= LONGEST_PARENT && rest.is_none_or(|byte| *byte == b'-');
        let parts = text.get(2..LENGTH).filter(|_| is_known || is_later)?;
        let dashes = [0, 33, 50].iter().all(|place| parts.as_bytes()[*place] == b'-');
        let (trace, span, flags) = (hex(parts.get(1..33)?)?, hex(parts.get(34..50)?)?, hex(parts.get(51..)?)?);
        let span = u64::try_from(span).ok()?;
        (dashes && trace != 0 && span != 0).then_some(Self { trace, span, sampled: flags & 1 == 1 })
    }
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace, self.span, u8::from(self.sampled))
    }
}

/// Lowercase digits only, and no sign.
fn hex(text: &str) -> Option<u128> {
    let is_hex = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    is_hex.then(|| u128::from_str_radix(text, 16).ok()).flatten()
}

/// Whether a text is a `tracestate`: at most 32 pairs in 512 bytes of visible ASCII.
#[must_use]
pub fn is_tracestate(text: &str) -> bool {
    let is_key = |key: &str| {
        let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'*' | b'/' | b'@');
        !key.is_empty() && key.len() <= 256 && key.bytes().all(allowed)
    };
    let is_value = |value: &str| !value.is_empty() && value.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'=');
    let is_pair = |pair: &str| pair.trim_matches([' ', '\t']).split_once('=').is_some_and(|(key, value)| is_key(key) && is_value(value));
    text.len() <= LONGEST_STATE && text.split(',').count() <= MOST_MEMBERS && text.split(',').all(is_pair)
}
