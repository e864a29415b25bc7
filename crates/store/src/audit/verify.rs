//! Checks an audit log from its first record to its last.
//!
//! Each chain begins at its start or at a checkpoint that a later record attests. Every record must stand at its place, say so itself,
//! and hash to what is stored behind the record before it. Signed heads then say how far a chain had come at some time: a chain that
//! is shorter, or has another record there, was cut off or rewritten.

use std::{collections::HashMap, fmt};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Entry, Hash, Head, Log, Row};
use crate::Error;

/// How many records are read in one go.
const PAGE: usize = 1000;

/// The sort of records about the log itself. No call has it.
pub(crate) const SORT: &str = "audit";

/// The name of the records that attest checkpoints.
pub(crate) const PRUNED: &str = "prune";

/// What is wrong with a log, at the first place where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The chain.
    pub chain: u32,
    /// The record.
    pub seq: u64,
    /// What is wrong with it.
    pub why: Wrong,
}

/// What can be wrong with a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// It is not there, and later ones are.
    Missing,
    /// Its hash is not that of its line behind the record before it: the line, the hash or the record before was changed.
    Hash,
    /// Its line does not say the place where it stands, or is no record.
    Place,
    /// The chain begins here, and no record attests that older ones were removed by age.
    Unattested,
    /// A signed head says that the chain had come this far; it has not.
    Truncated,
    /// A signed head names another hash for this record.
    Head,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let why = match self.why {
            Wrong::Missing => "is missing, and later records are there",
            Wrong::Hash => "does not hash to what is stored: it was changed",
            Wrong::Place => "does not belong where it stands, or is no record",
            Wrong::Unattested => "is said to have been removed by age, and no record of the gate says so",
            Wrong::Truncated => "is missing: a signed head says that the chain had come this far",
            Wrong::Head => "is not the one that a signed head names: the chain was written anew",
        };
        write!(f, "chain {}, record {}: {why}", self.chain, self.seq)
    }
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The chains, as far as they are whole.
    pub chains: Vec<Head>,
    /// How many records were checked.
    pub records: u64,
    /// How many signed heads were compared.
    pub heads: usize,
    /// Calls with an intent and no record yet.
    pub intents: u64,
    /// Records of versions that had no chain; nothing can be said about them.
    pub before_chain: u64,
    /// The first record of each chain with which something is wrong.
    pub broken: Vec<Broken>,
}

/// What a record about removed records says.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Attested {
    checkpoints: Vec<Checkpoint>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Checkpoint {
    chain: u32,
    seq: u64,
    hash: String,
}

/// Reads all of `log` and compares it with `heads`, whose signatures have been checked.
pub async fn verify(log: &dyn Log, heads: &[Head]) -> Result<Report, Error> {
    let left = log.left().await?;
    let mut walk = Walk::new(&left.checkpoints, heads);
    let (mut chain, mut seq) = (0, 0);
    loop {
        let rows = log.after(chain, seq, PAGE).await?;
        let Some(last) = rows.last() else { break };
        (chain, seq) = (last.chain, last.seq);
        rows.iter().for_each(|row| walk.step(row));
    }
    let mut report = walk.end();
    report.intents = left.intents;
    report.before_chain = left.before_chain;
    Ok(report)
}

/// A walk along all chains.
struct Walk<'a> {
    checkpoints: &'a [Head],
    /// Checkpoints of chains that the walk has not come to.
    starts: HashMap<u32, Head>,
    heads: &'a [Head],
    /// What heads say: the hash of a record, or several that contradict each other.
    said: HashMap<(u32, u64), Vec<Hash>>,
    attested: Vec<Head>,
    at: Option<Head>,
    lost: bool,
    report: Report,
}

impl<'a> Walk<'a> {
    fn new(checkpoints: &'a [Head], heads: &'a [Head]) -> Self {
        let mut said: HashMap<_, Vec<Hash>> = HashMap::new();
        for head in heads {
            said.entry((head.chain, head.seq)).or_default().push(head.hash);
        }
        Self {
            checkpoints,
            starts: checkpoints.iter().map(|head| (head.chain, *head)).collect(),
            heads,
            said,
            attested: Vec::new(),
            at: None,
            lost: false,
            report: Report { heads: heads.len(), ..Report::default() },
        }
    }

