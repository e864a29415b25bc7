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
        match (&call.found, &call.target) {
            (Found::Nothing, Target::Tool(name)) => Err(Fault::unknown("tool", name)),
            (Found::Nothing, Target::Resource(uri)) => Err(Fault::unknown_resource(uri)),
            (Found::Nothing, Target::Prompt(name) | Target::Completion { of: Reference::Prompt(name), .. }) => {
                Err(Fault::unknown("prompt", name))
            }
            (Found::Nothing, Target::Completion { of: Reference::Template(uri), .. }) => Err(Fault::unknown("resource template", uri)),
            _ => next.run(call).await,
        }
    }
}
