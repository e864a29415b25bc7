//! URIs that clients watch: how long one may be, and how many bytes they may be of one caller and of all.
//!
//! What is bounded in number only is not bounded: a thousand sessions of a few hundred URIs each are as much as their URIs are long. So
//! each is paid for where it is kept, by whoever watches it, and paid back when it is watched no longer.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use callgate_config::Size;
use callgate_protocol::RpcError;

use crate::config::Listen;

/// What one URI costs beyond its bytes: its place in a table, and what the allocator adds.
const OVERHEAD: usize = 64;

/// What may be watched.
pub(crate) struct Allowance {
    longest: Size,
    per_caller: usize,
    total: usize,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    all: usize,
    callers: HashMap<Arc<str>, usize>,
}

/// There is no room for more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Full {
    /// Of this caller.
    Caller,
    /// Of anybody.
    All,
}

impl From<Full> for RpcError {
    fn from(full: Full) -> Self {
        match full {
            Full::Caller => Self::invalid_params(
                "your sessions and streams watch as much as one caller may (wire.listen.uris_per_caller); unsubscribe from something, or end one",
            ),
            Full::All => {
                Self::new(Self::INTERNAL, "all callers together watch as much as they may (wire.listen.uris_total); try again later")
            }
        }
    }
}

/// What is kept in one place for one caller; free again when dropped.
pub(crate) struct Held {
    allowance: Arc<Allowance>,
    caller: Arc<str>,
    bytes: usize,
}

impl Allowance {
    /// As much as the operator allows.
    pub(crate) fn new(limits: &Listen) -> Arc<Self> {
        let (per_caller, total) = (limits.uris_per_caller.bytes(), limits.uris_total.bytes());
        Arc::new(Self { longest: limits.uri, per_caller, total, kept: Mutex::default() })
    }

    /// Whether `uri` is short enough, however much is watched already.
    pub(crate) fn length(&self, uri: &str) -> Result<(), RpcError> {
        if uri.len() > self.longest.bytes() {
            let (length, longest) = (uri.len(), self.longest);
            return Err(RpcError::invalid_params(format!(
                "this URI has {length} bytes; one of {longest} can be watched (wire.listen.uri)"
            )));
        }
        Ok(())
    }

    /// A place for `caller` in which nothing is kept yet.
    pub(crate) fn hold(self: &Arc<Self>, caller: &Arc<str>) -> Held {
        Held { allowance: self.clone(), caller: caller.clone(), bytes: 0 }
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    /// `text` is kept too, if there is room.
    pub(crate) fn add(&mut self, text: &str) -> Result<(), Full> {
        let bytes = text.len().saturating_add(OVERHEAD);
        let mut kept = self.allowance.lock();
        let own = kept.callers.get(&self.caller).copied().unwrap_or_default();
        if own.saturating_add(bytes) > self.allowance.per_caller {
            return Err(Full::Caller);
        }
        if kept.all.saturating_add(bytes) > self.allowance.total {
            return Err(Full::All);
        }
        kept.all += bytes;
        kept.callers.insert(self.caller.clone(), own + bytes);
        self.bytes += bytes;
        Ok(())
    }

    /// A text that was added is kept no longer.
    pub(crate) fn remove(&mut self, text: &str) {
        self.free(text.len().saturating_add(OVERHEAD));
    }

    fn free(&mut self, bytes: usize) {
        let bytes = bytes.min(self.bytes);
        let mut kept = self.allowance.lock();
        self.bytes -= bytes;
        kept.all -= bytes;
        if let Some(own) = kept.callers.get_mut(&self.caller) {
            *own -= bytes;
            if *own == 0 {
                kept.callers.remove(&self.caller);
            }
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.free(self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What one text of ten bytes costs.
    const ONE: usize = 10 + OVERHEAD;

    #[test]
    fn each_caller_has_so_much_and_all_have_so_much() {
        let size = |times: usize| Size((times * ONE) as u64);
        let allowance = Allowance::new(&Listen { uris_per_caller: size(2), uris_total: size(3), ..Listen::default() });
        let (ann, bob): (Arc<str>, Arc<str>) = ("ann".into(), "bob".into());
        let text = "0123456789";
        let (mut first, mut second, mut other) = (allowance.hold(&ann), allowance.hold(&ann), allowance.hold(&bob));
        assert_eq!(
            [first.add(text), second.add(text), first.add(text), second.add("")],
            [Ok(()), Ok(()), Err(Full::Caller), Err(Full::Caller)]
        );
        assert_eq!([other.add(text), other.add(text)], [Ok(()), Err(Full::All)]);
        first.remove(text);
        assert_eq!([second.add(text), other.add(text)], [Ok(()), Err(Full::All)]);
        drop(second);
        assert_eq!([first.add(text), other.add(text), other.add("")], [Ok(()), Ok(()), Err(Full::Caller)]);
        drop((first, other));
        let kept = allowance.lock();
        assert!(kept.all == 0 && kept.callers.is_empty(), "nothing is left of who left");
    }
}
