//! The audit log as an operator reads and checks it, with the command.

use std::{fs, path::Path};

use callgate_testkit::Folder;

use crate::command::{notes, run};

const HEADS: &str = "audit: { heads: { file: heads.jsonl, secret: 0123456789abcdef0123456789abcdef } }\n";

/// A folder whose gate has answered four calls: two reads, a write, and one for a tool that is not there.
async fn used() -> Folder {
    let folder = notes();
    let path = folder.path().join("gate.yaml");
    fs::write(&path, fs::read_to_string(&path).unwrap() + HEADS).unwrap();
    let config = path.display().to_string();
    for (tool, arguments) in
        [("get_note", r#"{"id":"a"}"#), ("add_note", r#"{"id":"c","text":"=1+1"}"#), ("nobody", "{}"), ("get_note", r#"{"id":"c"}"#)]
    {
        let (_, output, errors) = run(folder.path(), &["call", "--config", &config, tool, arguments]).await;
        assert!(!errors.contains("panic"), "{output}{errors}");
    }
    folder
}

async fn audit(folder: &Path, arguments: &[&str]) -> (i32, String) {
    let config = folder.join("gate.yaml").display().to_string();
    let all: Vec<&str> = ["audit", "--config", &config].into_iter().chain(arguments.iter().copied()).collect();
    let (code, output, errors) = run(folder, &all).await;
    (code, output + &errors)
}

/// Tool and outcome of each line that was printed.
fn told(lines: &str) -> String {
    let word = |line: &str, index: usize| line.split_whitespace().nth(index).unwrap_or_default().to_owned();
    lines.lines().map(|line| format!("{} {}\n", word(line, 4), word(line, 5))).collect()
}

#[tokio::test]
async fn records_are_shown_searched_and_exported() {
    let folder = used().await;
    for (arguments, expected) in [
        (vec!["tail", "-n", "2"], "nobody unknown\nget_note ok\n"),
        (vec!["tail", "-n", "1", "--tool", "get_note"], "get_note ok\n"),
        (vec!["search"], "get_note ok\nadd_note ok\nnobody unknown\nget_note ok\n"),
        (vec!["search", "--tool", "add_note"], "add_note ok\n"),
        (vec!["search", "--outcome", "unknown", "--caller", "local"], "nobody unknown\n"),
        (vec!["search", "--tenant", "local", "--since", "1h", "--tool", "add_note"], "add_note ok\n"),
        (vec!["search", "--until", "1h"], ""),
        (vec!["search", "--tenant", "another"], ""),
        (vec!["tail", "--tenant", "another"], ""),
        (vec!["export", "--tenant", "another"], ""),
    ] {
        let (code, output) = audit(folder.path(), &arguments).await;
        assert_eq!((code, told(&output).as_str()), (0, expected), "{arguments:?}: {output}");
    }
    let (_, table) = audit(folder.path(), &["export", "--format", "csv", "--tool", "add_note"]).await;
    let mut lines = table.lines();
    assert!(lines.next().unwrap().starts_with("chain,seq,at,request,"));
    assert!(lines.next().unwrap().contains(r#","{""id"":""c"",""text"":""=1+1""}",ok,"#), "{table}");
    let (_, lines) = audit(folder.path(), &["export"]).await;
    let first: serde_json::Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    assert_eq!((first["record"]["seq"].as_u64(), first["hash"].as_str().map(str::len)), (Some(1), Some(64)));
    assert_eq!(first["record"]["arguments"]["id"], "[redacted]");
}

#[tokio::test]
async fn a_byte_changed_in_the_file_is_found() {
    let folder = used().await;
    let (code, output) = audit(folder.path(), &["verify"]).await;
    assert_eq!((code, output.ends_with("ok\n")), (0, true), "{output}");
    assert!(output.contains("4 records checked"), "{output}");
    let path = folder.path().join("data/callgate.db");
    let mut bytes = fs::read(&path).unwrap();
    let at = bytes.windows(8).position(|window| window == b"add_note").unwrap();
    bytes[at] = b'A';
    fs::write(&path, bytes).unwrap();
    let (code, output) = audit(folder.path(), &["verify"]).await;
    assert_eq!(code, 1);
    assert!(output.starts_with("BROKEN: chain 0, record 2: does not hash to what is stored"), "{output}");
}

#[tokio::test]
async fn a_log_that_is_not_there_is_not_made() {
    let folder = notes();
    let (code, output) = audit(folder.path(), &["verify"]).await;
    assert!(code == 1 && output.contains("cannot open the store"), "{output}");
    assert!(!folder.path().join("data/callgate.db").exists());
}
