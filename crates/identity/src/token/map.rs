//! From the claims of a good token to a caller.

use std::sync::Arc;

use callgate_model::{Caller, Members, Proof, Scopes};
use jiff::Timestamp;
use serde_json::Value;

use super::Config;
use crate::refusal::Refusal;

/// Longer than any id, tenant, role or scope; they are kept per caller and written down per call.
const LONGEST: usize = 256;
/// More roles or scopes than any caller needs.
const MOST: usize = 256;
/// Claims about the token rather than the caller.
const ABOUT_THE_TOKEN: [&str; 6] = ["exp", "nbf", "iat", "jti", "aud", "nonce"];

/// The caller of whom `claims` speak, until `ends`.
pub(super) fn caller(config: &Config, mut claims: Members, ends: Timestamp) -> Result<Caller, Refusal> {
    let id = name(&claims, &config.claims.caller)?;
    let tenant = match &config.claims.tenant {
        Some(claim) => name(&claims, claim)?,
        None => config.tenant.as_ref().unwrap_or(&config.issuer).as_str().into(),
    };
    let mut caller = Caller::new(tenant, id, Proof::Token);
    caller.roles = words(&claims, &config.claims.roles, |text| vec![text])?;
    caller.scopes = Scopes::Named(words(&claims, &config.claims.scopes, |text| text.split(' ').filter(|word| !word.is_empty()).collect())?);
    caller.expires = Some(ends);
    claims.retain(|claim, _| !ABOUT_THE_TOKEN.contains(&claim.as_str()));
    caller.claims = claims;
    Ok(caller)
}

/// A text that names somebody.
fn name(claims: &Members, claim: &str) -> Result<Arc<str>, Refusal> {
    let text = find(claims, claim).and_then(Value::as_str).filter(|text| is_name(text));
    text.map(Arc::from).ok_or_else(|| Refusal::lasting(format!("the token's `{claim}` names nobody")))
}

/// A list of words; `split` takes a single text apart.
fn words(claims: &Members, claim: &str, split: impl Fn(&str) -> Vec<&str>) -> Result<Vec<Arc<str>>, Refusal> {
    let words: Option<Vec<&str>> = match find(claims, claim) {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::String(text)) => Some(split(text)),
        Some(Value::Array(values)) => values.iter().map(Value::as_str).collect(),
        Some(_) => None,
    };
    let words = words.filter(|words| words.len() <= MOST && words.iter().all(|word| is_name(word)));
    let words = words.ok_or_else(|| Refusal::lasting(format!("the token's `{claim}` is no list of words")))?;
    Ok(words.into_iter().map(Arc::from).collect())
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= LONGEST && !text.chars().any(char::is_control)
}

/// A claim by its name, or by a pointer into one.
fn find<'c>(claims: &'c Members, claim: &str) -> Option<&'c Value> {
    let Some(pointer) = claim.strip_prefix('/') else { return claims.get(claim) };
    let mut steps = pointer.split('/').map(|step| step.replace("~1", "/").replace("~0", "~"));
    let first = claims.get(&steps.next()?)?;
    steps.try_fold(first, |value, step| value.get(&step))
}
