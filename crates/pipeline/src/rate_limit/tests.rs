//! Who is refused, what they are told, and what is counted.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use callgate_model::{Caller, Gateway as _, Kind, Proof, Target};
use callgate_store::shared::{Away, Claim, Config as SharedConfig, Memory, Shared, Subscription, Verdict};
use serde_json::{Value, json};
use tokio::time::advance;

use crate::{
    Error,
    tests::{Fixture, told},
};

/// Calls as `tenant/id:role tool`, one after the other; the words of their outcomes.
async fn check(rules: &Value, calls: &[&str], expected: &str) {
    let fixture = Fixture::new(&json!({ "quotas": { "rules": rules } }));
    let mut words = Vec::new();
    for call in calls {
        words.push(make(&fixture, call).await.split(' ').next().unwrap_or_default().to_owned());
    }
    assert_eq!(words.join(" "), expected, "{rules}");
    let reached = words.iter().filter(|word| *word == "ok").count();
    assert_eq!(fixture.reached(), reached, "what is refused reaches no backend");
    assert_eq!(fixture.entries().len(), calls.len(), "all are on record");
}

async fn make(fixture: &Fixture, call: &str) -> String {
    let (who, tool) = call.split_once(' ').expect("a caller and a tool");
    let (who, role) = who.split_once(':').unwrap_or((who, ""));
    let (tenant, id) = who.split_once('/').expect("a tenant and an id");
    let mut caller = Caller::new(tenant, id, Proof::Key);
    caller.roles = vec![role.into()];
    let mut call = fixture.prepared(Target::Tool(tool.into()), json!({}));
    call.caller = Arc::new(caller);
    told(&fixture.gate.call(call).await)
}

fn rule(per: &Value, more: &Value) -> Value {
    let mut rule = json!({ "name": "q", "per": per, "limit": "2/1m" });
    rule.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!([rule])
}

