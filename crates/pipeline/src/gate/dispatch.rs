//! The end of the column: the backend.

use std::borrow::Cow;

use callgate_model::{Call, Change, Fault, Reply, Target};
use serde_json::Value;

/// Lets the backend do the work and announces what a successful tool has changed.
pub(crate) async fn dispatch(call: &Call) -> Result<Reply, Fault> {
    let Some((_, backend)) = call.found.backend() else {
        return Err(Fault::internal("a call for nothing reached the end of the column"));
    };
    let reply = match call.target {
        Target::Tool(_) => backend.call(call).await,
        Target::Resource(_) => backend.read(call).await,
        Target::Prompt(_) => backend.prompt(call).await,
        Target::Completion { .. } => backend.complete(call).await,
    }?;
    match &reply {
        // Here and not further up: the change is made, even if the caller leaves before the reply does.
        Reply::Tool(done) if !done.is_error => announce(call),
        // Here already, so that what is on record as asked was asked.
        Reply::InputRequired(asked) => asked.requests.values().try_for_each(|request| call.require(request))?,
        _ => {}
    }
    Ok(reply)
}

fn announce(call: &Call) {
    let updates = call.found.tool().map_or(&[] as &[_], |tool| &tool.updates);
    for template in updates {
        // Without the argument there is no such resource, so nobody can have subscribed to it.
        if let Some(uri) = template.expand(|name| call.argument(name).and_then(word)) {
            call.notices.announce(Change::Resource { tenant: call.caller.tenant().clone(), uri });
        }
    }
}

/// A scalar as it stands in a URI.
fn word(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) if !text.is_empty() => Some(Cow::Borrowed(text)),
        Value::Number(_) | Value::Bool(_) => Some(Cow::Owned(value.to_string())),
        _ => None,
    }
}
