//! How many attempts a backend gets beyond one per call.

use std::sync::atomic::{AtomicU32, Ordering};

use super::config::Terms;

/// What one attempt costs, in the hundredths that calls add.
const ATTEMPT: u32 = 100;

/// The attempts that are left, in hundredths; begins full.
#[derive(Debug)]
pub(super) struct Budget {
    left: AtomicU32,
    part: u32,
    most: u32,
}

impl Budget {
    pub(super) fn new(terms: &Terms) -> Self {
        // At least one attempt can be saved up, or a small part would never make one.
        let most = terms.floor.saturating_mul(ATTEMPT).max(ATTEMPT);
        let left = AtomicU32::new(terms.floor.saturating_mul(ATTEMPT));
        Self { left, part: u32::from(terms.budget.hundredths()), most }
    }

    /// A call begins.
    pub(super) fn add(&self) {
        // Full is the usual case, and costs one load.
        if self.left.load(Ordering::Relaxed) < self.most {
            let more = |left: u32| (left < self.most).then(|| left.saturating_add(self.part).min(self.most));
            let _ = self.left.try_update(Ordering::Relaxed, Ordering::Relaxed, more);
        }
    }

    /// Takes one attempt, if there is one left.
    pub(super) fn take(&self) -> bool {
        self.left.try_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(ATTEMPT)).is_ok()
    }
}
