//! What a modern request says about itself, and the checks that come before anything is looked up.
//!
//! The checks stand in a fixed order, because a client learns what to repair from the first one that fails: metadata,
//! headers against body, revision, method.

mod header;
mod parameters;

use callgate_model::{ClientCapabilities, Level, Members};
use serde::Deserialize;
use serde_json::Value;

pub use self::{
    header::{Mirror, encode, text},
    parameters::{ParamHeaders, parameters},
};
use crate::{
    Refusal, Request, Revision, RpcError,
    params::{CAPABILITIES, LOG_LEVEL, VERSION},
};

/// What a modern request says about itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Meta {
    /// What its client can be asked.
    pub client: ClientCapabilities,
    /// From which level on it wants log messages; `None` for none at all.
    pub level: Option<Level>,
    /// The token under which it wants progress.
    pub progress: Option<Value>,
}

/// The revision of an admitted request: the only modern one so far.
pub const REVISION: Revision = Revision::V2026_07_28;

/// Checks a modern request in the order of the module's documentation. Over HTTP, `mirror` gives its headers.
pub fn admit(request: &Request, mirror: Option<&dyn Mirror>) -> Result<Meta, Refusal> {
    let refuse = |error: RpcError| Refusal { status: 400, ..Refusal::modern(request.id.clone(), error) };
    let meta = &request.params.meta;
    let Some(version) = meta.version.as_ref().and_then(Value::as_str) else {
        return Err(refuse(RpcError::invalid_params(format!("`_meta` must name the protocol version under `{VERSION}`"))));
    };
    let Some(client) = meta.capabilities.as_ref().and_then(Value::as_object).and_then(capabilities) else {
        return Err(refuse(RpcError::invalid_params(format!(
            "`_meta` must hold the client's capabilities, an object, under `{CAPABILITIES}`"
        ))));
    };
    if let Some(mirror) = mirror {
        header::agree(mirror, "mcp-protocol-version", version).map_err(refuse)?;
        header::agree(mirror, "mcp-method", &request.method).map_err(refuse)?;
    }
    if Revision::named(version) != Some(REVISION) {
        return Err(refuse(RpcError::unsupported_version(version)));
    }
    if !METHODS.contains(&request.method.as_str()) {
        return Err(Refusal::modern(request.id.clone(), RpcError::method_not_found(&request.method)));
    }
    if let (Some(mirror), Some(name)) = (mirror, name(request)) {
        header::agree(mirror, "mcp-name", name).map_err(refuse)?;
    }
    let level = meta.level.as_ref().map(Level::deserialize).transpose();
    let level = level.map_err(|_| {
        refuse(RpcError::invalid_params(format!(
            "`{LOG_LEVEL}` must be one of debug, info, notice, warning, error, critical, alert, emergency"
        )))
    })?;
    let progress = meta.progress.as_ref().filter(|token| token.is_string() || token.is_i64() || token.is_u64());
    Ok(Meta { client, level, progress: progress.cloned() })
}

fn capabilities(given: &Members) -> Option<ClientCapabilities> {
    // Most clients have none, which needs no reading.
    if given.is_empty() { Some(ClientCapabilities::default()) } else { ClientCapabilities::deserialize(given).ok() }
}

/// Every method of the revision.
const METHODS: &[&str] = &[
    "server/discover",
    "tools/list",
    "tools/call",
    "prompts/list",
    "prompts/get",
    "resources/list",
    "resources/templates/list",
    "resources/read",
    "completion/complete",
    "subscriptions/listen",
];

/// What `Mcp-Name` must repeat, for the methods that have it. A request without the member is refused later, for that.
fn name(request: &Request) -> Option<&str> {
    let member = match request.method.as_str() {
        "tools/call" | "prompts/get" => "name",
        "resources/read" => "uri",
        _ => return None,
    };
    request.params.get(member).and_then(Value::as_str)
}
