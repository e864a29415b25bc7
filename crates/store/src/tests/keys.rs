//! The table of API keys, in every kind of store.

use jiff::Timestamp;

use super::opened;
use crate::{ApiKey, Error, Keys, Name};

#[tokio::test]
async fn keys_are_found_listed_and_revoked() {
    for kind in [Name::Sqlite, Name::Memory] {
        let folder = tempfile::tempdir().expect("a folder");
        check(opened(kind, folder.path()).await.keys()).await;
    }
}

/// What every table of keys does, on an empty one.
pub(super) async fn check(keys: &dyn Keys) {
    let at = |second| Timestamp::from_second(second).expect("a time");
    let key = |id: &str, created| ApiKey {
        id: id.into(),
        caller: "ann".into(),
        tenant: "acme".into(),
        roles: vec!["finance".into(), "ä\"b".into()],
        scopes: Vec::new(),
        hash: vec![0, 1, 255],
        created: at(created),
        expires: Some(at(9)),
        revoked: None,
    };
    let (one, two) = (key("one", 1), key("two", 2));
    keys.add(&one).await.expect("a key");
    keys.add(&two).await.expect("a key");
    let taken = keys.add(&ApiKey { caller: "bob".into(), ..one.clone() }).await.expect_err("an id");
    assert!(matches!(taken, Error::Taken { ref id } if id == "one"), "{taken}");
    assert_eq!(keys.find("one").await.expect("an answer").as_ref(), Some(&one));
    assert_eq!(keys.find("none").await.expect("an answer"), None);
    assert!(keys.revoke("one", at(5)).await.expect("an answer"));
    assert!(!keys.revoke("one", at(6)).await.expect("an answer"), "once");
    assert!(!keys.revoke("none", at(5)).await.expect("an answer"));
    let revoked = ApiKey { revoked: Some(at(5)), ..one };
    assert_eq!(keys.list().await.expect("a list"), [revoked, two]);
    assert!(!format!("{:?}", keys.list().await).contains("255"), "the hash is never printed");
}
