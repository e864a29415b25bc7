//! A storage of replicas in the hands of somebody else: what lies there is changed, exchanged, made up and made huge. Nobody gets what is
//! not theirs, everybody is served, what was forged is counted; and no credential ever lies there.

use std::time::Duration;

use callgate_testkit::{PATIENCE, Redis};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{Instant, sleep, timeout},
};

use crate::{gate::Gate, row::call};

const SECRET: &str = "c4n4ry-cache-0123456789abcdef-shared-by-replicas";

/// What the server says to this, to its end.
async fn said(redis: &Redis, command: &str) -> String {
    let mut stream = TcpStream::connect(redis.address()).await.unwrap();
    stream.write_all(format!("{command}\r\nECHO the-end\r\n").as_bytes()).await.unwrap();
    let mut heard = Vec::new();
    while !heard.ends_with(b"the-end\r\n") {
        assert!(timeout(PATIENCE, stream.read_buf(&mut heard)).await.unwrap().unwrap() > 0, "it hung up");
    }
    String::from_utf8_lossy(&heard).into_owned()
}

/// The keys that begin so.
async fn keys(redis: &Redis, begin: &str) -> Vec<String> {
    let said = said(redis, &format!("KEYS {begin}*")).await;
    said.lines().filter(|line| line.starts_with(begin)).map(str::to_owned).collect()
}

/// The key of a reply that was not there before, once it is.
async fn kept(redis: &Redis, before: &[String]) -> String {
    let begun = Instant::now();
    loop {
        match keys(redis, "callgate:reply/").await.into_iter().find(|key| !before.contains(key)) {
            Some(key) => return key,
            None => assert!(begun.elapsed() < PATIENCE, "it is not kept"),
        }
        sleep(Duration::from_millis(5)).await;
    }
}

/// A gate that shares what it keeps.
async fn sharing(redis: &Redis) -> Gate {
    let shared = format!("shared: {{ url: '{}', timeout: 1s }}\ncache: {{ secret: {SECRET} }}\nstore: {{", redis.url());
    let mut gate = Gate::start_with(&[("store: {", &shared)]).await;
    gate.cage.add("the secret of the cache", SECRET);
    gate
}

/// Who the gate says is asking about this.
async fn asked(gate: &mut Gate, key: &str, about: &str) -> String {
    let request = call("kept_note", &json!({ "about": about })).header("X-API-Key", key).header("X-Request-ID", "asked");
    let reply = request.send(gate.address).await.unwrap().json().await.unwrap();
    gate.owe("asked", "ok", 1);
    reply["result"]["structuredContent"]["who"].as_str().unwrap_or_else(|| panic!("{about}: {reply}")).to_owned()
}

