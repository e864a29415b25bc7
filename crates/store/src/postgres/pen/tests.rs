//! What becomes of a batch of which nobody knows whether it was committed.

use super::{Before, Pen, Sheet};
use crate::{
    Entry, Head,
    postgres::connect::Server,
    tests::{postgres::base, record},
};

fn one(head: Head) -> Sheet {
    Sheet::made(head, &[Entry::of(0, 0, &record("a"))], Vec::new())
}

#[tokio::test]
async fn a_batch_is_written_once_whatever_is_known_of_its_commit() {
    let Some(base) = base().await else { return };
    drop(base.store().await);
    let mut pen = Pen::new(Server::of(&base.config()).expect("a server"), 7);
    pen.write(one).await.expect("a record");
    assert_eq!(base.entries().await.len(), 1);
    // It was committed, and the answer was lost.
    pen.doubt = Some(pen.head());
    pen.lose().await;
    pen.write(one).await.expect("a record");
    assert_eq!(base.entries().await.len(), 1, "it is there already");
    // It was not committed.
    pen.doubt = Some(one(pen.head()).end);
    pen.lose().await;
    pen.write(one).await.expect("a record");
    assert_eq!((base.entries().await.len(), pen.head().chain, pen.head().seq), (2, 0, 2));
    base.checked().await;
    base.remove().await;
}

#[tokio::test]
async fn a_session_that_is_still_at_work_is_ended_before_its_batch_is_written_again() {
    let Some(base) = base().await else { return };
    drop(base.store().await);
    let mut pen = Pen::new(Server::of(&base.config()).expect("a server"), 7);
    pen.write(one).await.expect("a record");
    let session = pen.session.take().expect("a session");
    pen.before = Some(Before { process: session.process, chain: 0 });
    let next = one(pen.head());
    session.link.client.batch_execute("BEGIN").await.expect("a transaction");
    next.write(&session.link.client, &session.write).await.expect("a record on its way");
    pen.doubt = Some(next.end);
    pen.write(one).await.expect("a record");
    session.link.client.batch_execute("COMMIT").await.expect_err("the session was ended");
    assert_eq!((base.entries().await.len(), pen.head().chain, pen.head().seq), (2, 0, 2), "once, on the same chain");
    base.checked().await;
    base.remove().await;
}
