//! Every change of state, alone and through the column; a long random life beside a model that is too simple to be wrong.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use callgate_config::{Percent, Span};
use callgate_model::{Backend, Call, Fault, Gateway as _, Json, Kind, Offers, Reply, Target, Tool, ToolName, async_trait};
use proptest::prelude::*;
use serde_json::json;
use tokio::time::{Instant, advance};

use super::{
    Config, Permit, Source, Terms, Verdict,
    circuit::{Circuit, State},
};
use crate::tests::Fixture;

use Verdict::{Bad, Good, Silent, Slow, Void};

/// Four attempts decide, half of them bad or three quarters of them slow; refused for half a second, two probes.
fn circuit() -> Circuit {
    let config = Config {
        window: Some(Span::seconds(1)),
        failures: Some(Percent::of(50)),
        slow: super::Slow { after: None, rate: Some(Percent::of(75)) },
        least: Some(4),
        open: Some(Span::millis(500)),
        longest: Some(Span::seconds(2)),
        probes: Some(2),
    };
    Circuit::new(Terms::default().with(&config))
}

/// Each step is some milliseconds of waiting and one attempt; the states after each, as initials (`-` for a refused attempt).
async fn check(steps: &[(u64, Verdict)], expected: &str) {
    let steps: Vec<_> = steps.iter().map(|&(wait, verdict)| (wait, 0, verdict)).collect();
    check_from(&steps, expected).await;
}

/// The same with the source of each attempt.
async fn check_from(steps: &[(u64, usize, Verdict)], expected: &str) {
    let circuit = circuit();
    let mut states = String::new();
    for &(wait, source, verdict) in steps {
        advance(Duration::from_millis(wait)).await;
        let passed = circuit.enter().map(|permit| permit.end(verdict, Source::at(source))).is_ok();
        states.push(match circuit.state() {
            _ if !passed => '-',
            State::Closed => 'c',
            State::HalfOpen => 'h',
            State::Open => 'o',
        });
    }
    assert_eq!(states, expected, "{steps:?}");
}

#[tokio::test(start_paused = true)]
async fn it_opens_by_the_part_that_failed() {
    check(&[(0, Bad); 5], "ccco-").await;
    check(&[(0, Good), (0, Bad), (0, Good), (0, Bad), (0, Good)], "ccco-").await;
    check(&[(0, Good), (0, Good), (0, Good), (0, Bad), (0, Good)], "ccccc").await;
    check(&[(0, Good), (0, Slow), (0, Slow), (0, Bad), (0, Bad), (0, Bad), (0, Good)], "ccccco-").await;
    check(&[(0, Silent), (0, Silent), (0, Silent), (0, Silent), (0, Good)], "ccco-").await;
    check(&[(0, Void); 9], "ccccccccc").await;
}

#[tokio::test(start_paused = true)]
async fn no_source_alone_opens_it_by_being_slow() {
    let many = |source, verdict, count| vec![(0, source, verdict); count];
    check_from(&many(1, Slow, 99), &"c".repeat(99)).await;
    // Two do, once the rest alone is enough.
    check_from(&[many(1, Slow, 20), many(2, Slow, 4)].concat(), &format!("{}o", "c".repeat(23))).await;
    check_from(&[many(1, Slow, 9), many(2, Slow, 3), many(3, Slow, 1)].concat(), "cccccccccccco").await;
    // What of the rest was good counts, and what of the worst was good does not.
    check_from(&[many(1, Slow, 9), many(2, Good, 2), many(3, Slow, 5)].concat(), "cccccccccccccccc").await;
    check_from(&[many(1, Slow, 9), many(2, Good, 2), many(3, Slow, 6)].concat(), "cccccccccccccccco").await;
    check_from(&[many(1, Slow, 5), many(1, Good, 9), many(2, Slow, 4)].concat(), "ccccccccccccccccco").await;
    // It is forgotten with the window.
    check_from(&[many(1, Slow, 4), vec![(1000, 2, Slow); 1], many(2, Slow, 3)].concat(), "cccccccc").await;
}

