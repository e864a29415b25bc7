//! Questions that calls ask the client's side, and the answers on their way back.
//!
//! Modern clients get the questions inside the reply and make the call again; what was answered before travels with them,
//! sealed (`memory`). Legacy clients are asked by a request of the server while the call waits (`bridge`).

mod bridge;
mod check;
mod memory;

use callgate_model::{Answers, Call, Fault, InputRequired};
use callgate_protocol::Retry;

use self::memory::{Memory, about};
pub(crate) use self::{
    bridge::{again, until_done},
    memory::Spent,
};
use crate::{desk::Desk, exchange::Leave, visit::Visit};

/// One round of a modern call.
pub(crate) struct Round {
    /// All answers so far.
    answers: Answers,
}

impl Round {
    /// Gives `call` what the client brought along. A state that is not ours, not for this call, or too old is refused;
    /// so is an answer of the wrong form. Answers that nobody asked for are left out.
    pub(crate) fn resume(desk: &Desk, call: &mut Call, retry: Retry, on_leave: Leave) -> Result<Self, Fault> {
        let Retry { answers: brought, state } = retry;
        let memory = match &state {
            Some(state) => Memory::open(desk, &about(&call.caller, &call.target, &call.arguments), state)?,
            None => Memory::default(),
        };
        let mut answers = memory.answers;
        for (key, value) in brought {
            match memory.asked.get(&key) {
                Some(sort) => check::answer(*sort, &key, &value)?,
                // Without a state nobody knows what was asked; an answer is an object in any case.
                None if state.is_none() => check::object(&key, &value)?,
                None => continue,
            }
            answers.insert(key, value);
        }
        // Whoever may leave something half done must not be started twice by one state. Last: an answer that is refused starts nothing.
        if let Some(state) = state.filter(|_| on_leave == Leave::Finish) {
            desk.spent.spend(call.caller.key(), &state, memory.expires, desk.clock.now().as_second())?;
        }
        call.answers.clone_from(&answers);
        call.state = memory.state;
        Ok(Self { answers })
    }

    /// The questions as the client gets them, unless it cannot answer one of them.
    pub(crate) fn ask(self, desk: &Desk, visit: &Visit, asked: InputRequired) -> Result<InputRequired, Fault> {
        require(visit, &asked)?;
        let first = again(desk, visit)?;
        let memory = Memory::of(desk, self.answers, &asked);
        let state = memory.close(desk, &about(&visit.caller, &first.target, &first.arguments))?;
        Ok(InputRequired { requests: asked.requests, state: Some(state) })
    }
}

/// Refuses if the client did not declare that it can answer.
fn require(visit: &Visit, asked: &InputRequired) -> Result<(), Fault> {
    match asked.requests.values().find_map(|request| visit.client.lacks(request)) {
        Some(capability) => Err(Fault::capability(capability)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
