//! API keys as an operator gives them out, lists them and takes them back.

use callgate_testkit::Folder;

use crate::command::run;

const WITH_KEYS: &str = "version: 1\nname: keys\nauth: { keys: {} }\n";

#[tokio::test]
async fn a_key_is_shown_once_listed_and_revoked() {
    let folder = Folder::with([("gate.yaml", WITH_KEYS)]).unwrap();
    let add = ["keys", "add", "alice", "--tenant", "acme", "--role", "finance", "--scope", "read:notes", "--expires", "1d", "-c", "FOLDER"];
    let (code, key, said) = run(folder.path(), &add).await;
    assert!(code == 0 && key.starts_with("cg_") && said.contains("of acme/alice"), "{key}{said}");
    let id = key[3..15].to_owned();
    let (code, list, _) = run(folder.path(), &["keys", "list", "-c", "FOLDER"]).await;
    assert!(code == 0 && list.lines().count() == 1, "{list}");
    for shown in [id.as_str(), "acme/alice", "finance", "read:notes", "until "] {
        assert!(list.contains(shown), "{shown}: {list}");
    }
    assert!(!list.contains(&key[16..30]), "the secret is not kept: {list}");
    let revoke = ["keys", "revoke", &id, "-c", "FOLDER"];
    assert_eq!(run(folder.path(), &revoke).await, (0, format!("revoked: {id}\n"), String::new()));
    let (code, _, said) = run(folder.path(), &revoke).await;
    assert!(code == 1 && said.contains("there is no key"), "{said}");
    let (_, list, _) = run(folder.path(), &["keys", "list", "-c", "FOLDER"]).await;
    assert!(list.contains("revoked "), "{list}");
}

#[tokio::test]
async fn no_key_is_given_out_that_nobody_would_take() {
    for (config, word) in [
        ("version: 1\nname: keys\n", "the configuration takes none"),
        ("version: 1\nname: keys\nauth: {}\n", "the configuration takes none"),
        ("version: 1\nname: keys\nauth: { keys: {} }\nstore: { kind: memory }\n", "the store is memory"),
    ] {
        let folder = Folder::with([("gate.yaml", config)]).unwrap();
        let (code, key, said) = run(folder.path(), &["keys", "add", "alice", "-c", "FOLDER"]).await;
        assert!(code == 1 && key.is_empty() && said.contains(word), "{config}: {key}{said}");
    }
    let folder = Folder::with([("gate.yaml", WITH_KEYS)]).unwrap();
    for arguments in [["keys", "add", "", "-c", "FOLDER"], ["keys", "add", "a\nb", "-c", "FOLDER"]] {
        let (code, key, _) = run(folder.path(), &arguments).await;
        assert!(code == 1 && key.is_empty(), "{arguments:?}");
    }
}

#[tokio::test]
async fn with_authentication_a_gate_may_be_reached_by_others() {
    let (code, said, errors) = {
        let folder = Folder::with([("gate.yaml", &*format!("{WITH_KEYS}listen: 0.0.0.0:8000\n"))]).unwrap();
        run(folder.path(), &["check", "FOLDER"]).await
    };
    assert_eq!((code, said.as_str()), (0, "ok: `keys` with 0 tools, 0 resources, 0 prompts\n"), "{errors}");
}