#[tokio::test(start_paused = true)]
async fn silence_that_only_one_source_meets_is_its_own() {
    let many = |source, verdict, count| vec![(0, source, verdict); count];
    check_from(&[many(2, Good, 3), many(1, Silent, 90)].concat(), &"c".repeat(93)).await;
    check_from(&[many(2, Good, 1), many(1, Silent, 3), many(2, Silent, 1)].concat(), "cccco").await;
    check_from(&[many(2, Silent, 1), many(1, Silent, 3)].concat(), "ccco").await;
    check_from(&[many(2, Good, 2), many(1, Bad, 2)].concat(), "ccco").await;
}

#[tokio::test(start_paused = true)]
async fn a_slow_probe_does_not_keep_it_open() {
    // It was away and is not.
    check(&[(0, Bad), (0, Bad), (0, Bad), (0, Bad), (500, Slow), (0, Slow), (0, Good)], "cccohcc").await;
    check(&[(0, Bad), (0, Bad), (0, Bad), (0, Bad), (500, Good), (0, Silent), (0, Good)], "cccoho-").await;
    // One who met nothing but silence does not keep it from those who come later.
    let silent: Vec<_> = [(0, 1, Silent); 4].into();
    let later = [(500, 1, Silent), (0, 1, Silent), (0, 2, Good), (0, 1, Silent), (0, 2, Good), (0, 1, Silent)];
    check_from(&[silent, later.into()].concat(), "cccohhhhcc").await;
    // It was slow, and this one's slowness may be its own.
    let slow: Vec<_> = [1, 1, 1, 1, 2, 2, 2, 2].map(|source| (0, source, Slow)).into();
    let after = |more: &[(u64, usize, Verdict)]| [&slow, more].concat();
    check_from(&after(&[(500, 1, Slow), (0, 1, Slow), (0, 2, Slow), (0, 2, Good), (0, 2, Good)]), "cccccccohhhhc").await;
}

#[tokio::test(start_paused = true)]
async fn a_backend_that_answers_again_is_not_taken_for_down() {
    // The good ones of before are forgotten earlier than the bad ones behind them; that alone says nothing new.
    check(&[(0, Good), (0, Good), (0, Good), (0, Good), (500, Bad), (0, Bad), (0, Bad), (500, Good), (0, Good)], "ccccccccc").await;
    check(&[(0, Good), (0, Good), (0, Good), (0, Good), (500, Bad), (0, Bad), (0, Bad), (500, Good), (0, Bad)], "cccccccco").await;
}

#[tokio::test(start_paused = true)]
async fn old_failures_are_forgotten() {
    check(&[(0, Bad), (0, Bad), (0, Bad), (1000, Bad), (0, Good), (0, Good), (0, Good)], "ccccccc").await;
    check(&[(0, Bad), (400, Bad), (400, Bad), (150, Bad)], "ccco").await;
    check(&[(0, Bad), (400, Bad), (400, Bad), (250, Bad)], "cccc").await;
}

