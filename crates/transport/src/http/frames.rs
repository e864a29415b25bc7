//! The frames of an HTTP/2 connection as they come in, because hyper answers each and bounds none that opens no stream.
//!
//! Pings, settings, priorities, resets and empty pieces of a body cost their sender nothing and us a look and an answer each. A client
//! that means well sends a few; one that sends them without end is hung up on. What carries something is bounded elsewhere: bodies by
//! their size, requests by how many may run. Updates of windows are as many as there are pieces of our answers.

use tokio::time::Instant;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const HEADER: usize = 9;
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const WINDOW_UPDATE: u8 = 8;
/// So many idle frames a client may send for each request, such as measuring how far away we are.
const PER_REQUEST: u64 = 4;
/// So many bytes of our answers earn a client one update of a window.
const BYTES_PER_UPDATE: u64 = 512;

/// What was read of a connection's frames.
pub(super) struct Frames {
    /// How many bytes of the preface have come, while it still can be one.
    preface: Option<usize>,
    header: [u8; HEADER],
    length: usize,
    /// How much of the present frame is still to come.
    payload: usize,
    budget: Budget,
}

/// How many idle frames a client may send: so many at once, and as many again in each second.
struct Budget {
    most: u64,
    spent: u64,
    since: Instant,
    /// Bytes of answers that have not earned anything yet.
    written: u64,
}

impl Frames {
    /// A connection that may send `most` idle frames a second.
    pub(super) fn new(most: u64) -> Self {
        let budget = Budget { most, spent: 0, since: Instant::now(), written: 0 };
        Self { preface: Some(0), header: [0; HEADER], length: 0, payload: 0, budget }
    }

    /// Reads on; says whether the client has sent too many frames that ask nothing.
    pub(super) fn read(&mut self, mut bytes: &[u8]) -> bool {
        let Some(seen) = self.preface else { return false };
        if seen < PREFACE.len() {
            let length = bytes.len().min(PREFACE.len() - seen);
            let (start, rest) = bytes.split_at(length);
            if PREFACE[seen..seen + length] != *start {
                // It is HTTP/1.
                self.preface = None;
                return false;
            }
            self.preface = Some(seen + length);
            bytes = rest;
        }
        while !bytes.is_empty() {
            let skipped = self.payload.min(bytes.len());
            self.payload -= skipped;
            bytes = &bytes[skipped..];
            let taken = (HEADER - self.length).min(bytes.len());
            self.header[self.length..self.length + taken].copy_from_slice(&bytes[..taken]);
            self.length += taken;
            bytes = &bytes[taken..];
            if self.length == HEADER && self.is_too_much() {
                return true;
            }
        }
        false
    }

    /// So many bytes of answers went out.
    pub(super) fn wrote(&mut self, bytes: usize) {
        self.budget.written = self.budget.written.saturating_add(bytes as u64);
    }

    /// A whole header has come.
    fn is_too_much(&mut self) -> bool {
        let [high, middle, low, kind, ..] = self.header;
        self.length = 0;
        self.payload = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
        match kind {
            HEADERS => {
                self.budget.earn();
                false
            }
            DATA if self.payload > 0 => false,
            WINDOW_UPDATE if self.budget.written >= BYTES_PER_UPDATE => {
                self.budget.written -= BYTES_PER_UPDATE;
                false
            }
            _ => self.budget.spend(),
        }
    }
}

impl Budget {
    /// A request has come, and what belongs to it.
    fn earn(&mut self) {
        self.spent = self.spent.saturating_sub(PER_REQUEST);
    }

    /// One more idle frame; says whether it is one too many.
    fn spend(&mut self) -> bool {
        if self.since.elapsed().as_secs() > 0 {
            self.since = Instant::now();
            self.spent = 0;
        }
        self.spent += 1;
        self.spent > self.most
    }
}
