//! Which era a message belongs to. Each message is judged by itself: a connection has no era.

use crate::{Message, Revision};

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
    let params = match message {
        Message::Request(request) => &request.params,
        Message::Notification(notification) => &notification.params,
        // Only a legacy server asks anything that a client could answer.
        Message::Response(_) => return Era::Legacy,
    };
    if params.meta.is_modern {
        return Era::Modern;
    }
    let legacy_header = version_header.and_then(Revision::named).is_some_and(|revision| !revision.is_modern());
    // Dates compare as text: whatever is not older than the first modern revision cannot mean a legacy one.
    let modern_header = version_header.is_some_and(|version| !legacy_header && version >= Revision::V2026_07_28.as_str());
    if modern_header || (method_header.is_some() && !legacy_header) { Era::Modern } else { Era::Legacy }
}