#[tokio::test(start_paused = true)]
async fn it_closes_after_probes_and_waits_longer_each_time() {
    let down = [(0, Bad); 4];
    let after = |more: &[(u64, Verdict)]| [&down, more].concat();
    check(&after(&[(499, Good), (1, Good), (0, Good), (0, Bad)]), "ccco-hcc").await;
    check(&after(&[(500, Bad), (999, Good), (1, Bad), (1999, Good), (1, Bad), (1999, Bad), (1, Good)]), "cccoo-o-o-h").await;
    check(&after(&[(500, Silent), (0, Good)]), "cccoo-").await;
    check(&after(&[(500, Bad), (1000, Good), (0, Good), (0, Bad), (0, Bad), (0, Bad), (0, Bad), (500, Good)]), "cccoohccccoh").await;
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_leaves_gives_its_place_to_another() {
    let circuit = circuit();
    for _ in 0..4 {
        circuit.enter().expect("closed").end(Bad, Source::at(0));
    }
    assert_eq!(circuit.ask(), Err(Duration::from_millis(500)));
    advance(Duration::from_millis(500)).await;
    assert_eq!(circuit.ask(), Ok(()));
    let (first, second) = (circuit.enter().expect("a probe"), circuit.enter().expect("a probe"));
    assert!(circuit.ask().is_err() && circuit.enter().is_err(), "two probes at most");
    drop(first);
    let third = circuit.enter().expect("a probe");
    assert_eq!((second.end(Good, Source::at(0)), circuit.state()), (None, State::HalfOpen));
    assert!(circuit.enter().is_err(), "two probes in all, while they end well");
    assert_eq!((third.end(Good, Source::at(0)), circuit.state()), (Some(State::Closed), State::Closed));
}

#[tokio::test(start_paused = true)]
async fn what_began_before_a_change_is_not_counted_after_it() {
    let circuit = circuit();
    let early: Vec<_> = (0..8).map(|_| circuit.enter().expect("closed")).collect();
    let mut early = early.into_iter();
    for permit in early.by_ref().take(4) {
        permit.end(Bad, Source::at(0));
    }
    advance(Duration::from_millis(500)).await;
    let probe = circuit.enter().expect("a probe");
    early.next().expect("eight").end(Bad, Source::at(0));
    assert_eq!(circuit.state(), State::HalfOpen);
    probe.end(Good, Source::at(0));
    circuit.enter().expect("a probe").end(Good, Source::at(0));
    for permit in early {
        permit.end(Bad, Source::at(0));
    }
    assert_eq!(circuit.state(), State::Closed);
}

/// The same rules, written down as a list of everything that ever happened.
#[derive(Default)]
struct Model {
    now: u64,
    since: u64,
    ended: Vec<(u64, Verdict, usize)>,
    was_soft: bool,
    state: Option<State>,
    until: u64,
    opened: u32,
    probes: (u32, u32),
    era: u64,
}

impl Model {
    fn state(&self) -> State {
        self.state.unwrap_or(State::Closed)
    }
    fn may(&self) -> bool {
        match self.state() {
            State::Closed => true,
            State::Open => self.now >= self.until,
            State::HalfOpen => self.probes.0 + self.probes.1 < 2,
        }
    }
    fn enter(&mut self) -> u64 {
        if self.state() == State::Open {
            self.probes = (0, 0);
            self.turn(State::HalfOpen);
        }
        self.probes.0 += u32::from(self.state() == State::HalfOpen);
        self.era
    }
    fn turn(&mut self, to: State) {
        self.state = Some(to);
        self.era += 1;
        if to == State::Open {
            self.until = self.now + (500 << self.opened.min(2));
            self.opened += 1;
        }
        if to == State::Closed {
            (self.since, self.opened) = (self.now, 0);
            self.ended.clear();
        }
    }
    fn end(&mut self, era: u64, verdict: Verdict, source: usize) {
        if era != self.era {
            return;
        }
        if self.state() == State::HalfOpen {
            self.probes.0 -= 1;
            match verdict {
                Void => {}
                Slow | Silent if self.was_soft => {}
                Good | Slow => {
                    self.probes.1 += 1;
                    if self.probes.1 == 2 {
                        self.turn(State::Closed);
                    }
                }
                Silent | Bad => self.turn(State::Open),
            }
        } else if verdict != Void {
            self.ended.push((self.now, verdict, source));
            let bucket = |at: u64| (at - self.since) / 100;
            let counted = |of: &[Verdict], but: Option<usize>| {
                let recent = self.ended.iter().filter(|(at, _, _)| bucket(*at) + 10 > bucket(self.now));
                recent.filter(|(_, verdict, source)| of.contains(verdict) && Some(*source) != but).count()
            };
            let all = [Good, Slow, Silent, Bad];
            let soft = |source: usize| counted(&[Slow, Silent], None) - counted(&[Slow, Silent], Some(source));
            let worst = (0..Source::COUNT).max_by_key(|source| soft(*source));
            let half = |of: &[Verdict], but| counted(of, but) * 2 >= counted(&all, but);
            let silent = half(&[Silent, Bad], None) && half(&[Silent, Bad], worst);
            let away = counted(&all, None) >= 4 && (half(&[Bad], None) || silent);
            let slow = counted(&all, worst) >= 4 && counted(&all[1..], worst) * 4 >= counted(&all, worst) * 3;
            if verdict != Good && (away || slow) {
                self.was_soft = !half(&[Bad], None);
                self.turn(State::Open);
            }
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Wait(u64),
    Enter,
    End(usize, Verdict, usize),
    Leave(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let verdict = prop_oneof![3 => Just(Good), 3 => Just(Slow), 2 => Just(Silent), 1 => Just(Bad), 1 => Just(Void)];
    let step = prop_oneof![
        2 => (0u64..700).prop_map(Step::Wait),
        4 => Just(Step::Enter),
        4 => (any::<usize>(), verdict, 0..3usize).prop_map(|(which, verdict, source)| Step::End(which, verdict, source)),
        1 => any::<usize>().prop_map(Step::Leave),
    ];
    prop::collection::vec(step, 1..200)
}

fn live(steps: &[Step]) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
    runtime.block_on(async {
        let (circuit, mut model) = (circuit(), Model::default());
        let mut held: VecDeque<(u64, Permit<'_>)> = VecDeque::new();
        for step in steps {
            match *step {
                Step::Wait(ms) => {
                    advance(Duration::from_millis(ms)).await;
                    model.now += ms;
                }
                Step::Enter => {
                    let permit = circuit.enter();
                    assert_eq!(permit.is_ok(), model.may());
                    held.extend(permit.ok().map(|permit| (model.enter(), permit)));
                }
                Step::End(which, verdict, source) if !held.is_empty() => {
                    let (era, permit) = held.remove(which % held.len()).expect("one of them");
                    permit.end(verdict, Source::at(source));
                    model.end(era, verdict, source);
                }
                Step::Leave(which) if !held.is_empty() => {
                    let (era, permit) = held.remove(which % held.len()).expect("one of them");
                    drop(permit);
                    model.end(era, Void, 0);
                }
                Step::End(..) | Step::Leave(_) => {}
            }
            assert_eq!((circuit.state(), circuit.ask().is_ok()), (model.state(), model.may()));
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]
    #[test]
    fn it_lives_as_the_model_does(steps in steps()) {
        live(&steps);
    }
}

/// Calls `tool` so often; the words of the outcomes that differ from the one before.
async fn words(fixture: &Fixture, count: usize, tool: &str, fail: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    for _ in 0..count {
        let told = fixture.call(tool, json!({ "fail": fail, "ms": 0 })).await;
        words.push(told.split(' ').next().expect("a word").to_owned());
    }
    words.dedup();
    words.join(" ")
}

#[tokio::test(start_paused = true)]
async fn calls_of_a_backend_that_is_down_are_refused_without_reaching_it() {
    let fixture = Fixture::new(&json!({ "calls": { "retry": { "attempts": 1 } } }));
    assert_eq!(words(&fixture, 20, "echo", "unavailable").await, "unavailable");
    assert_eq!(fixture.reached(), 20);
    let told = fixture.call("echo", json!({})).await;
    assert_eq!(told, "unavailable `script` cannot be reached just now: nothing was done; try again in 1 s, not before");
    assert_eq!(fixture.call("strict", json!({ "customer_id": "cust_aaaa" })).await, told, "every tool of the backend");
    let refused = fixture.gate.call(fixture.prepared(Target::Tool("echo".into()), json!({}))).await.unwrap_err();
    assert_eq!(*refused.kind(), Kind::Unavailable { retry_after: Some(Duration::from_secs(1)) });
    assert_eq!(fixture.reached(), 20);
    let metrics = fixture.gate.metrics();
    for line in [
        "mcp_breaker_state{backend=\"script\"} 2.0\n",
        "mcp_breaker_transitions_total{backend=\"script\",to=\"open\"} 1\n",
        "mcp_breaker_refusals_total{backend=\"script\"} 3\n",
    ] {
        assert!(metrics.contains(line), "{line} is not in {metrics}");
    }
    advance(Duration::from_secs(1)).await;
    assert_eq!(words(&fixture, 3, "echo", "error").await, "error");
    let metrics = fixture.gate.metrics();
    assert!(metrics.contains("mcp_breaker_state{backend=\"script\"} 0.0\n"), "{metrics}");
    assert!(metrics.contains("mcp_breaker_transitions_total{backend=\"script\",to=\"half_open\"} 1\n"), "{metrics}");
}

#[tokio::test(start_paused = true)]
async fn only_the_backends_own_failures_count() {
    for (tool, fail) in [("echo", "error"), ("echo", "refused"), ("echo", "internal"), ("panic", ""), ("strict", ""), ("nothing", "")] {
        let fixture = Fixture::new(&json!({}));
        words(&fixture, 50, tool, fail).await;
        assert!(fixture.gate.metrics().contains("mcp_breaker_state{backend=\"script\"} 0.0\n"), "{tool} {fail}");
    }
    let fixture = Fixture::new(&json!({}));
    words(&fixture, 50, "echo", "ended").await;
    assert_eq!(fixture.reached(), 50, "a statement that never ends says nothing about the database that ended it");
    for fail in ["unavailable", "timeout"] {
        let fixture = Fixture::new(&json!({ "calls": { "retry": { "attempts": 1 } } }));
        words(&fixture, 50, "echo", fail).await;
        assert_eq!(fixture.reached(), 20, "{fail}");
    }
}

#[tokio::test(start_paused = true)]
async fn slow_answers_open_it_and_cancelled_calls_do_not() {
    let fixture = Fixture::new(&json!({ "calls": { "breaker": { "window": "10m" } } }));
    for _ in 0..30 {
        fixture.call("slow", json!({ "ms": 2000 })).await;
    }
    assert_eq!(fixture.call("echo", json!({})).await, r#"ok {"text":""}"#, "one tool alone");
    for _ in 0..21 {
        fixture.call("echo", json!({ "fail": "ended" })).await;
    }
    assert!(fixture.call("echo", json!({})).await.starts_with("unavailable"));
    let fixture = Fixture::new(&json!({}));
    for _ in 0..50 {
        let left = tokio::time::timeout(Duration::from_millis(10), fixture.call("slow", json!({ "ms": 9000 }))).await;
        assert!(left.is_err());
    }
    assert_eq!(fixture.call("echo", json!({})).await, r#"ok {"text":""}"#);
}

#[tokio::test(start_paused = true)]
async fn waiting_for_a_place_is_not_the_backends_time() {
    let fixture = Fixture::new(
        &json!({ "calls": { "bulkhead": { "tool": 1, "waiting": 30, "wait": "5s" }, "breaker": { "slow": { "after": "500ms" } } } }),
    );
    let begun = Instant::now();
    let calls = (0..25).map(|_| fixture.call("slow", json!({ "ms": 100 })));
    futures_util::future::join_all(calls).await;
    assert!(begun.elapsed() > Duration::from_secs(2));
    assert!(fixture.gate.metrics().contains("mcp_breaker_state{backend=\"script\"} 0.0\n"));
}

/// Its tool `relay` calls the tool `echo`.
struct Relay;

#[async_trait]
impl Backend for Relay {
    fn offers(&self) -> Offers {
        let schema = Json::of(&json!({ "type": "object" }));
        Offers { tools: vec![Tool::new(ToolName::new("relay").expect("a name"), "", schema)], ..Offers::default() }
    }
    async fn call(&self, call: &Call) -> Result<Reply, Fault> {
        call.invoke("echo", call.arguments.clone()).await.map(Reply::from)
    }
}

#[tokio::test(start_paused = true)]
async fn each_backend_has_its_own_and_is_not_blamed_for_another() {
    let config = json!({ "calls": { "retry": { "attempts": 1 }, "backends": { "script": { "breaker": { "least": 5 } } } } });
    let fixture = Fixture::beside("relay", Arc::new(Relay), &config);
    assert_eq!(words(&fixture, 30, "relay", "unavailable").await, "unavailable");
    assert_eq!(fixture.reached(), 5, "the general rule, but for what the backend's own section says");
    let metrics = fixture.gate.metrics();
    assert!(metrics.contains("mcp_breaker_state{backend=\"script\"} 2.0\n"), "{metrics}");
    assert!(metrics.contains("mcp_breaker_state{backend=\"relay\"} 0.0\n"), "{metrics}");
}
