//! What was decided about a credential in the last seconds, so that the usual request costs a hash and a look.
//!
//! A credential itself is never kept, only its digest. What is remembered is forgotten after a time that the operator chose, at
//! most five seconds: that is how long a revoked key, a rotated signing key or a changed claim may still be seen as it was.

use std::{sync::Arc, time::Duration};

use aws_lc_rs::digest::{Context, SHA256};
use callgate_model::{Caller, Clock, Unidentified};
use moka::sync::Cache;
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
    span: Duration,
    clock: Clock,
}

#[derive(Clone, Debug)]
struct Known {
    caller: Arc<Caller>,
    until: Instant,
    weight: u32,
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
    /// Room for `bytes` of callers and `refusals` refusals, each for `span`.
    pub(crate) fn new(bytes: u64, refusals: u64, span: Duration, clock: Clock) -> Self {
        let known = Cache::builder().max_capacity(bytes).weigher(|_, known: &Known| known.weight).build();
        Self { known, refused: Cache::builder().max_capacity(refusals).build(), span, clock }
    }

    /// What was decided, if that is still fresh and the proof has not ended.
    pub(crate) fn recall(&self, digest: &Digest) -> Option<Result<Arc<Caller>, Unidentified>> {
        let now = Instant::now();
        if let Some(Known { caller, until, .. }) = self.known.get(digest) {
            let holds = now < until && caller.expires.is_none_or(|end| self.clock.now() < end);
            return holds.then_some(Ok(caller));
        }
        let (reason, until) = self.refused.get(digest)?;
        (now < until).then(|| Err(Unidentified::Refused(reason.as_ref().into())))
    }

    /// Remembers a decision about a credential of `length` bytes, if it is one that will still hold in a moment.
    pub(crate) fn keep(&self, digest: Digest, length: usize, decision: &Result<Arc<Caller>, Refusal>) {
        let until = Instant::now() + self.span;
        match decision {
            Ok(caller) => {
                let weight = u32::try_from(length).unwrap_or(u32::MAX).saturating_mul(GROWTH).saturating_add(CALLER);
                self.known.insert(digest, Known { caller: caller.clone(), until, weight });
            }
            Err(Refusal::Lasting(reason)) => self.refused.insert(digest, (reason.as_str().into(), until)),
            Err(Refusal::Now(_) | Refusal::Away { .. }) => {}
        }
    }
}
