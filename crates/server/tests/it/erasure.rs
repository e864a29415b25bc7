//! A person who asks to be forgotten: the records stay and verify, and name nobody.

use std::{net::SocketAddr, path::Path};

use callgate_testkit::{Folder, Process, http::Request};
use serde_json::{Value, json};

use crate::{
    command::{CONFIG, modern, notes, run, start},
    database::{Database, postgres},
    scenario::Engine,
};

const SETTINGS: &str = "
auth: { keys: { pepper: 0123456789abcdef0123456789abcdef } }
audit: { pseudonyms: {}, heads: { file: heads.jsonl, secret: 0123456789abcdef0123456789abcdef } }
";

/// A gate with pseudonyms, whose store is `store`.
fn gate(store: &str) -> Folder {
    let folder = notes();
    let guarded = CONFIG.replace("    effect:", "    allow: anyone\n    effect:");
    folder.write("gate.yaml", &format!("{guarded}{SETTINGS}store: {store}\n")).unwrap();
    folder
}

async fn command(folder: &Folder, arguments: &[&str]) -> (i32, String) {
    let (code, output, errors) = run(folder.path(), &[arguments, &["-c", "FOLDER"]].concat()).await;
    (code, output + &errors)
}

async fn key(folder: &Folder, caller: &str, tenant: &str) -> String {
    let (_, key, _) = run(folder.path(), &["keys", "add", caller, "--tenant", tenant, "-c", "FOLDER"]).await;
    key.trim().to_owned()
}

async fn served(folder: &Path) -> (Process, SocketAddr) {
    let mut process = start(folder, &["serve", "FOLDER", "--listen", "127.0.0.1:0"]);
    let line: Value = serde_json::from_str(&process.told("/mcp").await.unwrap()).unwrap();
    let url = line["url"].as_str().unwrap().to_owned();
    (process, url.strip_prefix("http://").and_then(|rest| rest.strip_suffix("/mcp")).unwrap().parse().unwrap())
}

/// Writes a note, which is answered once it is on record.
async fn call(address: SocketAddr, key: &str, note: &str) {
    let request = Request::post("/mcp", &modern("add_note", &json!({ "id": note, "text": "x" })));
    let request = request.header("MCP-Protocol-Version", "2026-07-28").header("Mcp-Method", "tools/call").header("Mcp-Name", "add_note");
    let reply = request.header("X-API-Key", key).send(address).await.unwrap().json().await.unwrap();
    assert_eq!(reply["result"]["structuredContent"]["id"], note, "{reply}");
}

/// Who wrote which note, as `search` shows it; `?` for a pseudonym.
fn told(lines: &str) -> String {
    let one = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let who = words[2].split_once("anon-").map_or(words[2].to_owned(), |(tenant, _)| format!("{tenant}?"));
        let note = line.split("\"id\":\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or(words[4]);
        format!("{note} {who}")
    };
    lines.lines().map(one).collect::<Vec<_>>().join(", ")
}