    fn step(&mut self, row: &Row) {
        if self.at.is_none_or(|at| at.chain != row.chain) {
            self.close();
            self.at = Some(self.starts.remove(&row.chain).unwrap_or_else(|| Head::start(row.chain)));
            self.lost = false;
        }
        let Some(at) = self.at else { return };
        if self.lost || row.seq <= at.seq {
            // What a checkpoint covers may still be there while it is being removed.
            return;
        }
        match judge(&at, row) {
            Err(why) => self.break_off(at.chain, at.seq + 1, why),
            Ok((head, _)) if self.is_denied(&head) => self.break_off(head.chain, head.seq, Wrong::Head),
            Ok((head, entry)) => {
                self.report.records += 1;
                self.at = Some(head);
                self.attested.extend(attested(&entry));
            }
        }
    }

    /// A signed head names another hash for this place.
    fn is_denied(&self, head: &Head) -> bool {
        self.said.get(&(head.chain, head.seq)).is_some_and(|said| said.iter().any(|said| *said != head.hash))
    }

    fn break_off(&mut self, chain: u32, seq: u64, why: Wrong) {
        self.lost = true;
        self.report.broken.push(Broken { chain, seq, why });
    }

    /// The chain of the walk has come to its end.
    fn close(&mut self) {
        if let Some(at) = self.at.take() {
            self.report.chains.push(at);
        }
    }

    fn end(mut self) -> Report {
        self.close();
        // Chains of which nothing is left but the place where they would go on.
        self.report.chains.extend(std::mem::take(&mut self.starts).into_values());
        for point in self.checkpoints {
            let why = if self.is_denied(point) { Wrong::Head } else { Wrong::Unattested };
            if why == Wrong::Head || !self.attested.contains(point) {
                self.report.broken.insert(0, Broken { chain: point.chain, seq: point.seq, why });
            }
        }
        let chains = self.report.chains.clone();
        for head in self.heads {
            let chain = chains.iter().find(|chain| chain.chain == head.chain);
            if chain.is_none_or(|chain| chain.seq < head.seq) && !self.report.broken.iter().any(|broken| broken.chain == head.chain) {
                let seq = chain.map_or(0, |chain| chain.seq) + 1;
                self.report.broken.push(Broken { chain: head.chain, seq, why: Wrong::Truncated });
            }
        }
        self.report
    }
}

/// The head behind `row` and what it says, if it is the next of the chain and whole.
fn judge(at: &Head, row: &Row) -> Result<(Head, Entry), Wrong> {
    if row.seq != at.seq + 1 {
        return Err(Wrong::Missing);
    }
    let next = at.then(&row.line);
    if row.hash != Some(next.hash) {
        return Err(Wrong::Hash);
    }
    let entry = std::str::from_utf8(&row.line).ok().and_then(Entry::parse).ok_or(Wrong::Place)?;
    if (entry.chain, entry.seq) == (row.chain, row.seq) { Ok((next, entry)) } else { Err(Wrong::Place) }
}

/// The checkpoints that this record attests.
fn attested(entry: &Entry) -> Vec<Head> {
    let speaks = entry.sort == SORT && entry.name == PRUNED;
    let attested = speaks.then(|| serde_json::from_str::<Attested>(&entry.arguments).ok()).flatten();
    let head = |point: Checkpoint| Some(Head { chain: point.chain, seq: point.seq, hash: Hash::from_hex(&point.hash)? });
    attested.into_iter().flat_map(|attested| attested.checkpoints).filter_map(head).collect()
}

/// The record that attests these checkpoints.
pub(crate) fn attest(checkpoints: &[Head], at: Timestamp) -> Entry {
    let checkpoint = |head: &Head| Checkpoint { chain: head.chain, seq: head.seq, hash: head.hash.to_string() };
    let attested = Attested { checkpoints: checkpoints.iter().map(checkpoint).collect() };
    let own = |text: &str| text.to_owned();
    Entry {
        at,
        tenant: own("local"),
        caller: own("gate"),
        proof: own("local"),
        transport: own("store"),
        sort: own(SORT),
        name: own(PRUNED),
        arguments: serde_json::to_string(&attested).expect("numbers and texts always have a JSON text"),
        outcome: own("ok"),
        ..Entry::default()
    }
}
