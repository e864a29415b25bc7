//! The circuit of one backend: its state, and what moves it from one state to the next.
//!
//! While it is closed, asking costs one atomic load and ending an attempt a short lock of this backend's own.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;

use super::{
    Source, Terms,
    window::{Tally, Window},
};

/// What an attempt says about the backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It answered in time.
    Good,
    /// It answered late, or gave the work up by itself when the time was over. Callers can bring that about.
    Slow,
    /// The time was over without a word of it.
    Silent,
    /// It could not be reached, or broke off.
    Bad,
    /// Nothing.
    Void,
}

/// The states, in the order of their numbers in `mcp_breaker_state`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum State {
    Closed = 0,
    HalfOpen = 1,
    Open = 2,
}

/// Whether a backend may be called.
#[derive(Debug)]
pub(crate) struct Circuit {
    terms: Terms,
    /// How often the state has changed, times four, plus the state's number. Written under the lock.
    glance: AtomicU64,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    window: Window,
    /// How often it has opened since it was last closed.
    opened: u32,
    /// It opened because the backend was slow or silent, not because it was away.
    was_soft: bool,
    until: Instant,
    /// Probes that have not ended.
    out: u32,
    /// Probes that ended well.
    good: u32,
}

/// Leave to make one attempt. Dropped without a verdict, it says nothing about the backend.
#[derive(Debug)]
pub(crate) struct Permit<'a> {
    circuit: &'a Circuit,
    issued: u64,
    is_over: bool,
}

impl Circuit {
    pub(super) fn new(terms: Terms) -> Self {
        let now = Instant::now();
        let inner = Inner { window: Window::new(terms.window, now), opened: 0, was_soft: false, until: now, out: 0, good: 0 };
        Self { terms, glance: AtomicU64::new(State::Closed as u64), inner: Mutex::new(inner) }
    }

    pub(super) fn terms(&self) -> &Terms {
        &self.terms
    }

    pub(super) fn state(&self) -> State {
        state(self.glance.load(Ordering::Acquire))
    }

    /// Whether a call has a chance; if not, when it makes sense to come back.
    pub(super) fn ask(&self) -> Result<(), Duration> {
        if self.state() == State::Closed {
            return Ok(());
        }
        let (inner, now) = (self.lock(), Instant::now());
        match self.state() {
            State::Open if now < inner.until => Err(inner.until - now),
            State::HalfOpen if inner.out + inner.good >= self.terms.probes => Err(self.terms.open),
            _ => Ok(()),
        }
    }

    /// Leave to make one attempt; without it, when it makes sense to come back.
    pub(super) fn enter(&self) -> Result<Permit<'_>, Duration> {
        let issued = self.glance.load(Ordering::Acquire);
        if state(issued) == State::Closed {
            return Ok(Permit { circuit: self, issued, is_over: false });
        }
        let (mut inner, now) = (self.lock(), Instant::now());
        match self.state() {
            State::Open if now < inner.until => return Err(inner.until - now),
            State::Open => {
                (inner.out, inner.good) = (0, 0);
                self.turn(State::HalfOpen);
            }
            State::HalfOpen if inner.out + inner.good >= self.terms.probes => return Err(self.terms.open),
            State::HalfOpen | State::Closed => {}
        }
        inner.out += u32::from(self.state() == State::HalfOpen);
        Ok(Permit { circuit: self, issued: self.glance.load(Ordering::Acquire), is_over: false })
    }

    /// An attempt of the present state ended; the state it turned to, if it did.
    fn end(&self, issued: u64, verdict: Verdict, source: Source) -> Option<State> {
        if verdict == Verdict::Void && state(issued) == State::Closed {
            return None;
        }
        let mut inner = self.lock();
        if self.glance.load(Ordering::Acquire) != issued {
            return None;
        }
        match state(issued) {
            State::Closed => self.count(&mut inner, verdict, source),
            State::HalfOpen => self.probed(&mut inner, verdict),
            State::Open => None,
        }
    }

    fn count(&self, inner: &mut Inner, verdict: Verdict, source: Source) -> Option<State> {
        let now = Instant::now();
        inner.window.add(verdict, source, now);
        // What is good never opens it, even if there is less of that in the window now than of older failures.
        if verdict == Verdict::Good {
            return None;
        }
        let (total, rest) = (inner.window.total(), inner.window.rest());
        let (is_away, is_slow) = (self.is_away(total, rest), self.is_slow(rest));
        (is_away || is_slow).then(|| {
            inner.was_soft = !self.terms.failures.is_reached(total.bad, total.all);
            self.open(inner, now)
        })
    }

    /// Silence can be of a caller's making. It counts only if those who had less of it, where there are any, have no better luck.
    fn is_away(&self, total: Tally, rest: Tally) -> bool {
        let Terms { least, failures, .. } = self.terms;
        let fails = |of: Tally| failures.is_reached(of.bad.saturating_add(of.silent), of.all);
        total.all >= least && (failures.is_reached(total.bad, total.all) || fails(total) && (rest.all == 0 || fails(rest)))
    }

    /// Slowness is of its callers' making, so that one of them alone never opens it for the others.
    fn is_slow(&self, rest: Tally) -> bool {
        let worse = rest.bad.saturating_add(rest.silent).saturating_add(rest.slow);
        rest.all >= self.terms.least && self.terms.slow_rate.is_reached(worse, rest.all)
    }

    fn probed(&self, inner: &mut Inner, verdict: Verdict) -> Option<State> {
        inner.out = inner.out.saturating_sub(1);
        match verdict {
            Verdict::Void => None,
            // Whether that is only because of this call nobody knows.
            Verdict::Slow | Verdict::Silent if inner.was_soft => None,
            Verdict::Silent | Verdict::Bad => Some(self.open(inner, Instant::now())),
            // It was away, and a slow one is not.
            Verdict::Slow | Verdict::Good => {
                inner.good += 1;
                (inner.good >= self.terms.probes).then(|| {
                    inner.opened = 0;
                    inner.window = Window::new(self.terms.window, Instant::now());
                    self.turn(State::Closed)
                })
            }
        }
    }

    fn open(&self, inner: &mut Inner, now: Instant) -> State {
        let doubled = 1 << inner.opened.min(16);
        inner.until = now + self.terms.open.saturating_mul(doubled).min(self.terms.longest);
        inner.opened += 1;
        self.turn(State::Open)
    }

    /// Called under the lock only.
    fn turn(&self, to: State) -> State {
        let changes = (self.glance.load(Ordering::Acquire) >> 2) + 1;
        self.glance.store((changes << 2) | to as u64, Ordering::Release);
        to
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permit<'_> {
    /// The attempt ended; the state to which that turned the circuit, if it did.
    pub(super) fn end(mut self, verdict: Verdict, source: Source) -> Option<State> {
        self.is_over = true;
        self.circuit.end(self.issued, verdict, source)
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            self.circuit.end(self.issued, Verdict::Void, Source::at(0));
        }
    }
}

fn state(glance: u64) -> State {
    match glance & 3 {
        0 => State::Closed,
        1 => State::HalfOpen,
        _ => State::Open,
    }
}
