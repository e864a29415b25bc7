//! Which contexts are believed, which steps become spans, and that they come out whole on whatever way a call is left.

use std::{
    fmt::Write as _,
    sync::{Arc, Mutex},
    time::Duration,
};

use jiff::Timestamp;
use tokio::time::sleep;

use super::{Beginning, Collect, Ended, Note, Spans, Step, Trace, TraceParent, is_tracestate};

const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

#[test]
fn only_what_has_the_form_of_a_traceparent_is_one() {
    let long = format!("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-{}", "x".repeat(80));
    let cases = [
        (GOOD, Some(true)),
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00", Some(false)),
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-03", Some(true)),
        ("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-the-future-brings", Some(true)),
        ("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.what", None),
        ("ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", None),
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-", None),
        ("00-00000000000000000000000000000000-00f067aa0ba902b7-01", None),
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01", None),
        ("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", None),
        ("00-4bf92f3577b34da6a3ce929d0e0e473+-00f067aa0ba902b7-01", None),
        ("00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", None),
        ("00-4bf92f3577b34da6a3ce929d0e0e47ä-00f067aa0ba902b7-01", None),
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7", None),
        (&long, None),
        ("", None),
    ];
    for (text, sampled) in cases {
        assert_eq!(TraceParent::parse(text).map(|parent| parent.sampled), sampled, "{text}");
    }
    assert_eq!(TraceParent::parse(GOOD).expect("a context").to_string(), GOOD);
}

#[test]
fn only_what_has_the_form_of_a_tracestate_is_one() {
    let many = vec!["a=1"; 33].join(",");
    let long = format!("a={}", "x".repeat(511));
    let good = ["rojo=00f067aa0ba902b7,congo=t61rcWkgMzE", "a=1, b@c=2", "a=b c"];
    let bad = ["", "a", "a=", "=1", "a=1,", "A=1", "a=1\u{7f}", "a=1\r\nb: 2", "a=ä", "a=b=c", &many, &long];
    good.iter().for_each(|text| assert!(is_tracestate(text), "{text}"));
    bad.iter().for_each(|text| assert!(!is_tracestate(text), "{text}"));
}

/// Writes down what is collected: one line a span, indented below its parent.
#[derive(Default)]
struct Shelf(Mutex<String>);

impl Collect for Shelf {
    fn collect(&self, Spans { trace, state, spans, lost }: Spans) {
        let mut text = format!("{trace:x} {} lost={lost}\n", state.unwrap_or_default());
        let mut deep = Vec::<(u64, usize)>::new();
        for span in spans {
            let above = deep.iter().find(|(id, _)| Some(*id) == span.parent).map_or(0, |(_, depth)| depth + 1);
            deep.push((span.id, above));
            let took = span.ended.duration_since(span.began).as_millis();
            let notes: Vec<_> = span.notes.iter().map(|(key, note)| format!(" {key}={}", said(note))).collect();
            writeln!(text, "{:above$}{} {:?} {took}ms{}", "", span.name, span.outcome, notes.concat(), above = above * 2).expect("a text");
        }
        self.0.lock().expect("a lock").push_str(&text);
    }
}

fn said(note: &Note) -> String {
    match note {
        Note::Text(text) => text.to_string(),
        Note::Number(number) => number.to_string(),
    }
}

fn begin(most: u16) -> (Arc<Shelf>, Step) {
    let shelf = Arc::new(Shelf::default());
    let at = Timestamp::from_second(1_700_000_000).expect("a time");
    let state = Some("a=1".to_owned());
    let collector = shelf.clone();
    (shelf, Trace::begin(Beginning { trace: 0xabc, parent: Some(7), state, ids: u64::MAX, at, most, collector }))
}

fn check(shelf: &Shelf, expected: &str) {
    assert_eq!(*shelf.0.lock().expect("a lock"), expected);
}

#[tokio::test(start_paused = true)]
async fn steps_that_only_let_a_call_pass_are_left_out() {
    let (shelf, root) = begin(100);
    let passes = root.trace().step("passes");
    let noted = passes.trace().step("noted");
    noted.trace().note("callgate.cache", "miss");
    noted.trace().step("asked and passed").pass();
    let twice = noted.trace().step("twice");
    let first = twice.trace().step("first");
    sleep(Duration::from_millis(3)).await;
    first.end(Ended::Badly("unavailable"));
    let second = twice.trace().step("second");
    second.trace().note("attempt", 2);
    second.trace().asks("SELECT");
    second.end(Ended::Well);
    [twice, noted, passes].into_iter().for_each(|step| step.end(Ended::Well));
    root.end(Ended::Well);
    check(
        &shelf,
        "abc a=1 lost=0\ncall Well 3ms\n  noted Well 3ms callgate.cache=miss\n    twice Well 3ms\n      first Badly(\"unavailable\") 3ms\n      SELECT Well 0ms attempt=2\n",
    );
}

#[tokio::test(start_paused = true)]
async fn steps_that_wait_fail_or_answer_by_themselves_are_seen() {
    let (shelf, root) = begin(100);
    let waits = root.trace().step("waits");
    sleep(Duration::from_millis(5)).await;
    let cuts = waits.trace().step("cuts off");
    // Dropped like the future of a call that took too long.
    drop(cuts.trace().step("slow"));
    cuts.end(Ended::Badly("timeout"));
    waits.end(Ended::Badly("timeout"));
    root.end(Ended::Badly("timeout"));
    check(
        &shelf,
        "abc a=1 lost=0\ncall Badly(\"timeout\") 5ms\n  waits Badly(\"timeout\") 5ms\n    cuts off Badly(\"timeout\") 0ms\n      slow Dropped 0ms\n",
    );
}

#[tokio::test(start_paused = true)]
async fn a_dropped_call_and_one_with_too_many_steps_are_collected_too() {
    let (shelf, root) = begin(2);
    let kept = root.trace().step("kept");
    let lost = kept.trace().step("lost");
    // What is said of a step without room is not said of another.
    lost.trace().name("tools/call lost");
    lost.trace().asks("query lost");
    lost.trace().note("key", 2);
    kept.trace().note("key", 1);
    lost.trace().note("other", 3);
    // Nor what is said of a step below it.
    lost.trace().step("lost too").trace().note("key", 4);
    lost.end(Ended::Well);
    let late = root.trace().clone();
    drop((kept, root));
    check(&shelf, "");
    // The last part of the call that is gone.
    drop(late);
    check(&shelf, "abc a=1 lost=2\ncall Dropped 0ms\n  kept Dropped 0ms key=1\n");
}
