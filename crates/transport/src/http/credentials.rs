//! What a request brought to say who it is for, as it stands in its headers. Nothing is understood here, only read.
//!
//! Whatever two readers could take for different credentials is none: two headers of one name, another scheme, a token in the
//! query, where it would end up in logs.

use callgate_model::Credentials;
use http::{
    HeaderMap, HeaderName,
    header::{AUTHORIZATION, HeaderValue},
    request::Parts,
};

const KEY: HeaderName = HeaderName::from_static("x-api-key");

/// The credentials of a request that came on a connection with this client certificate; or why they are none.
pub(super) fn of<'r>(parts: &'r Parts, certificate: Option<&'r [u8]>) -> Result<Credentials<'r>, &'static str> {
    if parts.uri.query().is_some_and(|query| query.split('&').any(|pair| pair.split('=').next() == Some("access_token"))) {
        return Err("a token does not belong into the URL; send it as `Authorization: Bearer`");
    }
    let bearer = single(&parts.headers, &AUTHORIZATION)?.map(bearer).transpose()?;
    let key = single(&parts.headers, &KEY)?.map(key).transpose()?;
    Ok(Credentials { bearer, key, certificate })
}

fn single<'r>(headers: &'r HeaderMap, name: &HeaderName) -> Result<Option<&'r HeaderValue>, &'static str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next();
    if values.next().is_some() { Err("there are two headers where one says who is calling") } else { Ok(value) }
}

fn bearer(value: &HeaderValue) -> Result<&str, &'static str> {
    const WANTED: &str = "`Authorization` must be `Bearer`, a space and the token";
    let (scheme, token) = value.to_str().ok().and_then(|text| text.split_once(' ')).ok_or(WANTED)?;
    let token = token.trim_start_matches(' ');
    // RFC 6750: letters, digits and a few signs, with `=` only at the end.
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
    let is_good = !token.is_empty() && token.trim_end_matches('=').bytes().all(is_token);
    if scheme.eq_ignore_ascii_case("bearer") && is_good { Ok(token) } else { Err(WANTED) }
}

fn key(value: &HeaderValue) -> Result<&str, &'static str> {
    let key = value.to_str().unwrap_or_default();
    if !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_graphic()) { Ok(key) } else { Err("`X-API-Key` holds no key") }
}
