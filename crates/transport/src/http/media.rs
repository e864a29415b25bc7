//! What a request says about its body and about the answer it can take.

use http::{
    HeaderMap, StatusCode,
    header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE, HeaderName},
};

/// What nearly every client accepts, in these very words; it need not be taken apart.
const USUAL: &str = "application/json, text/event-stream";

/// What the client can take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Accepts {
    /// `application/json`.
    pub(crate) json: bool,
    /// `text/event-stream`.
    pub(crate) events: bool,
}

impl Accepts {
    /// By the `Accept` header; a client that does not say takes both.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        match headers.get(ACCEPT) {
            None => return Self { json: true, events: true },
            Some(value) if value == USUAL && headers.get_all(ACCEPT).iter().nth(1).is_none() => return Self { json: true, events: true },
            Some(_) => {}
        }
        let mut accepts = Self { json: false, events: false };
        for range in headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')) {
            let mut parts = range.split(';').map(str::trim);
            let kind = parts.next().unwrap_or_default();
            if parts.any(|part| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000")) {
                continue;
            }
            let is = |known: &[&str]| known.iter().any(|known| kind.eq_ignore_ascii_case(known));
            accepts.json |= is(&["application/json", "application/*", "*/*"]);
            accepts.events |= is(&["text/event-stream", "text/*", "*/*"]);
        }
        accepts
    }

    /// It can take something that we have.
    pub(super) fn anything(self) -> bool {
        self.json || self.events
    }
}

/// Refuses any body but plain JSON in UTF-8.
pub(super) fn refuse(headers: &HeaderMap) -> Option<(StatusCode, &'static str)> {
    if headers.contains_key(CONTENT_ENCODING) {
        return Some((StatusCode::UNSUPPORTED_MEDIA_TYPE, "send the body as it is, without Content-Encoding"));
    }
    let is_json = one(headers, &CONTENT_TYPE).is_some_and(is_json);
    (!is_json).then_some((StatusCode::UNSUPPORTED_MEDIA_TYPE, "the Content-Type must be application/json, in UTF-8"))
}

/// The only value of a header; `None` if there is none, more than one, or one that is no text.
pub(super) fn one<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

fn is_json(media: &str) -> bool {
    let mut parts = media.split(';').map(str::trim);
    let is_json = parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"));
    is_json && parts.filter(|part| !part.is_empty()).all(is_utf8)
}

/// Not a charset, or the right one.
fn is_utf8(parameter: &str) -> bool {
    let Some((name, value)) = parameter.split_once('=') else { return false };
    !name.trim().eq_ignore_ascii_case("charset") || value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
}
