//! What the thread that writes remembers: the pseudonym of each caller, and under which count of forgotten callers that holds.

use std::{collections::HashMap, fmt::Write as _, sync::Arc};

use aws_lc_rs::{
    digest::{SHA256, digest},
    rand,
};
use callgate_model::{Caller, Proof};

use super::{Config, DIGITS, PREFIX};
use crate::{Record, audit::View, writing::Batch};

/// How old the store's word about the last use of a pseudonym may become, in microseconds.
const STALE: i64 = 3600 * 1_000_000;

/// How long beyond its last use a pseudonym is kept: twice that, for clocks that differ.
pub(crate) const SLACK: std::time::Duration = std::time::Duration::from_secs(2 * 3600);

/// What is remembered.
pub(crate) struct Names {
    most: usize,
    times: Option<i64>,
    known: HashMap<Arc<str>, Known>,
}

struct Known {
    pseudonym: String,
    used: i64,
}

/// A caller whose pseudonym the store has to say, or whose use it has to hear of.
pub(crate) struct Wanted<'a> {
    pub(crate) caller: &'a Caller,
    /// The pseudonym, if the caller has none.
    pub(crate) fresh: String,
    /// When it is used, in microseconds since 1970.
    pub(crate) used: i64,
}

impl Names {
    pub(crate) fn new(config: &Config) -> Self {
        Self { most: config.remember, times: None, known: HashMap::new() }
    }

    /// So often somebody was forgotten. If that is news, nothing that is remembered holds.
    pub(crate) fn as_of(&mut self, times: i64) {
        if self.times.replace(times) != Some(times) {
            self.known.clear();
        }
    }

    /// Under which count the names hold, if one was ever heard of.
    pub(crate) fn times(&self) -> Option<i64> {
        self.times
    }

    /// What is remembered may never have been stored.
    pub(crate) fn doubt(&mut self) {
        self.known.clear();
    }

    /// Whom the store is to be asked about before this batch, each once, in the same order everywhere.
    pub(crate) fn wanted<'a>(&mut self, batch: &'a Batch) -> Vec<Wanted<'a>> {
        if self.known.len() >= self.most {
            self.known.clear();
        }
        let mut wanted: Vec<(&Arc<Caller>, i64)> = Vec::new();
        for record in batch.intents.iter().map(|draft| &draft.record).chain(batch.records.iter().map(|pending| &pending.record)) {
            let at = record.at.as_microsecond();
            let fresh = || self.known.get(record.caller.key()).is_some_and(|known| at.saturating_sub(known.used) < STALE);
            if is_person(&record.caller) && !fresh() {
                wanted.push((&record.caller, at));
            }
        }
        // The latest use of each caller comes first, and stays.
        wanted.sort_unstable_by(|(one, at), (other, later)| one.key().cmp(other.key()).then(later.cmp(at)));
        wanted.dedup_by(|(one, _), (other, _)| one.key() == other.key());
        wanted.into_iter().map(|(caller, used)| Wanted { caller, fresh: fresh(), used }).collect()
    }

    /// The store has said it.
    pub(crate) fn learn(&mut self, wanted: &Wanted<'_>, pseudonym: String) {
        self.known.insert(wanted.caller.key().clone(), Known { pseudonym, used: wanted.used });
    }

    /// The members of `record` as they are written down. `session` is where a digest may stand meanwhile.
    fn cover<'a>(&'a self, record: &'a Record, session: &'a mut String) -> View<'a> {
        let mut view = record.view();
        if is_person(&record.caller) {
            let known = self.known.get(record.caller.key());
            view.caller = &known.expect("the store was asked about everybody in the batch").pseudonym;
            session.clear();
            if let Some(whole) = view.session {
                hex(digest(&SHA256, format!("{} {whole}", view.caller).as_bytes()).as_ref(), session);
                view.session = Some(session);
            }
        }
        view
    }
}

/// The members of `record` as they are written down, with or without pseudonyms.
pub(crate) fn view<'a>(names: Option<&'a Names>, record: &'a Record, session: &'a mut String) -> View<'a> {
    names.map_or_else(|| record.view(), |names| names.cover(record, session))
}

/// Whether this caller is somebody who could want to be forgotten.
fn is_person(caller: &Caller) -> bool {
    caller.proof != Proof::Local || !matches!(caller.id().as_ref(), "" | "local" | "gate")
}

/// A pseudonym that nobody has.
fn fresh() -> String {
    let mut bytes = [0; DIGITS / 2];
    rand::fill(&mut bytes).expect("the system's random numbers do not run out");
    let mut text = PREFIX.to_owned();
    hex(&bytes, &mut text);
    text
}

/// Appends the first bytes in hexadecimal, as many as a pseudonym has.
fn hex(bytes: &[u8], text: &mut String) {
    for byte in bytes.iter().take(DIGITS / 2) {
        write!(text, "{byte:02x}").expect("a text takes everything");
    }
}
