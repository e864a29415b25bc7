//! Which calls are sampled.

use callgate_model::TraceParent;

/// Decides by the caller's word or by chance. The trace's id decides nothing: a caller chooses it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sampler {
    pub(crate) ratio: f64,
    pub(crate) follow: bool,
}

impl Sampler {
    /// Whether a call with this parent is sampled; `chance` is random.
    pub(crate) fn takes(self, parent: Option<TraceParent>, chance: u64) -> bool {
        match parent {
            Some(parent) if self.follow => parent.sampled,
            _ => self.ratio >= 1.0 || part(chance) < self.ratio,
        }
    }
}

/// Where a number stands between 0 and 1.
#[expect(clippy::cast_precision_loss, reason = "53 bits are exact")]
fn part(chance: u64) -> f64 {
    (chance >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use callgate_model::TraceParent;

    use super::Sampler;

    fn check(ratio: f64, follow: bool, sampled: Option<bool>, chance: u64, expected: bool) {
        let parent = sampled.map(|sampled| TraceParent { trace: 1, span: 1, sampled });
        assert_eq!(Sampler { ratio, follow }.takes(parent, chance), expected, "{ratio} {follow} {sampled:?} {chance:x}");
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
