//! Which era a message belongs to. Each message is judged by itself: a connection has no era.

use callgate_model::Members;

use crate::{Message, Revision, modern};

/// How a message wants to be served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Era {
    /// It carries, or should carry, everything about itself.
    Modern,
    /// It belongs to a session, or opens one.
    Legacy,
}

/// The era of `message`, sent with these values of `MCP-Protocol-Version` and `Mcp-Method`.
///
/// The metadata of a request decides, whatever its method is called; headers decide only where there is no such metadata.
#[must_use]
pub fn era(message: &Message, version_header: Option<&str>, method_header: Option<&str>) -> Era {
    let params: Option<&Members> = match message {
        Message::Request(request) => Some(&request.params),
        Message::Notification(notification) => Some(&notification.params),
        // Only a legacy server asks anything that a client could answer.
        Message::Response(_) => return Era::Legacy,
    };
    let meta = params.and_then(|params| params.get("_meta")).and_then(|meta| meta.as_object());
    if meta.is_some_and(|meta| modern::KEYS.iter().any(|key| meta.contains_key(*key))) {
        return Era::Modern;
    }
    let legacy_header = version_header.and_then(Revision::named).is_some_and(|revision| !revision.is_modern());
    // Dates compare as text: whatever is not older than the first modern revision cannot mean a legacy one.
    let modern_header = version_header.is_some_and(|version| !legacy_header && version >= Revision::V2026_07_28.as_str());
    if modern_header || (method_header.is_some() && !legacy_header) { Era::Modern } else { Era::Legacy }
}
