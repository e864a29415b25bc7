//! Bounds within which nothing could be served, each refused where it stands.

use callgate::Configuration;
use callgate_testkit::Folder;

use crate::command::CONFIG;

/// What is added to a configuration, and the mistake it is.
const CASES: [(&str, &str); 34] = [
    ("calls: { deadline: 0s }", "calls.deadline: `0ms` is too little; at least `10ms`"),
    ("calls: { probe: 0s }", "calls.probe: `0ms` is too little; at least `10ms`"),
    ("calls: { most: 0 }", "calls.most: "),
    ("calls: { bulkhead: { tool: 0 } }", "calls.bulkhead.tool: "),
    ("calls: { breaker: { window: 0s } }", "calls.breaker.window: `0ms` is too little; at least `10ms`"),
    ("calls: { breaker: { open: 0s } }", "calls.breaker.open: `0ms` is too little"),
    ("calls: { breaker: { longest: 0s } }", "calls.breaker.longest: `0ms` is too little"),
    ("calls: { breaker: { slow: { after: 1ms } } }", "calls.breaker.slow.after: `1ms` is too little"),
    ("calls: { breaker: { probes: 0 } }", "calls.breaker.probes: "),
    ("calls: { retry: { base: 0s } }", "calls.retry.base: `0ms` is too little; at least `1ms`"),
    ("calls: { retry: { cap: 0s } }", "calls.retry.cap: `0ms` is too little"),
    ("calls: { retry: { attempts: 0 } }", "calls.retry.attempts: "),
    ("calls: { backends: { main: { breaker: { open: 0s } } } }", "calls.backends.main.breaker.open: `0ms` is too little"),
    ("calls: { backends: { main: { retry: { base: 0s } } } }", "calls.backends.main.retry.base: `0ms` is too little"),
    ("quotas: { repeats: { within: 0s } }", "quotas.repeats.within: `0ms` is too little; at least `1s`"),
    ("quotas: { rules: [{ name: a, per: [gate], limit: 0/1s }] }", "quotas.rules[0].limit: "),
    ("quotas: { rules: [{ name: a, per: [gate], limit: 1/0s }] }", "quotas.rules[0].limit: "),
    (
        "quotas: { rules: [{ name: a, per: [gate], limit: 1/1s, tools: ['get_*', 'notes*'] }] }",
        "quotas.rules[0].tools[1]: no tool is called `notes*`",
    ),
    ("audit: { keep: 0s }", "audit.keep: `0ms` is too little; at least `1s`"),
    ("audit: { queue: 0 }", "audit.queue: "),
    ("cache: { waiting: 0 }", "cache.waiting: "),
    ("store: { connect: 0s }", "store.connect: `0ms` is too little"),
    ("store: { statement: 0s }", "store.statement: `0ms` is too little"),
    ("store: { wal: 0B }", "store.wal: `0B` is too little; at least `64KiB`"),
    ("shared: { timeout: 0s }", "shared.timeout: `0ms` is too little"),
    ("shared: { replicas: 0 }", "shared.replicas: "),
    ("egress: { timeout: 0s }", "egress.timeout: `0ms` is too little"),
    ("egress: { answer: 0B }", "egress.answer: `0B` is too little"),
    ("wire: { http: { headers: 1B } }", "wire.http.headers: `1B` is too little"),
    ("wire: { http: { connections: 0 } }", "wire.http.connections: "),
    ("wire: { http: { body: 0B } }", "wire.http.body: `0B` is too little"),
    ("wire: { sessions: { idle: 0s } }", "wire.sessions.idle: `0ms` is too little"),
    ("telemetry: { traces: { endpoint: 'https://otel.example.com', every: 0s } }", "telemetry.traces.every: `0ms` is too little"),
    ("prompts: { p: { text: x, bytes: 0B } }", "prompts.p.bytes: `0B` is too little; at least `1B`"),
];

/// What stands in the configuration, what it is exchanged for, and the mistake that is.
const EXCHANGES: [(&str, &str, &str); 5] = [
    ("    missing: there", "    bytes: 0B\n    missing: there", "tools.get_note.bytes: `0B` is too little; at least `1B`"),
    ("    missing: there", "    deadline: 0s\n    missing: there", "tools.get_note.deadline: a deadline of nothing"),
    ("    missing: there", "    fallback: { stale: 0s }\n    missing: there", "tools.get_note.fallback.stale: `0ms` is too little"),
    ("    migrations:", "    pool: { size: 0 }\n    migrations:", "backends.main.pool.size: "),
    ("    migrations:", "    pool: { lifetime: 0s }\n    migrations:", "backends.main.pool.lifetime: `0ms` is too little; at least `1s`"),
];

fn check(text: &str, expected: &str) {
    let folder = Folder::with([("gate.yaml", text), ("migrations/1.sql", "SELECT 1;"), ("data/.keep", "")]).unwrap();
    let found = Configuration::read(&folder.path().join("gate.yaml")).map_or_else(|problems| problems.to_string(), |_| "no mistake".into());
    let lines: Vec<_> = found.lines().filter(|line| !line.starts_with("  help")).collect();
    let [line] = lines.as_slice() else { panic!("{expected} is one mistake: {found}") };
    assert!(line.contains(&format!(": {expected}")), "{expected}: {line}");
}

#[test]
fn what_serves_nobody_is_a_mistake() {
    for (added, expected) in CASES {
        check(&format!("{CONFIG}{added}\n"), expected);
    }
    for (from, to, expected) in EXCHANGES {
        check(&CONFIG.replacen(from, to, 1), expected);
    }
}

#[tokio::test]
async fn a_fixed_reply_is_what_the_tool_replies() {
    let with = |reply: &str| CONFIG.replacen("    missing:", &format!("    fallback: {{ reply: {reply} }}\n    missing:"), 1);
    for (reply, expected) in [
        ("{ id: none, text: nobody knows }", ""),
        ("{ id: none }", "tools.get_note.fallback.reply: does not fit what the tool replies: \"text\" is a required property"),
        ("{ id: none, text: 7 }", "tools.get_note.fallback.reply.text: does not fit what the tool replies: 7 is not of type"),
        ("{ id: none, text: x, more: y }", "tools.get_note.fallback.reply: does not fit what the tool replies: Additional properties"),
    ] {
        let migration = "CREATE TABLE notes (id TEXT PRIMARY KEY NOT NULL, text TEXT NOT NULL);";
        let folder = Folder::with([("gate.yaml", with(reply).as_str()), ("migrations/1.sql", migration), ("data/.keep", "")]).unwrap();
        let path = folder.path().join("gate.yaml");
        Configuration::read(&path).unwrap().migrate().await.unwrap();
        let found = Configuration::read(&path).unwrap().connect().await.map_or_else(|problems| problems.to_string(), |()| String::new());
        assert!(found.contains(expected) && found.is_empty() == expected.is_empty(), "{reply}: {found}");
    }
}
