//! Places, waiting room, and who is refused.

use std::{cell::RefCell, sync::Arc, time::Duration};

use callgate_model::{Call, Caller, Deadline, Gateway as _, Kind, Members, Origin, Proof, Target};
use futures_util::future::join_all;
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::{BackendPlaces, Config, config::Bounds, room::Room};
use crate::gate::Running;
use crate::tests::{Fixture, is_pending, told};

/// `count` calls at once that take `ms` each, with one place and one seat; the words of their outcomes and the whole time.
async fn check(count: usize, ms: u64, config: &serde_json::Value, expected: &str, seconds: f64) {
    let fixture = Fixture::new(&json!({ "calls": { "bulkhead": config } }));
    let begun = Instant::now();
    let call = || fixture.gate.call(fixture.prepared(Target::Tool("slow".into()), json!({ "ms": ms })));
    let results = join_all((0..count).map(|_| call())).await;
    let words: Vec<_> = results.iter().map(crate::outcome::word).collect();
    assert_eq!(words.join(" "), expected);
    assert!((begun.elapsed().as_secs_f64() - seconds).abs() < 0.01, "{:?}", begun.elapsed());
    assert!(fixture.gate.metrics().contains("mcp_bulkhead_running{backend=\"script\"} 0.0\n"), "{}", fixture.gate.metrics());
    assert!(fixture.gate.metrics().contains("mcp_bulkhead_waiting{backend=\"script\"} 0.0\n"));
}

#[tokio::test(start_paused = true)]
async fn calls_wait_for_a_place_and_are_refused_beyond_that() {
    check(3, 100, &json!({ "tool": 3 }), "ok ok ok", 0.1).await;
    check(3, 100, &json!({ "tool": 1, "waiting": 2 }), "ok ok ok", 0.3).await;
    check(3, 100, &json!({ "backend": 1, "waiting": 2 }), "ok ok ok", 0.3).await;
    check(3, 100, &json!({ "tool": 1 }), "ok ok overloaded", 0.2).await;
    check(3, 100, &json!({ "tool": 1, "waiting": 1 }), "ok ok overloaded", 0.2).await;
    check(3, 100, &json!({ "backend": 1, "waiting": 0 }), "ok overloaded overloaded", 0.1).await;
    check(3, 400, &json!({ "tool": 1, "waiting": 2, "wait": "500ms" }), "ok ok overloaded", 0.8).await;
}

#[tokio::test(start_paused = true)]
async fn a_refusal_says_when_to_come_back() {
    let fixture = Fixture::new(&json!({ "calls": { "bulkhead": { "tool": 1, "waiting": 0, "wait": "2s" } } }));
    let mut running = fixture.gate.call(fixture.prepared(Target::Tool("slow".into()), json!({ "ms": 100 })));
    assert!(is_pending(&mut running));
    let refused = fixture.gate.call(fixture.prepared(Target::Tool("slow".into()), json!({ "ms": 100 }))).await;
    assert_eq!(told(&refused), "overloaded this tool is busy; try again in 2s");
    let retry_after = Duration::from_secs(2);
    assert_eq!(*refused.expect_err("refused").kind(), Kind::Overloaded { retry_after });
}

