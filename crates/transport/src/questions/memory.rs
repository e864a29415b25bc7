//! What a modern client carries from one round to the next, sealed: the answers so far, what was asked, and the backend's own state.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use aws_lc_rs::digest::{Context, SHA256};
use callgate_model::{Answers, Caller, Fault, InputRequired, Members, Target};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::check::Sort;
use crate::desk::Desk;

/// The sealed part of a round.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Memory {
    /// Seconds since 1970.
    pub(super) expires: i64,
    pub(super) answers: Answers,
    pub(super) asked: BTreeMap<String, Sort>,
    pub(super) state: Option<String>,
}

impl Memory {
    /// To be remembered while the client answers `asked`.
    pub(super) fn of(desk: &Desk, answers: Answers, asked: &InputRequired) -> Self {
        let expiry = i64::try_from(desk.config.questions.expiry.get().as_secs()).unwrap_or(i64::MAX);
        Self {
            expires: desk.clock.now().as_second().saturating_add(expiry),
            answers,
            asked: asked.requests.iter().map(|(key, request)| (key.clone(), Sort::of(request))).collect(),
            state: asked.state.clone(),
        }
    }

    /// Opens a client's `requestState`.
    pub(super) fn open(desk: &Desk, about: &[u8], sealed: &str) -> Result<Self, Fault> {
        // One answer for all reasons: whoever tries states out learns nothing from it.
        let refused = || Fault::request("`requestState` is not one that this call gave, or is too old; make the call again without it");
        if sealed.len() > longest(desk) {
            return Err(refused().because("its `requestState` is longer than wire.questions.size"));
        }
        let text =
            desk.seal.open(about, sealed).ok_or_else(|| refused().because("its `requestState` was not sealed here for this call"))?;
        let memory: Self = serde_json::from_slice(&text).map_err(|cause| refused().because(cause))?;
        if memory.expires < desk.clock.now().as_second() {
            return Err(refused().because("its `requestState` has expired"));
        }
        Ok(memory)
    }

    /// Seals it.
    pub(super) fn close(&self, desk: &Desk, about: &[u8]) -> Result<String, Fault> {
        let text = serde_json::to_vec(self).map_err(Fault::internal)?;
        let sealed = desk.seal.close(about, text);
        if sealed.len() > longest(desk) {
            return Err(Fault::internal(format!(
                "a call wants to remember more than wire.questions.size ({})",
                desk.config.questions.size
            )));
        }
        Ok(sealed)
    }
}

fn longest(desk: &Desk) -> usize {
    desk.config.questions.size.bytes()
}

/// What a state is bound to: who calls what with which arguments, whatever the order of their members.
pub(super) fn about(caller: &Caller, target: &Target, arguments: &Members) -> Vec<u8> {
    let mut digest = Context::new(&SHA256);
    for part in ["state", caller.key(), target.sort(), target.name()] {
        text(&mut digest, part);
    }
    members(&mut digest, arguments);
    digest.finish().as_ref().to_vec()
}

fn text(digest: &mut Context, text: &str) {
    digest.update(&(text.len() as u64).to_be_bytes());
    digest.update(text.as_bytes());
}

fn members(digest: &mut Context, members: &Members) {
    let mut sorted: Vec<_> = members.iter().collect();
    sorted.sort_unstable_by_key(|(key, _)| *key);
    digest.update(b"{");
    for (key, member) in sorted {
        text(digest, key);
        value(digest, member);
    }
    digest.update(b"}");
}

fn value(digest: &mut Context, value: &Value) {
    match value {
        Value::Object(inner) => members(digest, inner),
        Value::Array(items) => {
            digest.update(b"[");
            items.iter().for_each(|item| self::value(digest, item));
            digest.update(b"]");
        }
        scalar => text(digest, &scalar.to_string()),
    }
}

/// States that have started a write. They start nothing a second time, as far as this process knows. Nobody can use up the room of all.
pub(crate) struct Spent {
    most: usize,
    per_caller: usize,
    used: Mutex<Used>,
}

#[derive(Default)]
struct Used {
    /// By their digest: until when they could be used again, and whose they were.
    states: HashMap<Vec<u8>, (i64, Arc<str>)>,
    /// How many of them each caller has.
    callers: HashMap<Arc<str>, usize>,
}

impl Spent {
    /// Remembers so many states at once, and so many of one caller.
    pub(crate) fn new(most: usize, per_caller: usize) -> Self {
        Self { most, per_caller, used: Mutex::default() }
    }

    /// Uses the caller's `state` up, or refuses because it was.
    pub(super) fn spend(&self, caller: &Arc<str>, state: &str, expires: i64, now: i64) -> Result<(), Fault> {
        let name = aws_lc_rs::digest::digest(&SHA256, state.as_bytes()).as_ref().to_vec();
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if used.states.contains_key(&name) {
            let fault = Fault::request("this `requestState` was used before; what it led to stands. Make a new call only for a new action");
            return Err(fault.because("its `requestState` was used before"));
        }
        if !self.has_room(&used, caller) {
            used.forget(now);
        }
        if !self.has_room(&used, caller) {
            return Err(Fault::overloaded("the gate", std::time::Duration::from_secs(60)));
        }
        used.states.insert(name, (expires, caller.clone()));
        *used.callers.entry(caller.clone()).or_default() += 1;
        Ok(())
    }

    fn has_room(&self, used: &Used, caller: &Arc<str>) -> bool {
        used.states.len() < self.most && used.callers.get(caller).is_none_or(|count| *count < self.per_caller)
    }
}

impl Used {
    /// Lets go of what is too old to be used again.
    fn forget(&mut self, now: i64) {
        self.states.retain(|_, (expires, _)| *expires >= now);
        self.callers.clear();
        for (_, caller) in self.states.values() {
            *self.callers.entry(caller.clone()).or_default() += 1;
        }
    }
}
