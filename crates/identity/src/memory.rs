//! What was decided about a credential in the last seconds, so that the usual request costs a hash and a look.
//!
//! A credential itself is never kept, only its digest. What is remembered is forgotten after a time that the operator chose, at
//! most five seconds: that is how long a revoked key, a rotated signing key or a changed claim may still be seen as it was, however long the answer was on its way.
//!
//! A caller goes from *fresh* to *due* after two fifths of that time: it is still taken, and whoever comes first may find out anew for all. Then
//! it is *forgotten*, unless what would have to be asked is away: then the last word counts for longer, up to a bound of its own.

use std::{sync::Arc, time::Duration};

use aws_lc_rs::digest::{Context, SHA256};
use callgate_model::{Caller, Clock, Unidentified};
use moka::{
    Entry,
    ops::compute::{CompResult, Op},
    sync::Cache,
};
use tokio::time::Instant;

use crate::refusal::Refusal;

/// What stands for a credential.
pub(crate) type Digest = [u8; 32];

/// How much a remembered caller weighs beside its claims, about.
const CALLER: u32 = 512;
/// How much the claims of a token grow when they are taken apart, about.
const GROWTH: u32 = 4;

/// The last decisions.
#[derive(Debug)]
pub(crate) struct Memory {
    known: Cache<Digest, Known>,
    refused: Cache<Digest, (Arc<str>, Instant)>,
    spans: Spans,
    /// How much of its time a caller has left when somebody should ask anew.
    due: Duration,
    clock: Clock,
}

/// For how long decisions hold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spans {
    /// Usually.
    pub(crate) usual: Duration,
    /// While it cannot be asked anew, counted from the last word.
    pub(crate) away: Duration,
}

#[derive(Clone, Debug)]
struct Known {
    caller: Arc<Caller>,
    until: Instant,
    /// When that was asked for which decided it.
    decided: Instant,
    is_asked: bool,
    weight: u32,
}

/// A caller from memory.
#[derive(Debug)]
pub(crate) struct Recalled {
    pub(crate) caller: Arc<Caller>,
    /// Somebody should ask anew.
    pub(crate) is_due: bool,
}

/// Whose turn a credential is: the same text is not the same in another place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sort {
    Bearer,
    Key,
    Certificate,
}

/// The digest of a credential.
pub(crate) fn digest(sort: Sort, credential: &[u8]) -> Digest {
    let mut context = Context::new(&SHA256);
    context.update(&[sort as u8]);
    context.update(credential);
    let mut digest = [0; 32];
    digest.copy_from_slice(context.finish().as_ref());
    digest
}

impl Memory {
    /// Room for `bytes` of callers and `refusals` refusals.
    pub(crate) fn new(bytes: u64, refusals: u64, spans: Spans, clock: Clock) -> Self {
        let known = Cache::builder().max_capacity(bytes).weigher(|_, known: &Known| known.weight).build();
        let refused = Cache::builder().max_capacity(refusals).build();
        Self { known, refused, spans, due: spans.usual * 3 / 5, clock }
    }

    /// What was decided, if that is still fresh and the proof has not ended.
    pub(crate) fn recall(&self, digest: &Digest) -> Option<Result<Recalled, Unidentified>> {
        let now = Instant::now();
        if let Some(Known { caller, until, is_asked, .. }) = self.known.get(digest) {
            let is_due = !is_asked && until.saturating_duration_since(now) <= self.due;
            return (now < until && !self.has_ended(&caller)).then_some(Ok(Recalled { caller, is_due }));
        }
        let (reason, until) = self.refused.get(digest)?;
        (now < until).then(|| Err(Unidentified::Refused(reason.as_ref().into())))
    }

    /// Whether it is for us to ask anew about a caller that is due; one is enough.
    pub(crate) fn claim(&self, digest: Digest) -> bool {
        let claimed = self.known.entry(digest).and_compute_with(|entry| match entry.map(Entry::into_value) {
            Some(known) if !known.is_asked => Op::Put(Known { is_asked: true, ..known }),
            Some(_) | None => Op::Nop,
        });
        matches!(claimed, CompResult::ReplacedWith(_))
    }

    /// Remembers a decision about a credential of `length` bytes, if it is one that will still hold in a moment. It counts from when it was
    /// asked for: what changed while the answer was on its way is not in it.
    pub(crate) fn keep(&self, digest: Digest, length: usize, asked: Instant, decision: &Result<Arc<Caller>, Refusal>) {
        let until = asked + self.spans.usual;
        match decision {
            Ok(caller) => {
                let weight = u32::try_from(length).unwrap_or(u32::MAX).saturating_mul(GROWTH).saturating_add(CALLER);
                self.known.insert(digest, Known { caller: caller.clone(), until, decided: asked, is_asked: false, weight });
            }
            Err(Refusal::Lasting(reason)) => {
                self.known.invalidate(&digest);
                self.refused.insert(digest, (reason.as_str().into(), until));
            }
            Err(Refusal::Now(_) | Refusal::Away { .. }) => {}
        }
    }

    /// The decision, or the last one if none could be made and that one is not too old.
    pub(crate) fn outlast(&self, digest: Digest, decision: Result<Arc<Caller>, Refusal>) -> Result<Arc<Caller>, Refusal> {
        let Err(Refusal::Away { .. }) = &decision else { return decision };
        let now = Instant::now();
        // In one step: what somebody else has just heard to be revoked does not come back.
        let kept = self.known.entry(digest).and_compute_with(|entry| match entry.map(Entry::into_value) {
            Some(known) if now < known.decided + self.spans.away && !self.has_ended(&known.caller) => {
                let end = known.decided + self.spans.away;
                Op::Put(Known { until: end.min(now + self.spans.usual), is_asked: false, ..known })
            }
            Some(_) | None => Op::Nop,
        });
        let CompResult::ReplacedWith(entry) = kept else { return decision };
        Ok(entry.into_value().caller)
    }

    fn has_ended(&self, caller: &Caller) -> bool {
        caller.expires.is_some_and(|end| end <= self.clock.now())
    }
}
