//! What signs heads, and what still checks them when that was replaced.

use std::fs;

use callgate_config::Secret;

use super::{Slots, config, record, upkeep, written};
use crate::{Heads, Name, Opening, Upkeep, open, read_heads};

/// Keys that nothing else is signed with.
const PEMS: [&str; 2] = [
    "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIGXFdVoq6Ol32t844UIMmM6UDl6KVhg+Cw53va6XdE5u\n-----END PRIVATE KEY-----\n",
    "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIL7zwBcKn0qTQqQcFPyRehD8W8Z2cRaYPbJGQ5cWA3IK\n-----END PRIVATE KEY-----\n",
];

fn heads(key: Option<&str>, secret: Option<&str>, before: &[&str]) -> Heads {
    let secret_of = |text: &str| Secret::new(text.to_owned());
    let before = before.iter().map(|text| secret_of(text)).collect();
    Heads { key: key.map(secret_of), secret: secret.map(secret_of), before, ..upkeep().heads }
}

#[tokio::test]
async fn heads_are_signed_with_a_pair_and_outlast_it_where_it_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    const OLD: &str = "an older secret of forty characters, or so";
    for (name, heads) in
        [("a", heads(None, Some(OLD), &[])), ("b", heads(Some(PEMS[0]), None, &[OLD])), ("c", heads(Some(PEMS[1]), None, &[]))]
    {
        let upkeep = Upkeep { heads, ..upkeep() };
        let store = open(&Opening { config: &config(Name::Sqlite), upkeep, folder: folder.path() }).await.expect("a store");
        written(store.as_ref(), &Slots::new(), record(name)).await;
        drop(store);
    }
    let path = folder.path().join("heads.jsonl");
    let found = |heads: Heads| match read_heads(&path, &heads.keys().expect("keys")) {
        Ok(heads) => format!("{} heads", heads.len()),
        Err(error) => error.to_string().rsplit(": ").next().unwrap_or_default().to_owned(),
    };
    for (heads, expected) in [
        (heads(Some(PEMS[1]), None, &[PEMS[0], OLD]), "5 heads"),
        (heads(Some(PEMS[1]), None, &[OLD]), "line 2 is not signed with this key"),
        (heads(Some(PEMS[1]), None, &[]), "line 1 is not signed with this key"),
        (heads(None, Some(OLD), &[PEMS[1]]), "line 2 is not signed with this key"),
    ] {
        assert_eq!(found(heads), expected);
    }
    let text = fs::read_to_string(&path).expect("a file");
    fs::write(&path, text.replacen("\"seq\":3", "\"seq\":2", 1)).expect("a file");
    assert_eq!(found(heads(Some(PEMS[1]), None, &[PEMS[0], OLD])), "line 5 is not signed with this key");
}

#[test]
fn what_cannot_sign_is_a_mistake() {
    let public = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n-----END PUBLIC KEY-----\n";
    for (heads, expected) in [
        (heads(Some(PEMS[0]), None, &[PEMS[1]]), Ok(())),
        (heads(Some(public), None, &[]), Err("key")),
        (heads(Some(""), None, &[]), Err("key")),
        (heads(None, Some("short"), &[]), Err("secret")),
        (heads(Some(PEMS[0]), Some("0123456789abcdef0123456789abcdef"), &[]), Err("secret")),
        (heads(Some(PEMS[0]), None, &["short"]), Err("before")),
        (Heads { file: None, ..heads(None, None, &[PEMS[0]]) }, Err("before")),
        (Heads { file: None, ..heads(Some(PEMS[0]), None, &[]) }, Err("key")),
    ] {
        assert_eq!(heads.check().map_err(|(key, _)| key), expected);
    }
}
