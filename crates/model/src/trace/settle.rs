//! Which steps are worth seeing, and what they are as spans.

use std::{borrow::Cow, time::Duration};

use jiff::Timestamp;
use tokio::time::Instant;

use super::{Ended, Note, Span, SpanKind};

/// A step that kept a call for so long by itself, with nothing below it under way, has made it wait.
const WAITED: Duration = Duration::from_millis(1);

/// One step.
pub(super) struct Frame {
    pub(super) parent: Option<u16>,
    pub(super) name: Cow<'static, str>,
    pub(super) kind: SpanKind,
    begun: Instant,
    pub(super) ended: Option<Instant>,
    pub(super) outcome: Ended,
    pub(super) notes: Vec<(&'static str, Note)>,
    /// Nothing happened in it, not even something below it.
    pub(super) passed: bool,
}

/// What stands below a step.
#[derive(Clone, Copy, Default)]
struct Below {
    count: u32,
    time: Duration,
    /// How the last of them ended.
    last: Option<Ended>,
}

impl Frame {
    pub(super) fn new(parent: Option<u16>, name: Cow<'static, str>, kind: SpanKind, begun: Instant) -> Self {
        Self { parent, name, kind, begun, ended: None, outcome: Ended::Dropped, notes: Vec::new(), passed: false }
    }

    fn time(&self) -> Duration {
        self.ended.unwrap_or(self.begun).saturating_duration_since(self.begun)
    }

    /// It did more than let the call pass.
    fn is_worth_seeing(&self, below: Below) -> bool {
        self.parent.is_none()
            || self.kind != SpanKind::Internal
            || !self.notes.is_empty()
            || below.count != 1
            || below.last != Some(self.outcome)
            || self.time().saturating_sub(below.time) >= WAITED
    }
}

/// The spans of these steps, the first of which has `parent`. A step that is left out gives its children to its own parent.
pub(super) fn settle(frames: Vec<Frame>, parent: Option<u64>, id: &dyn Fn(u16) -> u64, at: Timestamp, begun: Instant) -> Vec<Span> {
    let mut below = vec![Below::default(); frames.len()];
    for frame in frames.iter().filter(|frame| !frame.passed) {
        if let Some(parent) = frame.parent {
            let below = &mut below[usize::from(parent)];
            *below = Below { count: below.count + 1, time: below.time + frame.time(), last: Some(frame.outcome) };
        }
    }
    // The nearest span at or above each step.
    let mut nearest: Vec<Option<u64>> = Vec::with_capacity(frames.len());
    let mut spans = Vec::new();
    for (own, (frame, below)) in (0..).zip(frames.into_iter().zip(below)) {
        let above = frame.parent.map_or(parent, |above| nearest[usize::from(above)]);
        if frame.passed || !frame.is_worth_seeing(below) {
            nearest.push(above);
            continue;
        }
        nearest.push(Some(id(own)));
        let moment = |instant: Instant| at + instant.saturating_duration_since(begun);
        let (began, ended) = (moment(frame.begun), moment(frame.ended.unwrap_or(frame.begun)));
        let Frame { name, kind, outcome, notes, .. } = frame;
        spans.push(Span { id: id(own), parent: above, name, kind, began, ended, outcome, notes });
    }
    spans
}