#[tokio::test(start_paused = true)]
async fn each_has_a_quota_of_its_own() {
    let calls = ["t/a echo", "t/a echo", "t/a echo", "t/a write", "t/b echo", "u/a echo"];
    for (per, expected) in [
        (json!(["caller"]), "ok ok limited limited ok ok"),
        (json!(["tenant"]), "ok ok limited limited limited ok"),
        (json!(["tool"]), "ok ok limited ok limited limited"),
        (json!(["backend"]), "ok ok limited limited limited limited"),
        (json!(["gate"]), "ok ok limited limited limited limited"),
        (json!(["caller", "tool"]), "ok ok limited ok ok ok"),
    ] {
        check(&rule(&per, &json!({})), &calls, expected).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_rule_is_about_whom_and_what_it_names() {
    let calls = ["t/a echo", "t/a echo", "t/a echo", "t/a write"];
    let gate = json!(["gate"]);
    for (more, expected) in [
        (json!({ "tools": ["ec*"] }), "ok ok limited ok"),
        (json!({ "tools": ["write"] }), "ok ok ok ok"),
        (json!({ "callers": ["a"] }), "ok ok limited limited"),
        (json!({ "callers": ["b"] }), "ok ok ok ok"),
        (json!({ "tenants": ["t"] }), "ok ok limited limited"),
        (json!({ "tenants": ["u"] }), "ok ok ok ok"),
        (json!({ "roles": ["agent"] }), "ok ok ok ok"),
        (json!({ "burst": 1 }), "ok limited limited limited"),
    ] {
        check(&rule(&gate, &more), &calls, expected).await;
    }
    check(&rule(&gate, &json!({ "roles": ["agent"] })), &["t/a:agent echo", "t/a:agent echo", "t/a:agent echo"], "ok ok limited").await;
}

/// `u` comes when `t` has used up everything, and has its part nonetheless.
#[tokio::test(start_paused = true)]
async fn a_tenant_has_its_part_of_what_is_divided() {
    let calls = ["t/a echo", "t/b echo", "t/a echo", "u/a echo", "u/b echo"];
    check(&rule(&json!(["backend"]), &json!({ "fair": "tenant" })), &calls, "ok ok limited ok limited").await;
    check(&rule(&json!(["backend"]), &json!({})), &calls, "ok ok limited limited limited").await;
}

#[tokio::test(start_paused = true)]
async fn a_refusal_says_whose_quota_it_was_and_when_there_is_more() {
    let rules = rule(&json!(["caller", "tool"]), &json!({ "limit": "4/1m", "burst": 1 }));
    let fixture = Fixture::new(&json!({ "quotas": { "rules": rules } }));
    make(&fixture, "t/a echo").await;
    advance(Duration::from_millis(5500)).await;
    let refused = make(&fixture, "t/a echo").await;
    assert_eq!(refused, "limited your quota for this tool (4 calls in 1m) is used up; call again in 10 s, not before");
    advance(Duration::from_millis(9500)).await;
    assert!(make(&fixture, "t/a echo").await.starts_with("ok"), "it was true");
    assert!(fixture.gate.metrics().contains("mcp_quota_refusals_total{rule=\"q\"} 1\n"), "{}", fixture.gate.metrics());
    assert!(fixture.gate.metrics().contains("mcp_quota_fallback_total 0\n"));
}

#[tokio::test(start_paused = true)]
async fn resources_prompts_and_completions_count_unless_tools_are_named() {
    for (more, expected) in [(json!({}), "limited"), (json!({ "tools": ["*"] }), "ok")] {
        let fixture = Fixture::new(&json!({ "quotas": { "rules": rule(&json!(["gate"]), &more) } }));
        for _ in 0..2 {
            fixture.say(Target::Resource("note://one".into()), json!({})).await;
        }
        let third = fixture.say(Target::Prompt("greet".into()), json!({ "who": "you" })).await;
        assert!(third.starts_with(expected), "{third}");
    }
}

#[tokio::test(start_paused = true)]
async fn bad_arguments_use_up_nobodys_quota() {
    let fixture = Fixture::new(&json!({ "quotas": { "rules": rule(&json!(["caller"]), &json!({})) } }));
    for _ in 0..5 {
        assert!(fixture.call("strict", json!({})).await.starts_with("bad_arguments"));
    }
    assert!(fixture.call("echo", json!({})).await.starts_with("ok"));
}

#[test]
fn a_tool_that_does_not_exist_is_a_mistake() {
    let rules = rule(&json!(["caller"]), &json!({ "tools": ["ehco"] }));
    let Err(Error::Quota { rule, why }) = Fixture::open(&json!({ "quotas": { "rules": rules } })) else { panic!("it has opened") };
    assert_eq!((rule.as_str(), why.as_str()), ("q", "no tool is called `ehco`"));
}

/// Nobody answers.
#[derive(Debug)]
struct Gone(Memory);

#[async_trait]
impl Shared for Gone {
    async fn take(&self, _: &[Claim<'_>]) -> Result<Verdict, Away> {
        Err(Away)
    }
    async fn get(&self, _: &str) -> Result<Option<Bytes>, Away> {
        Err(Away)
    }
    async fn put(&self, _: &str, _: Bytes, _: Duration) -> Result<(), Away> {
        Err(Away)
    }
    async fn delete(&self, _: &[&str]) -> Result<(), Away> {
        Err(Away)
    }
    async fn publish(&self, _: &str, _: Bytes) -> Result<(), Away> {
        Err(Away)
    }
    fn subscribe(&self, channel: &str) -> Subscription {
        self.0.subscribe(channel)
    }
}

/// What the next calls are told: that they were made, or when to come back.
async fn waits(fixture: &Fixture, calls: usize) -> String {
    let mut words = Vec::new();
    for _ in 0..calls {
        let call = fixture.prepared(Target::Tool("echo".into()), json!({}));
        words.push(match fixture.gate.call(call).await {
            Ok(_) => "ok".to_owned(),
            Err(fault) => match fault.kind() {
                Kind::Limited { retry_after } => format!("{retry_after:?}"),
                other => other.code().to_owned(),
            },
        });
    }
    words.join(" ")
}

#[tokio::test(start_paused = true)]
async fn alone_each_replica_has_its_part() {
    let rules = rule(&json!(["gate"]), &json!({ "limit": "6/1m" }));
    let gone = Arc::new(Gone(Memory::new(&SharedConfig::default())));
    let config = json!({ "quotas": { "rules": rules }, "shared": { "replicas": 3 } });
    let fixture = Fixture::sharing(&config, gone);
    assert_eq!(waits(&fixture, 4).await, "ok ok 30s 30s");
    assert!(fixture.gate.metrics().contains("mcp_quota_fallback_total 4\n"), "{}", fixture.gate.metrics());
    assert_eq!(waits(&fixture.followed_by(&config), 1).await, "30s", "another configuration gives nothing back");
}
