//! The layer.

use async_trait::async_trait;
use callgate_model::{Call, Fault, Found, Reference, Reply, Target};

use crate::{
    Error,
    layer::{Layer, Next, Opening},
};

struct Find;

pub(crate) fn open(_opening: &mut Opening<'_>) -> Result<Box<dyn Layer>, Error> {
    Ok(Box::new(Find))
}

#[async_trait]
impl Layer for Find {
    async fn call(&self, call: &Call, next: Next<'_>) -> Result<Reply, Fault> {
        if let Found::Nothing = call.found { Err(unknown(call)) } else { next.run(call).await }
    }
}

/// The answer to a call of what does not exist, or not for this caller.
pub(crate) fn unknown(call: &Call) -> Fault {
    match &call.target {
        Target::Tool(name) => Fault::unknown("tool", name),
        Target::Resource(uri) => Fault::unknown_resource(uri),
        Target::Prompt(name) | Target::Completion { of: Reference::Prompt(name), .. } => Fault::unknown("prompt", name),
        Target::Completion { of: Reference::Template(uri), .. } => Fault::unknown("resource template", uri),
    }
}
