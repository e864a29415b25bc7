//! The canonical line of a record: the bytes that are hashed, stored and exported.
//!
//! It is one JSON object on one line, without spaces between its parts:
//!
//! - Members stand in this order: `chain`, `seq`, `at`, `request`, `depth`, `tenant`, `caller`, `proof`, `transport`, `revision`,
//!   `session`, `traceparent`, `sort`, `name`, `backend`, `effect`, `arguments`, `outcome`, `reason`, `duration`.
//! - `depth` is left out when it is 0; `session`, `traceparent`, `backend`, `effect` and `reason` when there is none. All others
//!   are always there.
//! - `chain`, `seq`, `at` (microseconds since 1970, UTC), `depth` and `duration` (microseconds) are decimal integers; `arguments` is
//!   the JSON object itself; all others are strings.
//! - In strings, `"` and `\` have a backslash before them; backspace, form feed, newline, return and tab are `\b \f \n \r \t`; other
//!   characters below U+0020 are `\u00xx` in lower case. Everything else is UTF-8 as it is.
//!
//! With pseudonyms, `caller` is one and `session` is a digest; the form is the same.
//!
//! A line is never written anew from its parts: what is stored is what was hashed.

use callgate_model::Members;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::Entry;

/// The members of a record, borrowed.
pub(crate) struct View<'a> {
    pub(super) at: i64,
    pub(super) request: &'a str,
    pub(super) depth: u8,
    pub(super) tenant: &'a str,
    pub(crate) caller: &'a str,
    pub(super) proof: &'a str,
    pub(super) transport: &'a str,
    pub(super) revision: &'a str,
    pub(crate) session: Option<&'a str>,
    pub(super) traceparent: Option<&'a str>,
    pub(super) sort: &'a str,
    pub(super) name: &'a str,
    pub(super) backend: Option<&'a str>,
    pub(super) effect: Option<&'a str>,
    pub(super) arguments: &'a str,
    pub(super) outcome: &'a str,
    pub(super) reason: Option<&'a str>,
    pub(super) duration: u64,
}

impl View<'_> {
    /// Writes the line for this place; what was in `line` is gone.
    pub(crate) fn write(&self, chain: u32, seq: u64, line: &mut Vec<u8>) {
        line.clear();
        line.extend_from_slice(b"{\"chain\":");
        integer(line, u64::from(chain));
        line.extend_from_slice(b",\"seq\":");
        integer(line, seq);
        line.extend_from_slice(b",\"at\":");
        if self.at < 0 {
            line.push(b'-');
        }
        integer(line, self.at.unsigned_abs());
        text(line, b",\"request\":", self.request);
        if self.depth > 0 {
            line.extend_from_slice(b",\"depth\":");
            integer(line, u64::from(self.depth));
        }
        text(line, b",\"tenant\":", self.tenant);
        text(line, b",\"caller\":", self.caller);
        text(line, b",\"proof\":", self.proof);
        text(line, b",\"transport\":", self.transport);
        text(line, b",\"revision\":", self.revision);
        maybe(line, b",\"session\":", self.session);
        maybe(line, b",\"traceparent\":", self.traceparent);
        text(line, b",\"sort\":", self.sort);
        text(line, b",\"name\":", self.name);
        maybe(line, b",\"backend\":", self.backend);
        maybe(line, b",\"effect\":", self.effect);
        line.extend_from_slice(b",\"arguments\":");
        line.extend_from_slice(self.arguments.as_bytes());
        text(line, b",\"outcome\":", self.outcome);
        maybe(line, b",\"reason\":", self.reason);
        line.extend_from_slice(b",\"duration\":");
        integer(line, self.duration);
        line.push(b'}');
    }
}

fn maybe(line: &mut Vec<u8>, name: &[u8], value: Option<&str>) {
    if let Some(value) = value {
        text(line, name, value);
    }
}

fn text(line: &mut Vec<u8>, name: &[u8], value: &str) {
    line.extend_from_slice(name);
    if value.bytes().any(|byte| byte < 0x20 || byte == b'"' || byte == b'\\') {
        serde_json::to_writer(line, value).expect("a text always has a JSON text and a Vec takes it");
        return;
    }
    line.push(b'"');
    line.extend_from_slice(value.as_bytes());
    line.push(b'"');
}

fn integer(line: &mut Vec<u8>, value: u64) {
    // No 64 bits have more digits.
    let mut digits = [b'0'; 20];
    let (mut at, mut rest) = (digits.len(), value);
    while rest > 0 || at == digits.len() {
        at -= 1;
        digits[at] += u8::try_from(rest % 10).expect("a digit is less than ten");
        rest /= 10;
    }
    line.extend_from_slice(&digits[at..]);
}

/// A line as it is read. Members that a later version adds are passed over here; the hash covers them all the same.
#[derive(Deserialize)]
struct Parts<'a> {
    chain: u32,
    seq: u64,
    at: i64,
    request: String,
    #[serde(default)]
    depth: u8,
    tenant: String,
    caller: String,
    proof: String,
    transport: String,
    revision: String,
    session: Option<String>,
    traceparent: Option<String>,
    sort: String,
    name: String,
    backend: Option<String>,
    effect: Option<String>,
    #[serde(borrow)]
    arguments: &'a RawValue,
    outcome: String,
    reason: Option<String>,
    duration: u64,
}

impl Entry {
    /// What a line says; `None` if it is no line of a record.
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        let parts: Parts<'_> = serde_json::from_str(line).ok()?;
        serde_json::from_str::<Members>(parts.arguments.get()).ok()?;
        Some(Self {
            chain: parts.chain,
            seq: parts.seq,
            at: Timestamp::from_microsecond(parts.at).ok()?,
            request: parts.request,
            depth: parts.depth,
            tenant: parts.tenant,
            caller: parts.caller,
            proof: parts.proof,
            transport: parts.transport,
            revision: parts.revision,
            session: parts.session,
            traceparent: parts.traceparent,
            sort: parts.sort,
            name: parts.name,
            backend: parts.backend,
            effect: parts.effect,
            arguments: parts.arguments.get().to_owned(),
            outcome: parts.outcome,
            reason: parts.reason,
            duration: parts.duration,
            pseudonym: None,
        })
    }
}
