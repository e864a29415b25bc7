//! Which calls are sampled.

use callgate_model::TraceParent;

/// Decides by the caller's word or by the trace's id, so that replicas and the next gate decide alike.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sampler {
    pub(crate) ratio: f64,
    pub(crate) follow: bool,
}

impl Sampler {
    /// Whether a call of this trace is sampled.
    pub(crate) fn takes(self, parent: Option<TraceParent>, trace: u128) -> bool {
        match parent {
            Some(parent) if self.follow => parent.sampled,
            _ => self.ratio >= 1.0 || part(trace) < self.ratio,
        }
    }
}

/// Where an id stands between 0 and 1. Its lower half is what is random in it, whoever made it.
#[expect(clippy::cast_precision_loss, reason = "53 bits are exact")]
fn part(trace: u128) -> f64 {
    let low = u64::try_from(trace & u128::from(u64::MAX)).unwrap_or(u64::MAX);
    (low >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use callgate_model::TraceParent;

    use super::Sampler;

    fn check(ratio: f64, follow: bool, sampled: Option<bool>, low: u64, expected: bool) {
        let parent = sampled.map(|sampled| TraceParent { trace: 1, span: 1, sampled });
        assert_eq!(Sampler { ratio, follow }.takes(parent, u128::from(low)), expected, "{ratio} {follow} {sampled:?} {low:x}");
    }

    #[test]
    fn the_caller_decides_or_the_ratio_does() {
        check(0.0, true, Some(true), 0, true);
        check(1.0, true, Some(false), 0, false);
        check(0.0, false, Some(true), 0, false);
        check(1.0, false, Some(false), u64::MAX, true);
        check(0.0, true, None, 0, false);
        check(1.0, true, None, u64::MAX, true);
        check(0.5, true, None, u64::MAX / 2 - 4096, true);
        check(0.5, true, None, u64::MAX / 2 + 4096, false);
        check(0.25, true, None, 1 << 61, true);
        check(0.25, true, None, 3 << 61, false);
    }
}
