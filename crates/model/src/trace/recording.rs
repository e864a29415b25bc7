//! The steps of a call while it is under way.

use std::{
    borrow::Cow,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;
use tokio::time::Instant;

use super::{
    Collect, Ended, Note, SpanKind, Spans, TraceParent,
    settle::{Frame, settle},
};

/// A place in the trace of a sampled call. Clones stand at the same place. When the last one is gone, the spans are collected.
#[derive(Clone)]
pub struct Trace {
    recording: Arc<Recording>,
    at: u16,
    /// There was no room for the step, so that this is where the nearest one above it stands. Nothing is said of it.
    lost: bool,
}

/// A step under way. It ends with [`Step::end`]; dropped before, nobody waited for its end.
#[derive(Debug)]
pub struct Step {
    trace: Trace,
    ended: bool,
}

/// What a trace begins with.
pub struct Beginning {
    /// The trace that it goes on with, or begins; never zero.
    pub trace: u128,
    /// The span of whoever called, if it said so.
    pub parent: Option<u64>,
    /// `tracestate`, as received.
    pub state: Option<String>,
    /// The ids of its spans are counted up from here; random.
    pub ids: u64,
    /// Wall-clock time.
    pub at: Timestamp,
    /// The most steps there may be; later ones are not seen.
    pub most: u16,
    /// Who takes the spans.
    pub collector: Arc<dyn Collect>,
}

struct Recording {
    beginning: Beginning,
    begun: Instant,
    steps: Mutex<Steps>,
}

#[derive(Default)]
struct Steps {
    frames: Vec<Frame>,
    lost: u32,
}

impl Trace {
    /// Begins the first step.
    #[must_use]
    pub fn begin(beginning: Beginning) -> Step {
        let begun = Instant::now();
        let first = Frame::new(None, Cow::Borrowed("call"), SpanKind::Server, begun);
        let steps = Mutex::new(Steps { frames: vec![first], lost: 0 });
        Step { trace: Self { recording: Arc::new(Recording { beginning, begun, steps }), at: 0, lost: false }, ended: false }
    }

    /// Gives this step another name, in the operator's words.
    pub fn name(&self, name: impl Into<Cow<'static, str>>) {
        self.say(|frame| frame.name = name.into());
    }

    /// Begins a step below this one.
    #[must_use]
    pub fn step(&self, name: &'static str) -> Step {
        let begun = Instant::now();
        let mut steps = self.recording.steps();
        let lost = steps.frames.len() >= usize::from(self.recording.beginning.most);
        let at = if lost {
            steps.lost += 1;
            self.at
        } else {
            steps.frames.push(Frame::new(Some(self.at), Cow::Borrowed(name), SpanKind::Internal, begun));
            // Below `most`, which is as wide.
            u16::try_from(steps.frames.len() - 1).unwrap_or(self.at)
        };
        drop(steps);
        Step { trace: Self { recording: self.recording.clone(), at, lost }, ended: false }
    }

    /// The how manieth of its siblings this step is, beginning with 1.
    #[must_use]
    pub fn place(&self) -> i64 {
        let steps = self.recording.steps();
        let parent = steps.frames[usize::from(self.at)].parent;
        let before = steps.frames.iter().take(usize::from(self.at)).filter(|frame| frame.parent == parent).count();
        i64::try_from(before + 1).unwrap_or(i64::MAX)
    }

    /// Notes something about this step, which is worth seeing from now on. Never what the caller wrote.
    pub fn note(&self, key: &'static str, value: impl Into<Note>) {
        self.say(|frame| {
            frame.notes.retain(|(own, _)| *own != key);
            frame.notes.push((key, value.into()));
        });
    }

    /// This step asks a system behind the gate. `name` says for what, in the operator's words.
    pub fn asks(&self, name: impl Into<Cow<'static, str>>) {
        self.say(|frame| (frame.kind, frame.name) = (SpanKind::Client, name.into()));
    }

    /// What whoever is asked in this step is given as `traceparent`.
    #[must_use]
    pub fn parent(&self) -> TraceParent {
        TraceParent { trace: self.recording.beginning.trace, span: self.recording.id(self.at), sampled: true }
    }

    /// `tracestate`, as received, to be given on.
    #[must_use]
    pub fn state(&self) -> Option<&str> {
        self.recording.beginning.state.as_deref()
    }

    fn say(&self, what: impl FnOnce(&mut Frame)) {
        if !self.lost {
            what(&mut self.recording.steps().frames[usize::from(self.at)]);
        }
    }
}

impl Step {
    /// The place of the step itself, to note something or to begin steps below it.
    #[must_use]
    pub fn trace(&self) -> &Trace {
        &self.trace
    }

    /// Ends it.
    pub fn end(mut self, outcome: Ended) {
        self.close(outcome);
    }

    /// Ends it without a trace of it: there was nothing to see.
    pub fn pass(mut self) {
        if !std::mem::replace(&mut self.ended, true) {
            self.trace.say(|frame| frame.passed = true);
        }
    }

    fn close(&mut self, outcome: Ended) {
        if !std::mem::replace(&mut self.ended, true) {
            let ended = Instant::now();
            self.trace.say(|frame| (frame.ended, frame.outcome) = (Some(ended), outcome));
        }
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        self.close(Ended::Dropped);
    }
}

impl Recording {
    fn steps(&self) -> MutexGuard<'_, Steps> {
        // Nothing under this lock can panic halfway through a change.
        self.steps.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn id(&self, at: u16) -> u64 {
        // Never zero, which would be no id.
        self.beginning.ids.wrapping_add(u64::from(at)) | 1 << 63
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        let Steps { frames, lost } = std::mem::take(self.steps.get_mut().unwrap_or_else(PoisonError::into_inner));
        let ids = |at| self.id(at);
        let spans = settle(frames, self.beginning.parent, &ids, self.beginning.at, self.begun);
        let Beginning { trace, state, collector, .. } = &mut self.beginning;
        collector.collect(Spans { trace: *trace, state: state.take(), spans, lost });
    }
}

impl fmt::Debug for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Trace({})", self.parent())
    }
}
