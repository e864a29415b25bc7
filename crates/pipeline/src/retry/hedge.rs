//! Asking twice: the second time after a while, and whoever answers first counts.

use std::{pin::pin, time::Duration};

use callgate_model::{Fault, Reply};
use tokio::time::sleep;

/// Runs `first`; if it has no answer after `delay` and `may` says yes, `second` beside it. The first good answer counts; the fault
/// of the first counts if neither has one. Whichever is left is dropped.
pub(super) async fn race<A, B>(first: A, delay: Duration, may: impl FnOnce() -> bool, second: impl FnOnce() -> B) -> Result<Reply, Fault>
where
    A: Future<Output = Result<Reply, Fault>>,
    B: Future<Output = Result<Reply, Fault>>,
{
    let mut first = pin!(first);
    tokio::select! {
        biased;
        result = &mut first => return result,
        () = sleep(delay) => {}
    }
    if !may() {
        return first.await;
    }
    let mut second = pin!(second());
    tokio::select! {
        biased;
        result = &mut first => match result {
            Ok(reply) => Ok(reply),
            Err(fault) => second.await.map_err(|_| fault),
        },
        result = &mut second => match result {
            Ok(reply) => Ok(reply),
            Err(_) => first.await,
        },
    }
}
