//! How outputs of other programs are counted.

use serde_json::json;

use super::{Options, STAGES, cargo::Counts, deploy, suite, tally::Tally};

#[test]
fn libtest_is_counted() {
    let log = "running 2 tests\ntest a::b ... ok\ntest a::c ... FAILED\n\n\
               test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s\n\
               test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s\n";
    assert_eq!(Counts::read(log), Counts { passed: 13, failed: vec!["a::c".into()] });
    assert_eq!(Counts::read("error: could not compile"), Counts::default());
}

#[test]
fn requirements_are_read() {
    let text =
        "# A comment\nserver:\n  # group\n  - ping\n  - 'tools-list' # twice\n\nclient:\n  - initialize\nnot_scored:\n  - scenario: x\n";
    assert_eq!(suite::scored(text), ["ping", "tools-list"]);
}

#[test]
fn a_scenario_passes_only_if_something_succeeded_and_nothing_was_amiss() {
    let check = |statuses: &[&str]| suite::judge(&statuses.iter().map(|status| json!({ "id": "a", "status": status })).collect());
    assert_eq!(check(&["SUCCESS", "INFO", "SKIPPED"]), Ok(()));
    assert!(check(&["SUCCESS", "FAILURE"]).is_err());
    assert!(check(&["SUCCESS", "WARNING"]).is_err());
    assert!(check(&["INFO", "SKIPPED"]).is_err());
    assert!(check(&[]).is_err());
}

#[test]
fn the_last_line_counts() {
    let mut tally = Tally::default();
    tally.pass("tests", "one");
    tally.pass_many("tests", 2, "more");
    assert_eq!(tally.counts(), "3 passed, 0 failed");
    tally.fail("suite", "no");
    tally.skip("clients", "left out");
    assert_eq!(tally.counts(), "3 passed, 1 failed, 1 skipped");
    assert!(tally.stage_failed("suite") && !tally.stage_failed("tests") && !tally.good());
}

#[test]
fn a_named_stage_brings_what_it_needs() {
    let check = |named: &[&str]| {
        let options = Options { only: named.iter().map(|name| (*name).to_owned()).collect(), ..Options::default() };
        STAGES.iter().filter(|stage| options.wants(stage)).map(|stage| stage.name).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(check(&[]), "style build tests suite clients deploy");
    assert_eq!(check(&["suite"]), "build suite");
    assert_eq!(check(&["style"]), "style");
}

#[test]
fn alerts_and_their_figures_are_read() {
    let text = "      - alert: One\n        expr: a\n      - { alertname: Two, eval_time: 1m }\n      alertname: Three\n";
    assert_eq!(deploy::values(text, "alert"), ["One"]);
    assert_eq!(deploy::values(text, "alertname"), ["Two", "Three"]);
    let query = "sum by (le) (rate(mcp_a_bucket{job=~\"$job\"}[5m])) / process_b > node_c".to_owned();
    assert_eq!(deploy::names(&[query]).into_iter().collect::<Vec<_>>(), ["mcp_a_bucket", "node_c", "process_b"]);
}
