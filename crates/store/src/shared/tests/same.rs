//! One suite for memory and the server: the same calls at the same moments get the same answers.

use std::{num::NonZeroU32, path::PathBuf, time::Duration};

use callgate_testkit::Redis as Server;
use proptest::{collection::vec, prelude::*, test_runner::TestRunner};
use tokio::time::advance;

use super::rate;
use crate::shared::{
    Claim, Config, Memory, Rate, Verdict,
    redis::script::{SOURCE, Script},
};

/// What a call claims.
#[derive(Clone, Debug)]
struct Wish {
    key: &'static str,
    rate: Rate,
    member: Option<&'static str>,
}

/// A call, so long after the one before.
type Step = (Duration, Vec<Wish>);

/// The moment that memory counts as its beginning.
const BEGINNING: Duration = Duration::from_secs(1);

fn claims(wishes: &[Wish]) -> Vec<Claim<'_>> {
    wishes.iter().map(|wish| Claim { key: wish.key, rate: wish.rate, member: wish.member }).collect()
}

/// What memory says, by a clock that stands still between steps.
fn in_memory(steps: &[Step]) -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let memory = Memory::new(&Config::default());
        let mut said = Vec::new();
        for (after, wishes) in steps {
            advance(*after).await;
            said.push(say(memory.take_now(&claims(wishes))));
        }
        said
    })
}

/// What the server says, by the same clock: the script is the one that is shipped, but for where it reads the time.
fn on_server(connection: &mut redis::Connection, steps: &[Step]) -> Vec<String> {
    redis::cmd("FLUSHALL").exec(connection).unwrap();
    let source = SOURCE.replace("redis.call('TIME')", "{ ARGV[#ARGV - 1], ARGV[#ARGV] }");
    assert_ne!(source, SOURCE);
    let script = Script::of(&source);
    let mut now = BEGINNING;
    let mut said = Vec::new();
    for (after, wishes) in steps {
        now += *after;
        let mut command = script.whole("test:", &claims(wishes));
        command.arg(1_700_000_000 + now.as_secs()).arg(now.subsec_micros());
        let (claim, wait): (i64, u64) = command.query(connection).unwrap();
        said.push(say(
            usize::try_from(claim).map_or(Verdict::Taken, |claim| Verdict::Refused { claim, retry_after: Duration::from_micros(wait) })
        ));
    }
    said
}

/// Waits are told in microseconds, rounded up.
fn say(verdict: Verdict) -> String {
    match verdict {
        Verdict::Taken => "ok".to_owned(),
        Verdict::Refused { claim, retry_after } => format!("{claim}:{}us", retry_after.as_nanos().div_ceil(1000)),
    }
}

/// A server of one's own; `None` where the program is missing, which is said.
fn with_server(test: impl FnOnce(&mut redis::Connection)) {
    let Some(program): Option<PathBuf> = Server::program() else {
        eprintln!("Redis is skipped: there is no redis-server; `cargo xtask test` installs it");
        return;
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let server = runtime.block_on(Server::start(program)).unwrap();
    test(&mut redis::Client::open(server.url()).unwrap().get_connection().unwrap());
    let _in_runtime = runtime.enter();
    drop(server);
}

fn check(name: &str, steps: &[Step], expected: &str) {
    assert_eq!(in_memory(steps).join(" "), expected, "{name}, in memory");
    with_server(|connection| assert_eq!(on_server(connection, steps).join(" "), expected, "{name}, on the server"));
}

#[test]
fn calls_come_back_one_by_one() {
    let one = |ms| (Duration::from_millis(ms), vec![Wish { key: "a", rate: rate(60, Duration::from_secs(60), 3), member: None }]);
    let steps = [one(0), one(0), one(0), one(0), one(500), one(500), one(0), one(10_000), one(0), one(0), one(0)];
    check("one quota", &steps, "ok ok ok 0:1000000us 0:500000us ok 0:1000000us ok ok ok 0:1000000us");
}

#[test]
fn a_call_takes_from_all_or_from_none() {
    let wide = Wish { key: "wide", rate: rate(2, Duration::from_secs(60), 2), member: None };
    let narrow = Wish { key: "narrow", rate: rate(1, Duration::from_secs(30), 1), member: None };
    let both = |s| (Duration::from_secs(s), vec![wide.clone(), narrow.clone()]);
    let steps = [both(0), both(0), both(29), both(1), both(0)];
    check("two quotas", &steps, "ok 1:30000000us 1:1000000us ok 1:30000000us");
}

#[test]
fn members_have_parts_and_what_is_left() {
    let of = |member| (Duration::ZERO, vec![Wish { key: "all", rate: rate(4, Duration::from_secs(4), 4), member: Some(member) }]);
    let after = |ms, step: Step| (Duration::from_millis(ms), step.1);
    // `a` alone has everything; when `b` comes, its half is there although nothing is left, and `a` waits.
    let steps =
        [of("a"), of("a"), of("a"), of("a"), of("a"), of("b"), of("b"), of("b"), after(1000, of("a")), of("b"), after(2000, of("b"))];
    check("members", &steps, "ok ok ok ok 0:1000000us ok ok 0:2000000us 0:1000000us 0:1000000us ok");
}

/// Whatever is called whenever: memory and the server agree.
#[test]
fn memory_and_the_server_agree() {
    let a_rate = (10u64..2_000_000, 1u32..12, 1u32..50).prop_map(|(every, burst, count)| {
        Rate::new(NonZeroU32::new(count).unwrap(), Duration::from_micros(every * u64::from(count)), NonZeroU32::new(burst).unwrap())
            .unwrap()
    });
    let rates = (a_rate.clone(), a_rate.clone(), a_rate);
    let calls = vec((0u64..3_000_000, 0usize..7, 0usize..3), 1..60);
    let strategy = (rates, calls).prop_map(|((one, two, all), calls)| {
        let step = |(micros, which, member): (u64, usize, usize)| {
            let wish = |key, rate, member| Wish { key, rate, member };
            let wishes = [wish("one", one, None), wish("two", two, None), wish("all", all, Some(["x", "y", "z"][member]))];
            let claimed = wishes.into_iter().enumerate().filter(|(place, _)| (which + 1) >> place & 1 == 1).map(|(_, wish)| wish);
            (Duration::from_micros(micros / 4), claimed.collect())
        };
        calls.into_iter().map(step).collect::<Vec<Step>>()
    });
    with_server(|connection| {
        let connection = std::cell::RefCell::new(connection);
        let mut runner = TestRunner::new(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() });
        runner
            .run(&strategy, |steps| {
                prop_assert_eq!(in_memory(&steps), on_server(&mut connection.borrow_mut(), &steps));
                Ok(())
            })
            .unwrap();
    });
}