async fn check(store: &str) {
    let folder = gate(store);
    let (alice, bob, other) =
        (key(&folder, "alice", "acme").await, key(&folder, "bob", "acme").await, key(&folder, "alice", "other").await);
    let (process, address) = served(folder.path()).await;
    for (key, note) in [(&alice, "n1"), (&bob, "n2"), (&other, "n3"), (&alice, "n4")] {
        call(address, key, note).await;
    }
    let search = async |arguments: &[&str]| told(&command(&folder, &[&["audit", "search"], arguments].concat()).await.1);
    assert_eq!(search(&["--tool", "add_note"]).await, "n1 acme/alice, n2 acme/bob, n3 other/alice, n4 acme/alice");
    assert_eq!(search(&["--caller", "alice", "--tenant", "acme"]).await, "n1 acme/alice, n4 acme/alice");
    let (_, lines) = command(&folder, &["audit", "export", "--caller", "alice", "--tenant", "acme"]).await;
    let first: Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    let pseudonym = first["record"]["caller"].as_str().unwrap().to_owned();
    assert!(pseudonym.starts_with("anon-") && first["caller"] == "alice", "{first}");

    // Whoever does not say yes has forgotten nobody.
    let (code, said) = command(&folder, &["audit", "forget", "alice", "--tenant", "acme"]).await;
    assert!(code == 1 && said.contains("Forget acme/alice?") && said.contains("nothing was forgotten"), "{said}");
    let (code, said) = command(&folder, &["audit", "forget", "carl", "--tenant", "acme", "--yes"]).await;
    assert!(code == 1 && said.contains("acme/carl has no pseudonym"), "{said}");
    let (code, said) = command(&folder, &["audit", "forget", "alice", "--tenant", "acme", "--yes"]).await;
    assert_eq!((code, said.trim()), (0, "forgotten: acme/alice; records that name nobody now: 2"));

    assert_eq!(search(&["--tool", "add_note"]).await, "n1 acme/?, n2 acme/bob, n3 other/alice, n4 acme/?");
    assert_eq!(search(&["--caller", "alice", "--tenant", "acme"]).await, "");
    assert_eq!(search(&["--caller", &pseudonym]).await, "n1 acme/?, n4 acme/?");
    let (_, about) = command(&folder, &["audit", "export", "--tool", "forget", "--outcome", "ok"]).await;
    assert!(about.contains(&format!(r#""arguments":{{"pseudonym":"{pseudonym}","records":2}}"#)) && !about.contains("alice"), "{about}");
    let (_, all) = command(&folder, &["audit", "export", "--tenant", "acme"]).await;
    assert!(all.contains("bob") && !all.contains("alice"), "no record names who was forgotten: {all}");

    // The gate has run all the while, and forgets too.
    call(address, &alice, "n5").await;
    assert_eq!(search(&["--caller", "alice", "--tenant", "acme"]).await, "n5 acme/alice");
    assert_eq!(search(&["--caller", &pseudonym]).await, "n1 acme/?, n4 acme/?", "under a new pseudonym");
    process.signal("TERM").await.unwrap();
    let mut process = process;
    process.end().await.unwrap();
    let (code, report) = command(&folder, &["audit", "verify"]).await;
    assert!(code == 0 && report.ends_with("ok\n") && !report.contains(" 0 signed heads"), "{report}");
}

#[tokio::test]
async fn a_caller_is_forgotten_in_a_file() {
    check("{ kind: sqlite }").await;
}

#[tokio::test]
async fn a_caller_is_forgotten_in_a_database() {
    let Some(server) = postgres() else { return eprintln!("skipped: CALLGATE_TEST_POSTGRES is not set") };
    let database = Database::fresh(Engine::Postgres, Some(&server)).await.unwrap();
    check(&format!("{{ kind: postgres, url: '{}' }}", database.url)).await;
    database.remove().await.unwrap();
}

/// Records from before stay as they are, and whoever wants to be forgotten hears of them.
#[tokio::test]
async fn records_from_before_there_were_pseudonyms_are_told() {
    let folder = notes();
    let config = folder.path().join("gate.yaml").display().to_string();
    let with = CONFIG.replace("    effect:", "    allow: anyone\n    effect:");
    let auth = "auth: { keys: { pepper: 0123456789abcdef0123456789abcdef } }\n";
    folder.write("gate.yaml", &format!("{with}{auth}")).unwrap();
    let alice = key(&folder, "alice", "default").await;
    for (audit, note) in [("", "n1"), ("audit: { pseudonyms: {} }\n", "n2")] {
        folder.write("gate.yaml", &format!("{with}{auth}{audit}")).unwrap();
        let (mut process, address) = served(folder.path()).await;
        call(address, &alice, note).await;
        process.signal("TERM").await.unwrap();
        process.end().await.unwrap();
    }
    let (code, output, errors) = run(folder.path(), &["audit", "forget", "alice", "--yes", "--config", &config]).await;
    assert_eq!((code, output.as_str()), (0, "forgotten: default/alice; records that name nobody now: 1\n"), "{errors}");
    assert!(errors.contains("that name default/alice and stay until `audit.keep` removes them: 1"), "{errors}");
    let (_, lines) = command(&folder, &["audit", "search", "--tool", "add_note"]).await;
    assert_eq!(told(&lines), "n1 default/alice, n2 default/?");
}

#[tokio::test]
async fn a_store_that_ends_with_the_gate_keeps_no_pseudonyms() {
    let folder = Folder::with([("gate.yaml", "version: 1\nname: x\nstore: { kind: memory }\naudit: { pseudonyms: {} }\n")]).unwrap();
    let (code, out, said) = run(folder.path(), &["check", "FOLDER"]).await;
    assert!(code == 1 && format!("{out}{said}").contains("gate.yaml:4:") && said.contains("keeps no pseudonyms"), "{out}{said}");
}
