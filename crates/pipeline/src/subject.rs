//! What a call is about, as it may be logged: names from the catalog only, never what the caller wrote.

use callgate_model::{Call, Found};

/// The name, URI or template on offer; `unknown` if there is no such thing.
pub(crate) fn subject(call: &Call) -> &str {
    match &call.found {
        Found::Tool(item) => item.offer.name.as_str(),
        Found::Resource(item) => &item.offer.uri,
        Found::Member(item, _) | Found::Template(item) => item.offer.uri.as_str(),
        Found::Prompt(item) => item.offer.name.as_str(),
        Found::Nothing => "unknown",
    }
}
