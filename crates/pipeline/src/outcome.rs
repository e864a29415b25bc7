//! How a call ended, in the words that audit and metrics share.

use callgate_model::{Fault, Kind, Reply};

/// The word for a call whose future was dropped.
pub(crate) const CANCELLED: &str = "cancelled";

/// `ok`, `error` (the tool's own), `asked`, or the fault's code.
pub(crate) fn word(result: &Result<Reply, Fault>) -> &'static str {
    match result {
        Ok(Reply::Tool(reply)) if reply.is_error => "error",
        Ok(Reply::InputRequired(_)) => "asked",
        Ok(_) => "ok",
        Err(fault) => fault.kind().code(),
    }
}

/// The gate itself refused, so that the cause is in its own words.
pub(crate) fn is_decided(fault: &Fault) -> bool {
    let kind = fault.kind();
    let refused = matches!(kind, Kind::Unknown { .. } | Kind::Request | Kind::Arguments | Kind::Capability(_) | Kind::Overloaded { .. });
    refused || matches!(kind, Kind::Denied | Kind::Scopes(_) | Kind::Limited { .. })
}

/// A change was certainly not made: the call was refused, or never reached the system behind.
pub(crate) fn is_unmade(result: &Result<Reply, Fault>) -> bool {
    match result {
        Ok(reply) => matches!(reply, Reply::InputRequired(_)),
        Err(fault) => !matches!(fault.kind(), Kind::Unclear | Kind::Internal | Kind::Cancelled),
    }
}

/// Nothing can have been changed: the call was refused before any work began.
pub(crate) fn is_harmless(result: &Result<Reply, Fault>) -> bool {
    let Err(fault) = result else { return false };
    matches!(
        fault.kind(),
        Kind::Unknown { .. } | Kind::Request | Kind::Arguments | Kind::Capability(_) | Kind::Overloaded { .. } | Kind::Limited { .. }
    )
}
