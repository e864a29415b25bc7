//! States that are too old. What else is refused is seen from outside, in the tests of HTTP.

use callgate_model::{Caller, Members, Target};

use super::memory::{Memory, about};
use crate::{Config, desk::Desk, testbed::Script};

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