/// What is done to the value of the first key, what that of the second one is, and how often that counts as forged.
const POISONS: [(&str, &[&str], u64); 13] = [
    ("nothing", &[], 0),
    ("a flipped bit", &["SETBIT {MINE} 171 0", "SETBIT {MINE} 172 1", "SETBIT {MINE} 173 0", "SETBIT {MINE} 174 1"], 1),
    ("another nonce", &["SETRANGE {MINE} 0 AAAAAAAAAAAA"], 1),
    ("another caller's", &["COPY {THEIRS} {MINE} REPLACE"], 1),
    ("two exchanged", &["RENAME {MINE} kept", "RENAME {THEIRS} {MINE}", "RENAME kept {THEIRS}"], 1),
    ("another question's", &["COPY {OLD} {MINE} REPLACE"], 1),
    ("a pickle", &["SET {MINE} \"cos\\nsystem\\n(S'id'\\ntR.\""], 1),
    ("a reply in plain text", &["SET {MINE} '{\"structured\":\"{}\",\"texts\":[]}'"], 1),
    ("nothing in it", &["SETRANGE {MINE} 0 x", "SET {MINE} x"], 1),
    ("cut short", &["SET {MINE} AAAAAAAAAAAAAAAAAAAAAAAAAAA"], 1),
    ("something behind", &["APPEND {MINE} x"], 1),
    ("a list", &["DEL {MINE}", "LPUSH {MINE} a b c"], 0),
    ("200 megabytes", &["SETRANGE {MINE} 200000000 x"], 0),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replies_that_somebody_else_has_put_there() {
    let Some(program) = Redis::program() else { return };
    let redis = Redis::start(program).await.unwrap();
    let (mut one, mut two) = (sharing(&redis).await, sharing(&redis).await);
    // With keys: what a token says of its issuer and its time is part of who the caller is.
    let (ann, bob) = (one.key_for(&["ann", "--tenant", "acme"]).await, one.key_for(&["bob", "--tenant", "acme"]).await);
    let other = two.key_for(&["ann", "--tenant", "acme"]).await;
    asked(&mut one, &ann, "old").await;
    let old = kept(&redis, &[]).await;
    for (about, commands, forged) in POISONS {
        let mut known = keys(&redis, "callgate:reply/").await;
        asked(&mut one, &ann, about).await;
        let mine = kept(&redis, &known).await;
        known.push(mine.clone());
        asked(&mut one, &bob, about).await;
        let theirs = kept(&redis, &known).await;
        for command in commands {
            let command = command.replace("{MINE}", &mine).replace("{THEIRS}", &theirs).replace("{OLD}", &old);
            let said = said(&redis, &command).await;
            assert!(!said.starts_with('-'), "{command}: {said}");
        }
        let figures = async |gate: &Gate| (gate.ran().await.0, gate.figure("mcp_cache_forged_total").await);
        let before = figures(&two).await;
        for _ in 0..2 {
            assert_eq!(asked(&mut two, &other, about).await, format!("acme/ann on {about}"));
        }
        let after = figures(&two).await;
        let ran = u64::from(!commands.is_empty());
        assert_eq!((after.0 - before.0, after.1 - before.1), (ran, forged), "{about}: statements, and what counts as forged");
    }
    one.end().await;
    two.end().await;
}

/// Whatever else the gate finds there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn counters_and_notices_that_somebody_else_has_put_there() {
    let Some(program) = Redis::program() else { return };
    let redis = Redis::start(program).await.unwrap();
    let mut watching = TcpStream::connect(redis.address()).await.unwrap();
    watching.write_all(b"MONITOR\r\n").await.unwrap();
    let mut gate = sharing(&redis).await;
    let ann = gate.key_for(&["ann", "--tenant", "acme"]).await;
    let limited = call("limited_note", &json!({ "text": "a" })).header("X-API-Key", &ann).header("X-Request-ID", "limited");
    let mut statuses = Vec::new();
    for poison in
        ["PING", "SET {KEY} garbage", "DEL {KEY}", "SET {KEY} 99999999999999999999999999", "LPUSH {KEY} a", "SETRANGE {KEY} 20000000 x"]
    {
        asked(&mut gate, &ann, poison).await;
        statuses.push(limited.send(gate.address).await.unwrap().status);
        for key in keys(&redis, "callgate:").await {
            if poison.starts_with("LPUSH") {
                said(&redis, &format!("DEL {key}")).await;
            }
            said(&redis, &poison.replace("{KEY}", &key)).await;
        }
        for message in ["x", "", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", &"A".repeat(20_000)] {
            said(&redis, &format!("PUBLISH callgate:cache '{message}'")).await;
        }
    }
    // A quota that nobody can count is each replica's own; a call is counted or refused, and never fails.
    assert!(statuses.iter().all(|status| [200, 429].contains(status)), "{statuses:?}");
    gate.excuse("limited");
    let mut heard = Vec::new();
    while heard.len() < 1 << 20
        && timeout(Duration::from_millis(300), watching.read_buf(&mut heard)).await.is_ok_and(|read| read.is_ok_and(|read| read > 0))
    {}
    let text = String::from_utf8_lossy(&heard);
    assert!(text.contains("callgate:reply/") && text.contains("limited"), "what the gate says to the server is heard: {text}");
    assert_eq!(gate.cage.found(&heard), Vec::<&str>::new(), "in what the server is told");
    gate.end().await;
}
