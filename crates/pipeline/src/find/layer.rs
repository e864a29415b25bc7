//! The layer.

use callgate_model::{Call, Fault, Found, Kind, Reference, Target};

use crate::{
    Error,
    layer::{Check, Next, Opening},
    redact::Redaction,
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
    unknown_as(call, call.target.name())
}

/// The fault as the caller may read it: what was asked for and is not there is repeated without what must not be written down, whoever
/// found that it is not there.
pub(crate) fn shown(fault: Fault, call: &Call, redaction: &Redaction) -> Fault {
    let Kind::Unknown { .. } = fault.kind() else { return fault };
    match redaction.hidden(call.target.name()) {
        Some(hidden) if fault.message() == unknown(call).message() => fault.told_as(unknown_as(call, &hidden)),
        _ => fault,
    }
}

fn unknown_as(call: &Call, name: &str) -> Fault {
    match &call.target {
        Target::Tool(_) => Fault::unknown("tool", name),
        Target::Resource(_) => Fault::unknown_resource(name),
        Target::Prompt(_) | Target::Completion { of: Reference::Prompt(_), .. } => Fault::unknown("prompt", name),
        Target::Completion { of: Reference::Template(_), .. } => Fault::unknown("resource template", name),
    }
}
