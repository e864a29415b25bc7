//! What every kind of shared state promises; what only a server can do to one stands in `outages.rs`.

mod encrypted;
mod fair;
mod outages;
mod same;

use std::{num::NonZeroU32, time::Duration};

use bytes::Bytes;
use tokio::time::advance;

use super::{Claim, Config, Memory, Notice, Rate, Shared as _, Verdict};

fn rate(count: u32, per: Duration, burst: u32) -> Rate {
    Rate::new(NonZeroU32::new(count).unwrap(), per, NonZeroU32::new(burst).unwrap()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn values_are_kept_for_their_time_and_within_bounds() {
    let shared = Memory::new(&Config::default());
    shared.put("a", Bytes::from_static(b"1"), Duration::from_secs(60)).await.unwrap();
    shared.put("b", Bytes::from(vec![0; 2 << 20]), Duration::from_secs(60)).await.unwrap();
    assert_eq!(shared.get("a").await, Ok(Some(Bytes::from_static(b"1"))));
    assert_eq!(shared.get("b").await, Ok(None), "it is too long");
    advance(Duration::from_secs(60)).await;
    assert_eq!(shared.get("a").await, Ok(None), "its time is up");
    shared.put("a", Bytes::from_static(b"2"), Duration::from_secs(60)).await.unwrap();
    shared.delete(&["a", "c"]).await.unwrap();
    assert_eq!(shared.get("a").await, Ok(None), "it was deleted");
}

#[tokio::test]
async fn whoever_listens_hears_and_who_is_slow_knows_it() {
    let shared = Memory::new(&Config::default());
    let (mut first, mut other) = (shared.subscribe("x"), shared.subscribe("y"));
    shared.publish("x", Bytes::from_static(b"1")).await.unwrap();
    assert_eq!(first.next().await, Notice::Message(Bytes::from_static(b"1")));
    for _ in 0..2000 {
        shared.publish("y", Bytes::from_static(b"2")).await.unwrap();
    }
    assert_eq!(other.next().await, Notice::Missed);
    assert_eq!(other.next().await, Notice::Message(Bytes::from_static(b"2")));
}

#[tokio::test(start_paused = true)]
async fn what_one_refuses_costs_the_others_nothing() {
    let shared = Memory::new(&Config::default());
    let minute = Duration::from_secs(60);
    let wide = Claim { key: "wide", rate: rate(10, minute, 10), member: None };
    let narrow = Claim { key: "narrow", rate: rate(1, minute, 1), member: None };
    assert_eq!(shared.take_now(&[wide, narrow]), Verdict::Taken);
    for _ in 0..20 {
        assert_eq!(shared.take_now(&[wide, narrow]), Verdict::Refused { claim: 1, retry_after: minute });
    }
    for _ in 0..9 {
        assert_eq!(shared.take_now(&[wide]), Verdict::Taken);
    }
    assert_eq!(shared.take_now(&[wide]), Verdict::Refused { claim: 0, retry_after: minute / 10 });
}