#[tokio::test(start_paused = true)]
async fn a_dropped_call_gives_its_place_and_its_seat_back() {
    let fixture = Fixture::new(&json!({ "calls": { "bulkhead": { "tool": 1, "waiting": 1 } } }));
    for _ in 0..3 {
        let call = || fixture.gate.call(fixture.prepared(Target::Tool("slow".into()), json!({ "ms": 100 })));
        let (mut running, mut waiting) = (call(), call());
        assert!(is_pending(&mut running) && is_pending(&mut waiting));
    }
    assert_eq!(fixture.call("slow", json!({})).await, r#"ok {"text":""}"#);
    assert_eq!(fixture.entries().iter().filter(|entry| entry.outcome == "cancelled").count(), 6);
}

#[test]
fn bounds_follow_from_what_is_written() {
    let config = Config::default();
    let show = |Bounds { places, tenant, waiting, .. }: Bounds| (places, tenant, waiting);
    assert_eq!(show(config.of_tool(None)), (64, 48, 64));
    assert_eq!(show(config.of_tool(Some(1))), (1, 1, 1));
    assert_eq!(show(config.of_tool(Some(3)).unshared()), (3, 3, 3));
    assert_eq!(show(config.of_backend(&BackendPlaces { places: Some(10), waiting: Some(0), ..BackendPlaces::default() })), (10, 8, 0));
}

fn call_of(tenant: &str) -> Call {
    let caller = Arc::new(Caller::new(tenant, "one", Proof::Key));
    let far = Deadline::after(Duration::from_secs(3600));
    Call::new(Target::Tool("slow".into()), Members::new(), caller, Arc::new(Origin::default()), far)
}

const SERVICE: Duration = Duration::from_millis(100);

fn room(places: usize) -> Room {
    Room::new(Config::default().of_tool(Some(places)))
}

/// Enters, stays for a while, leaves; whether it was let in.
async fn visit(room: &Room, call: &Call, running: &Running) -> bool {
    let Ok(_place) = room.enter(call, "this", running).await else { return false };
    sleep(SERVICE).await;
    true
}

/// Each tenant's callers call one call after the other for twenty seconds; how many calls of each tenant were served.
async fn served<const N: usize>(places: usize, tenants: [(&str, usize); N]) -> [usize; N] {
    let (room, running) = (room(places), Running::default());
    let end = Instant::now() + Duration::from_secs(20);
    let counts = RefCell::new([0; N]);
    let worker = async |index: usize, tenant: &str| {
        while Instant::now() < end {
            if visit(&room, &call_of(tenant), &running).await {
                counts.borrow_mut()[index] += 1;
            } else {
                sleep(Duration::from_millis(20)).await;
            }
        }
    };
    let worker = &worker;
    let workers = tenants.iter().enumerate().flat_map(|(index, (tenant, count))| (0..*count).map(move |_| worker(index, tenant)));
    join_all(workers).await;
    assert_eq!((room.taken(), room.waiting()), (0, 0));
    counts.into_inner()
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_one_tenant_leaves_the_others_their_share() {
    let [alone] = served(16, [("quiet", 4)]).await;
    assert_eq!(alone, 800);
    let [quiet, flood] = served(16, [("quiet", 4), ("flood", 100)]).await;
    assert!(quiet * 10 >= alone * 9, "{quiet} of {alone}");
    assert!(flood >= 2200, "{flood}: the flood gets the places that are left");
}

#[tokio::test(start_paused = true)]
async fn tenants_that_all_want_more_than_there_is_get_the_same() {
    let [a, b, c] = served(16, [("a", 20), ("b", 50), ("c", 100)]).await;
    let share = 16 * 200 / 3;
    for count in [a, b, c] {
        assert!(count * 10 >= share * 9, "{a} {b} {c}, the share is {share}");
    }
}

/// Calls come ten times as fast as they can be served, whether or not the ones before were answered.
#[tokio::test(start_paused = true)]
async fn overload_costs_nothing_but_the_calls_that_are_too_many() {
    let (room, running) = (room(4), Running::default());
    let (admitted, refused) = (RefCell::new(Vec::new()), RefCell::new(Vec::new()));
    let arrival = async |number: u32| {
        sleep(Duration::from_micros(2500) * number).await;
        let begun = Instant::now();
        let list = if visit(&room, &call_of("one"), &running).await { &admitted } else { &refused };
        list.borrow_mut().push(begun.elapsed());
    };
    join_all((0..4000).map(arrival)).await;
    let worst = |list: &RefCell<Vec<Duration>>| list.borrow().iter().max().copied().unwrap_or_default();
    let served = admitted.borrow().len();
    // One tenant has three of the four places, for ten seconds.
    assert!(served >= 270, "{served} of 300");
    assert!(worst(&admitted) <= SERVICE * 3, "{:?}", worst(&admitted));
    assert!(worst(&refused) < Duration::from_millis(10), "{:?}", worst(&refused));
    let begun = Instant::now();
    assert!(visit(&room, &call_of("one"), &running).await && begun.elapsed() == SERVICE, "as if nothing had been");
}

#[tokio::test(start_paused = true)]
async fn who_would_wait_too_long_is_refused_at_once() {
    let bounds = Config { waiting: Some(100), wait: callgate_config::Span::millis(250), ..Config::default() }.of_tool(Some(1));
    let (room, running) = (Room::new(bounds), Running::default());
    assert!(visit(&room, &call_of("one"), &running).await);
    let begun = Instant::now();
    let visits = (0..9).map(|_| async {
        let served = visit(&room, &call_of("one"), &running).await;
        (served, begun.elapsed())
    });
    let results = join_all(visits).await;
    let served = results.iter().filter(|(served, _)| *served).count();
    assert!((3..=4).contains(&served), "{results:?}");
    let late = results.iter().filter(|(served, took)| !served && *took > Duration::from_millis(10)).count();
    assert_eq!(late, 0, "{results:?}");
}

#[tokio::test(start_paused = true)]
async fn a_full_waiting_room_makes_room_for_a_tenant_that_has_fewer_calls_in_it() {
    let (room, running) = (Room::new(Config { waiting: Some(3), ..Config::default() }.of_tool(Some(1))), Running::default());
    let calls: Vec<_> = ["a", "a", "a", "a", "b", "a", "b", "c"].map(call_of).into();
    let served = join_all(calls.iter().map(|call| visit(&room, call, &running))).await;
    // One of `a` runs and three wait; `b` takes the seat of the last of them; then all seats but one are held by others.
    assert_eq!(served, [true, true, false, false, true, false, false, true]);
}
