//! Replies that clients do not read: how much memory they take, and on which connection.
//!
//! A client that asks much and reads nothing makes the gate keep what it does not take. For a while that is its right, but all such
//! replies together stay within one bound: beyond it the connection that holds most of them is hung up. Whoever reads loses nothing
//! by those who do not.
//!
//! On HTTP/2 a reply counts until its stream has taken all of it. On HTTP/1 what was handed to hyper counts until as many bytes were
//! written; the heads of answers are among those, so that a reply may stop counting some hundred bytes too early.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use futures_util::task::AtomicWaker;

/// Set for a connection that is to be hung up; what it holds counts no more.
const CUT: usize = 1 << (usize::BITS - 1);

/// The replies of all connections.
pub(super) struct Backlogs {
    most: usize,
    bytes: AtomicUsize,
    opened: AtomicU64,
    cut: AtomicU64,
    connections: Mutex<HashMap<u64, Weak<Backlog>>>,
}

/// The replies of one connection.
pub(super) struct Backlog {
    all: Arc<Backlogs>,
    number: u64,
    bytes: AtomicUsize,
    waker: AtomicWaker,
}

impl Backlogs {
    /// Room for so many bytes.
    pub(super) fn new(most: usize) -> Arc<Self> {
        let (bytes, opened, cut) = (AtomicUsize::new(0), AtomicU64::new(0), AtomicU64::new(0));
        Arc::new(Self { most: most.min(CUT - 1), bytes, opened, cut, connections: Mutex::default() })
    }

    /// A connection was opened.
    pub(super) fn open(self: &Arc<Self>) -> Arc<Backlog> {
        let number = self.opened.fetch_add(1, Ordering::Relaxed);
        let (bytes, waker) = (AtomicUsize::new(0), AtomicWaker::new());
        let backlog = Arc::new(Backlog { all: self.clone(), number, bytes, waker });
        self.connections().insert(number, Arc::downgrade(&backlog));
        backlog
    }

    /// What is not read yet, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// How many connections were hung up.
    pub(super) fn cut(&self) -> u64 {
        self.cut.load(Ordering::Relaxed)
    }

    /// Hangs up until what is left fits.
    fn relieve(&self) {
        // What is let go here is dropped when nothing is locked: the last owner of a backlog takes it off the list.
        let open: Vec<_> = self.connections().values().filter_map(Weak::upgrade).collect();
        while self.bytes() > self.most {
            let Some(greatest) = open.iter().filter(|backlog| backlog.held() > 0).max_by_key(|backlog| backlog.held()) else { return };
            greatest.hang_up();
        }
    }

    fn connections(&self) -> MutexGuard<'_, HashMap<u64, Weak<Backlog>>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Backlog {
    /// So many bytes more wait for the client.
    pub(super) fn keep(&self, bytes: usize) {
        if bytes == 0 {
            return;
        }
        let before = self.all.bytes.fetch_add(bytes, Ordering::Relaxed);
        let more = |held: usize| (held & CUT == 0).then(|| held + bytes);
        if self.bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_err() {
            self.all.bytes.fetch_sub(bytes, Ordering::Relaxed);
        } else if before + bytes > self.all.most {
            self.all.relieve();
        }
    }

    /// The client took so many bytes, or they were given up.
    pub(super) fn free(&self, bytes: usize) {
        let less = |held: usize| (held & CUT == 0 && held > 0).then(|| held.saturating_sub(bytes));
        if let Ok(held) = self.bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less) {
            self.all.bytes.fetch_sub(bytes.min(held), Ordering::Relaxed);
        }
    }

    /// Ready when the connection is to be hung up.
    pub(super) fn poll_cut(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.waker.register(cx.waker());
        if self.bytes.load(Ordering::Acquire) & CUT == 0 { Poll::Pending } else { Poll::Ready(()) }
    }

    fn held(&self) -> usize {
        let held = self.bytes.load(Ordering::Relaxed);
        if held & CUT == 0 { held } else { 0 }
    }

    fn hang_up(&self) {
        let held = self.bytes.swap(CUT, Ordering::Release);
        if held & CUT == 0 {
            self.all.bytes.fetch_sub(held, Ordering::Relaxed);
            self.all.cut.fetch_add(1, Ordering::Relaxed);
            self.waker.wake();
        }
    }
}

impl Drop for Backlog {
    fn drop(&mut self) {
        self.all.bytes.fetch_sub(self.held(), Ordering::Relaxed);
        self.all.connections().remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    fn is_cut(backlog: &Backlog) -> bool {
        backlog.poll_cut(&mut Context::from_waker(Waker::noop())).is_ready()
    }

    #[test]
    fn the_connection_that_holds_most_is_hung_up() {
        let all = Backlogs::new(100);
        let [small, great, middle] = [(); 3].map(|()| all.open());
        small.keep(10);
        great.keep(60);
        middle.keep(30);
        assert_eq!(([&small, &great, &middle].map(|one| is_cut(one)), all.bytes()), ([false; 3], 100));
        small.keep(1);
        assert_eq!([&small, &great, &middle].map(|one| is_cut(one)), [false, true, false]);
        assert_eq!((all.bytes(), all.cut()), (41, 1));
    }

    #[test]
    fn what_is_read_or_given_up_counts_no_more() {
        let all = Backlogs::new(100);
        let (one, other) = (all.open(), all.open());
        one.keep(50);
        one.free(20);
        // Heads are written too, and were never kept.
        other.keep(10);
        other.free(500);
        other.free(500);
        assert_eq!(all.bytes(), 30);
        drop(one);
        assert_eq!((all.bytes(), all.connections().len()), (0, 1));
    }

    #[test]
    fn one_that_was_hung_up_holds_nothing_again() {
        let all = Backlogs::new(100);
        let one = all.open();
        one.keep(101);
        assert!(is_cut(&one));
        one.keep(70);
        one.free(70);
        assert_eq!((all.bytes(), all.cut(), is_cut(&one)), (0, 1, true));
        drop(one);
        assert_eq!(all.bytes(), 0);
    }
}
