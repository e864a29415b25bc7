//! What a kept reply hangs on, and how that is made stale.
//!
//! A [`Mark`] names something that can be made stale: everything, a tool, or a tag, within one tenant or in all. For each mark there is a
//! counter in [`Generations`]; making a mark stale moves its counter on. A reply carries a [`Stamp`]: the counters of all its marks,
//! read before its loading began. It is good as long as none of them has moved, so a load that began before a change cannot outlive
//! it, wherever it is when the change comes.
//!
//! There is a fixed number of counters. Marks that share one are made stale together, which costs a load and nothing else; which
//! marks those are differs from process to process, so that nobody can look for them.

use std::{
    hash::{BuildHasher as _, RandomState},
    sync::atomic::{AtomicU64, Ordering},
};

use super::key::{member, sha256};

/// 64 KiB of them.
const COUNTERS: usize = 1 << 13;

/// The name of something that can be made stale, the same in all replicas.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Mark(pub(super) [u8; 16]);

/// What is made stale.
#[derive(Clone, Copy, Debug)]
pub(super) enum What<'a> {
    /// All replies.
    Everything,
    /// Those of this tool.
    Tool(&'a str),
    /// Those with this tag.
    Tag(&'a str),
}

impl Mark {
    /// The mark of `what`, for one tenant or for all.
    pub(super) fn of(what: What<'_>, tenant: Option<&str>) -> Self {
        let mut text = Vec::with_capacity(96);
        member(b"callgate mark 1", &mut text);
        let (sort, name) = match what {
            What::Everything => (b'*', ""),
            What::Tool(name) => (b'o', name),
            What::Tag(name) => (b't', name),
        };
        text.push(sort);
        member(name.as_bytes(), &mut text);
        text.push(u8::from(tenant.is_some()));
        text.extend_from_slice(tenant.unwrap_or_default().as_bytes());
        let mut mark = [0; 16];
        mark.copy_from_slice(&sha256(&text)[..16]);
        Self(mark)
    }
}

/// One counter for each mark, or for a few together.
#[derive(Debug)]
pub(super) struct Generations {
    counters: Box<[AtomicU64]>,
    hasher: RandomState,
}

impl Default for Generations {
    fn default() -> Self {
        Self { counters: std::iter::repeat_with(AtomicU64::default).take(COUNTERS).collect(), hasher: RandomState::new() }
    }
}

/// The counters of some marks at one moment.
#[derive(Clone, Debug)]
pub(super) struct Stamp(Box<[(usize, u64)]>);

impl Generations {
    /// Reads the counters of `marks`.
    pub(super) fn stamp(&self, marks: &[Mark]) -> Stamp {
        let read = |mark| {
            let place = self.place(mark);
            (place, self.counters[place].load(Ordering::SeqCst))
        };
        Stamp(marks.iter().map(read).collect())
    }

    /// None of the stamp's marks has been made stale since.
    pub(super) fn is_current(&self, stamp: &Stamp) -> bool {
        stamp.0.iter().all(|&(place, generation)| self.counters[place].load(Ordering::SeqCst) == generation)
    }

    /// Makes stale what hangs on `mark`.
    pub(super) fn advance(&self, mark: &Mark) {
        self.counters[self.place(mark)].fetch_add(1, Ordering::SeqCst);
    }

    fn place(&self, mark: &Mark) -> usize {
        #[expect(clippy::cast_possible_truncation, reason = "only the low bits are wanted")]
        let hash = self.hasher.hash_one(mark) as usize;
        hash % COUNTERS
    }
}
