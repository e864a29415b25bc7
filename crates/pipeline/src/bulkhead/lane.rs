//! Who has a place and who waits for one, at one depth of one room. Plain bookkeeping: no waiting happens here.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use tokio::sync::oneshot;

use super::config::Bounds;

/// What a waiting call is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// It has a place.
    Enter,
    /// It gave way to a tenant that has fewer calls here.
    Leave,
}

/// The places and the waiting room.
#[derive(Debug, Default)]
pub(super) struct Lane {
    running: usize,
    waiting: usize,
    /// Only tenants that have something here and one more, so hardly more than there are places and seats.
    tenants: HashMap<Arc<str>, Line>,
    next: u64,
}

#[derive(Debug, Default)]
struct Line {
    running: usize,
    waiting: VecDeque<Waiter>,
}

#[derive(Debug)]
struct Waiter {
    number: u64,
    tell: oneshot::Sender<Told>,
}

/// A seat in the waiting room.
#[derive(Debug)]
pub(super) struct Seat {
    number: u64,
    pub(super) told: oneshot::Receiver<Told>,
}

impl Lane {
    /// Takes a place, if there is one and nobody with the same right waits for it.
    pub(super) fn enter(&mut self, tenant: &Arc<str>, bounds: &Bounds) -> bool {
        if self.running >= bounds.places {
            return false;
        }
        // Whoever waits while places are free waits for a place of its own tenant: nobody is overtaken.
        let line = self.tenants.entry(tenant.clone()).or_default();
        if line.running >= bounds.tenant || !line.waiting.is_empty() {
            return false;
        }
        line.running += 1;
        self.running += 1;
        true
    }

    /// Takes a seat, if need be from the tenant that has most.
    pub(super) fn wait(&mut self, tenant: &Arc<str>, bounds: &Bounds) -> Option<Seat> {
        if self.waiting >= bounds.waiting && !self.send_away(tenant) {
            self.forget(tenant);
            return None;
        }
        let (tell, told) = oneshot::channel();
        let number = self.next;
        self.next += 1;
        self.tenants.entry(tenant.clone()).or_default().waiting.push_back(Waiter { number, tell });
        self.waiting += 1;
        Some(Seat { number, told })
    }

    /// How many calls would get a place before one more of this tenant.
    pub(super) fn ahead(&self, tenant: &str) -> usize {
        let own = self.tenants.get(tenant).map_or(0, |line| line.waiting.len());
        self.tenants.values().map(|line| line.waiting.len().min(own + 1)).sum()
    }

    /// A call leaves its place; the place goes to whoever waits for it.
    pub(super) fn leave(&mut self, tenant: &str, bounds: &Bounds) {
        if let Some(line) = self.tenants.get_mut(tenant) {
            line.running -= 1;
            self.running -= 1;
        }
        self.forget(tenant);
        while self.waiting > 0 && self.running < bounds.places && self.admit(bounds) {}
    }

    /// A call gives up waiting, or was told something that it did not hear.
    pub(super) fn give_up(&mut self, tenant: &str, seat: &mut Seat, bounds: &Bounds) {
        let Some(line) = self.tenants.get_mut(tenant) else { return };
        if let Some(place) = line.waiting.iter().position(|waiter| waiter.number == seat.number) {
            line.waiting.remove(place);
            self.waiting -= 1;
            self.forget(tenant);
        } else if seat.told.try_recv() == Ok(Told::Enter) {
            self.leave(tenant, bounds);
        }
    }

    pub(super) fn running(&self) -> usize {
        self.running
    }

    pub(super) fn waiting(&self) -> usize {
        self.waiting
    }

    /// Gives a place to the waiting tenant with the fewest; of two alike, to the one that waits longer.
    fn admit(&mut self, bounds: &Bounds) -> bool {
        let waits = self.tenants.values_mut().filter(|line| line.running < bounds.tenant && !line.waiting.is_empty());
        let Some(line) = waits.min_by_key(|line| (line.running, line.waiting[0].number)) else { return false };
        if let Some(waiter) = line.waiting.pop_front() {
            self.waiting -= 1;
            line.running += 1;
            self.running += 1;
            // The seat outlives its place in the queue, so somebody always listens.
            let _ = waiter.tell.send(Told::Enter);
        }
        true
    }

    /// Sends away the last call of the tenant that has most seats, if it has at least two more than `tenant`.
    fn send_away(&mut self, tenant: &str) -> bool {
        let own = self.tenants.get(tenant).map_or(0, |line| line.waiting.len());
        let Some(line) = self.tenants.values_mut().max_by_key(|line| line.waiting.len()) else { return false };
        if line.waiting.len() < own + 2 {
            return false;
        }
        if let Some(waiter) = line.waiting.pop_back() {
            self.waiting -= 1;
            let _ = waiter.tell.send(Told::Leave);
        }
        true
    }

    /// The last one stays: most gates have one tenant, which comes again.
    fn forget(&mut self, tenant: &str) {
        if self.tenants.len() > 1 && self.tenants.get(tenant).is_some_and(|line| line.running == 0 && line.waiting.is_empty()) {
            self.tenants.remove(tenant);
        }
    }
}
