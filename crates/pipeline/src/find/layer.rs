//! The layer.

use callgate_model::{Call, Fault, Found, Reference, Target};

use crate::{
    Error,
    layer::{Check, Next, Opening},
};

struct Find;

pub(crate) fn open(_opening: &mut Opening<'_>) -> Result<Box<dyn Check>, Error> {
    Ok(Box::new(Find))
}

impl Check for Find {
    fn concerns(&self, tool: Option<usize>) -> bool {
        tool.is_none()
    }

    fn check(&self, call: &Call, _next: &Next<'_>) -> Result<(), Fault> {
        if let Found::Nothing = call.found { Err(unknown(call)) } else { Ok(()) }
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
