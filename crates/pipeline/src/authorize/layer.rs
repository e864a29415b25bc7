//! The layer.

use std::sync::Arc;

use callgate_model::{Call, Fault};

use super::Authority;
use crate::{
    Error,
    layer::{Check, Next, Opening},
};

struct Authorize {
    authority: Arc<Authority>,
}

pub(crate) fn open(opening: &mut Opening<'_>) -> Result<Box<dyn Check>, Error> {
    Ok(Box::new(Authorize { authority: opening.authority.clone() }))
}

impl Check for Authorize {
    fn concerns(&self, tool: Option<usize>) -> bool {
        !self.authority.lets_everyone(tool)
    }

    fn check(&self, call: &Call, next: &Next<'_>) -> Result<(), Fault> {
        self.authority.decide(call, next.ticket().tool, next.judgement())
    }
}
