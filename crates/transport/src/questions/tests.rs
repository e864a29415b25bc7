//! States and secrets that are no good. What else is refused is seen from outside, in the tests of HTTP.

use callgate_model::{Caller, Members, Target};

use serde_json::json;

use super::memory::{Memory, Spent, about};
use crate::{Config, Questions, desk::Desk, testbed::Script};

#[tokio::test]
async fn a_state_that_is_too_old_is_refused() {
    let desk = Desk::new(Script::new(), &Config::default(), "http");
    let about = about(&Caller::local(), &Target::Tool("ask".into()), &Members::new());
    let now = desk.clock.now().as_second();
    for (expires, is_good) in [(now + 60, true), (now - 1, false), (0, false)] {
        let sealed = Memory { expires, ..Memory::default() }.close(&desk, &about).expect("it is small");
        assert_eq!(Memory::open(&desk, &about, &sealed).is_ok(), is_good, "{expires}");
    }
}

#[tokio::test]
async fn a_state_that_becomes_too_large_is_a_fault() {
    let desk = Desk::new(Script::new(), &Config::default(), "http");
    let memory = Memory { state: Some("x".repeat(desk.config.questions.size.bytes())), ..Memory::default() };
    assert!(memory.close(&desk, b"about").is_err());
}

#[test]
fn a_short_secret_is_refused_and_not_shown() {
    let read = |secrets: &[&str]| serde_json::from_value::<Questions>(json!({ "secrets": secrets }));
    let long = "x".repeat(32);
    assert_eq!(read(&[&long, &long]).expect("they are long enough").secrets.len(), 2);
    let short = "ä".repeat(31);
    let error = read(&[&long, &short]).expect_err("one is too short").to_string();
    assert_eq!(error, "a secret has at least 32 characters, this one has 31");
}

#[test]
fn only_so_many_used_states_are_remembered() {
    let spent = Spent::new(3, 2);
    let spend =
        |caller: &str, state: &str, expires, now| spent.spend(&caller.into(), state, expires, now).map_err(|fault| fault.kind().code());
    assert_eq!(spend("ann", "first", 10, 0), Ok(()));
    assert_eq!(spend("ann", "first", 10, 0), Err("bad_request"));
    assert_eq!(spend("ann", "second", 20, 0), Ok(()));
    assert_eq!(spend("ann", "third", 10, 0), Err("overloaded"), "the caller has no room");
    assert_eq!(spend("ann", "second", 20, 0), Err("bad_request"), "what was used is known all the same");
    assert_eq!(spend("bob", "third", 20, 0), Ok(()), "others have");
    assert_eq!(spend("cid", "fourth", 20, 0), Err("overloaded"), "there is no room");
    assert_eq!(spend("cid", "fourth", 20, 11), Ok(()), "the first is too old to be used again");
    assert_eq!(spend("ann", "fifth", 20, 11), Err("overloaded"));
}
