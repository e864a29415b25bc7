//! The layer.

use std::sync::Arc;

use callgate_model::{Call, Fault};

use crate::{
    Error,
    authorize::Authority,
    layer::{Check, Next, Opening},
};

struct Require {
    authority: Arc<Authority>,
}

pub(crate) fn open(opening: &mut Opening<'_>) -> Result<Box<dyn Check>, Error> {
    Ok(Box::new(Require { authority: opening.authority.clone() }))
}

impl Check for Require {
    fn concerns(&self, tool: Option<usize>) -> bool {
        tool.is_some_and(|tool| !self.authority.conditions(tool).is_empty())
    }

    fn check(&self, call: &Call, next: &Next<'_>) -> Result<(), Fault> {
        self.authority.meet(call, next.ticket().tool, next.judgement())
    }
}
