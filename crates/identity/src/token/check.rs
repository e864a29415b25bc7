//! Whether the claims of a token make it good here and now. Types are strict: a time is a whole number of seconds, nothing else.

use callgate_model::Members;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::Issuer;
use crate::refusal::Refusal;

/// More audiences than any token needs.
const MOST_AUDIENCES: usize = 64;

impl Issuer {
    /// Checks everything but the signature, and says when the token ends.
    pub(super) fn check(&self, claims: &Members, now: Timestamp) -> Result<Timestamp, Refusal> {
        let leeway = SignedDuration::try_from(self.config.leeway.get()).unwrap_or(SignedDuration::ZERO);
        let end = time(claims, "exp")?.ok_or_else(|| Refusal::lasting("the token never ends"))?;
        let end = end.checked_add(leeway).map_err(|_| Refusal::lasting("the token's `exp` is no time"))?;
        if now >= end {
            return Err(Refusal::lasting("the token has expired"));
        }
        for claim in ["nbf", "iat"] {
            if time(claims, claim)?.is_some_and(|begin| begin.duration_since(now) > leeway) {
                return Err(Refusal::now(format!("the token's `{claim}` lies in the future")));
            }
        }
        if !self.is_meant(claims) {
            return Err(Refusal::lasting("the token is meant for somebody else"));
        }
        let lacks = |(claim, values): &&(String, Vec<String>)| !has_one(claims.get(claim), values);
        match self.config.required.iter().find(lacks) {
            Some((claim, _)) => Err(Refusal::lasting(format!("the token's `{claim}` is not one that is required here"))),
            None => Ok(end),
        }
    }

    /// Whether the token names this gate, letter for letter.
    fn is_meant(&self, claims: &Members) -> bool {
        let ours = |audience: &str| self.audiences.iter().any(|own| own == audience);
        match claims.get("aud") {
            Some(Value::String(audience)) => ours(audience),
            Some(Value::Array(audiences)) if audiences.len() <= MOST_AUDIENCES && audiences.iter().all(Value::is_string) => {
                audiences.iter().filter_map(Value::as_str).any(ours)
            }
            _ => false,
        }
    }
}

/// The time in a claim. A text, a fraction, a negative number or one that is no time at all is a mistake, not an absence.
fn time(claims: &Members, claim: &str) -> Result<Option<Timestamp>, Refusal> {
    let Some(value) = claims.get(claim) else { return Ok(None) };
    let seconds = value.as_i64().filter(|seconds| *seconds >= 0);
    let time = seconds.and_then(|seconds| Timestamp::from_second(seconds).ok());
    time.map(Some).ok_or_else(|| Refusal::lasting(format!("the token's `{claim}` is no time")))
}

fn has_one(value: Option<&Value>, wanted: &[String]) -> bool {
    let is_wanted = |value: &Value| value.as_str().is_some_and(|text| wanted.iter().any(|wanted| wanted == text));
    match value {
        Some(Value::Array(values)) => values.iter().any(is_wanted),
        Some(value) => is_wanted(value),
        None => false,
    }
}
