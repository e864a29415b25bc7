//! What a client is told that was not recognised, or whose token does not reach, and where it learns how to do better (RFC 6750,
//! RFC 9728).
//!
//! The bodies are for people and hold no JSON-RPC: a 401 and a 403 of this kind concern the HTTP request, and clients go by the
//! header. What was brought is never repeated.

use std::fmt::Write as _;

use bytes::Bytes;
use callgate_model::Authentication;
use http::{
    HeaderValue, Response, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE, HOST, RETRY_AFTER, WWW_AUTHENTICATE},
    request::Parts,
    uri::{Authority, Scheme},
};
use serde_json::json;

use super::reply::Body;
use crate::exchange::seconds;

/// Where the metadata stands, for the endpoint and for clients that only know the host.
pub(super) const METADATA: [&str; 2] = ["/.well-known/oauth-protected-resource/mcp", "/.well-known/oauth-protected-resource"];

/// The scopes that a call needs and its caller lacks. A response that carries them becomes a 403 with a challenge.
#[derive(Clone)]
pub(super) struct Needed(pub(super) Vec<String>);

/// What is said of the credentials that a request brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Brought<'w> {
    /// There were none.
    Nothing,
    /// They are not good; a sentence that may be shown.
    Bad(&'w str),
}

/// 401: say who you are, and this is how.
pub(super) fn unauthorized(authentication: &Authentication, parts: &Parts, scheme: &Scheme, brought: Brought<'_>) -> Response<Body> {
    let (error, why) = match brought {
        Brought::Nothing => (None, "say who you are: send `Authorization: Bearer` with a token or key, or `X-API-Key`"),
        Brought::Bad(why) => (Some("invalid_token"), why),
    };
    let mut response = object(StatusCode::UNAUTHORIZED, &json!({ "error": error.unwrap_or("unauthorized"), "message": why }));
    let header = challenge(authentication, parts, scheme, error, &authentication.scopes);
    response.headers_mut().insert(WWW_AUTHENTICATE, header);
    response
}

/// 403, if `response` carries the scopes that were needed: ask for a token with all of these.
pub(super) fn complete(authentication: &Authentication, parts: &Parts, scheme: &Scheme, response: &mut Response<Body>) {
    let Some(Needed(scopes)) = response.extensions_mut().remove() else { return };
    let header = challenge(authentication, parts, scheme, Some("insufficient_scope"), &scopes);
    response.headers_mut().insert(WWW_AUTHENTICATE, header);
}

/// 503: nobody can say just now who you are.
pub(super) fn unavailable(retry_after: std::time::Duration) -> Response<Body> {
    let why = "it cannot be checked just now who is calling; try again in a moment";
    let mut response = object(StatusCode::SERVICE_UNAVAILABLE, &json!({ "error": "temporarily_unavailable", "message": why }));
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds(retry_after)));
    response
}

/// 403: recognised, but this is not for everyone.
pub(super) fn not_for_you(role: &str) -> Response<Body> {
    object(StatusCode::FORBIDDEN, &json!({ "error": "forbidden", "message": format!("this is for callers with the role `{role}`") }))
}

/// The metadata of the endpoint (RFC 9728).
pub(super) fn metadata(authentication: &Authentication, parts: &Parts, scheme: &Scheme) -> Response<Body> {
    let mut metadata = json!({ "resource": resource(authentication, parts, scheme), "bearer_methods_supported": ["header"] });
    if !authentication.authorization_servers.is_empty() {
        metadata["authorization_servers"] = json!(authentication.authorization_servers);
    }
    if !authentication.scopes.is_empty() {
        metadata["scopes_supported"] = json!(authentication.scopes);
    }
    let mut response = object(StatusCode::OK, &metadata);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    response
}

fn challenge(authentication: &Authentication, parts: &Parts, scheme: &Scheme, error: Option<&str>, scopes: &[String]) -> HeaderValue {
    let mut text = String::from("Bearer ");
    if let Some(error) = error {
        // Writing to a String cannot fail.
        let _ = write!(text, "error=\"{error}\", ");
    }
    let _ = write!(text, "resource_metadata=\"{}\"", quotable(&metadata_url(&resource(authentication, parts, scheme))));
    if !scopes.is_empty() {
        let _ = write!(text, ", scope=\"{}\"", quotable(&scopes.join(" ")));
    }
    HeaderValue::from_str(&text).unwrap_or(const { HeaderValue::from_static("Bearer") })
}

/// The endpoint as tokens name it: what the operator says, or else the host that the request was sent to, which was found to be
/// allowed.
fn resource(authentication: &Authentication, parts: &Parts, scheme: &Scheme) -> String {
    if let Some(resource) = &authentication.resource {
        return resource.clone();
    }
    let header = || parts.headers.get(HOST).and_then(|host| host.to_str().ok());
    let host = parts.uri.authority().map(Authority::as_str).or_else(header).unwrap_or("localhost");
    format!("{scheme}://{}/mcp", host.to_ascii_lowercase())
}

/// The well-known place stands between the host and the path.
fn metadata_url(resource: &str) -> String {
    let start = resource.find("://").map_or(0, |at| at + 3);
    let path = resource[start..].find('/').map_or(resource.len(), |at| start + at);
    format!("{}{}{}", &resource[..path], METADATA[1], resource[path..].trim_end_matches('/'))
}

/// What may stand between two quotes.
fn quotable(text: &str) -> String {
    text.chars().filter(|sign| matches!(sign, ' '..='~') && !matches!(sign, '"' | '\\')).collect()
}

fn object(status: StatusCode, value: &serde_json::Value) -> Response<Body> {
    let mut response = Response::new(Body::from(Bytes::from(value.to_string())));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
