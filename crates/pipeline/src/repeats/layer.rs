//! The layer.

use std::{
    hash::{BuildHasher as _, Hash as _, Hasher as _, RandomState},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use callgate_model::{Call, Fault, Kind, Reply, Target};
use moka::{policy::EvictionPolicy, sync::Cache};
use prometheus_client::metrics::counter::Counter;
use tokio::time::Instant;

use super::Config;
use crate::{
    Error,
    layer::{Layer, Next, Opening},
};

/// How many different failing calls of one caller are remembered.
const CALLS: usize = 16;

struct Repeats {
    config: Config,
    /// By the caller's key; only of callers that have failed.
    callers: Cache<Arc<str>, Arc<Mutex<Vec<Failing>>>>,
    hasher: RandomState,
    refused: Counter,
}

/// A call that fails, by its hash.
struct Failing {
    call: u64,
    times: u32,
    since: Instant,
}

pub(crate) fn open(opening: &mut Opening<'_>) -> Result<Box<dyn Layer>, Error> {
    let config = opening.settings.quotas.repeats.clone();
    let callers = Cache::builder().max_capacity(config.callers).eviction_policy(EvictionPolicy::lru()).build();
    let refused = Counter::default();
    opening.registry.register(
        "mcp_repeats_refused",
        "Calls refused because the same call of the same caller kept failing",
        refused.clone(),
    );
    Ok(Box::new(Repeats { config, callers, hasher: RandomState::new(), refused }))
}

#[async_trait]
impl Layer for Repeats {
    fn concerns(&self, _tool: Option<usize>) -> bool {
        self.config.after > 0
    }

    async fn call(&self, call: &Call, next: Next<'_>) -> Result<Reply, Fault> {
        let known = self.callers.get(call.caller.key());
        if let Some(known) = &known {
            self.look(call, known)?;
        }
        let result = next.run(call).await;
        if is_the_callers(&result) {
            self.count(call);
        } else if let Some(known) = known {
            let hash = self.hash(call);
            lock(&known).retain(|failing| failing.call != hash);
        }
        result
    }
}

impl Repeats {
    /// Refuses a call that has failed often enough.
    fn look(&self, call: &Call, known: &Mutex<Vec<Failing>>) -> Result<(), Fault> {
        let hash = self.hash(call);
        let within = self.config.within.get();
        let mut calls = lock(known);
        calls.retain(|failing| failing.since.elapsed() < within);
        let Some(failing) = calls.iter().find(|failing| failing.call == hash && failing.times >= self.config.after) else { return Ok(()) };
        let left = within.saturating_sub(failing.since.elapsed());
        self.refused.inc();
        Err(stop(failing.times, left))
    }

    fn count(&self, call: &Call) {
        let hash = self.hash(call);
        let known = self.callers.get_with(call.caller.key().clone(), Arc::default);
        let mut calls = lock(&known);
        match calls.iter_mut().find(|failing| failing.call == hash) {
            Some(failing) => failing.times += 1,
            None => {
                if calls.len() == CALLS {
                    calls.remove(0);
                }
                calls.push(Failing { call: hash, times: 1, since: Instant::now() });
            }
        }
    }

    /// What makes two calls of a caller the same. The order of the arguments does not.
    fn hash(&self, call: &Call) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        call.target.sort().hash(&mut hasher);
        call.target.name().hash(&mut hasher);
        call.arguments.hash(&mut hasher);
        if let Target::Completion { argument, value, .. } = &call.target {
            (argument, value).hash(&mut hasher);
        }
        hasher.finish()
    }
}

fn lock(calls: &Mutex<Vec<Failing>>) -> MutexGuard<'_, Vec<Failing>> {
    // Nothing under this lock can panic halfway through a change.
    calls.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether it failed, and would fail again.
fn is_the_callers(result: &Result<Reply, Fault>) -> bool {
    match result {
        Ok(Reply::Tool(reply)) => reply.is_error,
        Ok(_) => false,
        Err(fault) => !matches!(
            fault.kind(),
            Kind::Limited { .. } | Kind::Timeout | Kind::Overloaded { .. } | Kind::Unavailable { .. } | Kind::Unclear | Kind::Cancelled
        ),
    }
}

fn stop(times: u32, left: Duration) -> Fault {
    let seconds = left.as_millis().div_ceil(1000).max(1);
    let message = format!(
        "this call has failed {times} times with the same arguments and was not tried again: stop repeating it, change the arguments or ask \
         the user; it is looked at again in {seconds} s"
    );
    Fault::new(Kind::Limited { retry_after: left }, message).because("the same call keeps failing")
}
