//! The table of API keys, in every kind of store.

use jiff::Timestamp;

use super::opened;
use crate::{ApiKey, Error, KINDS};

#[tokio::test]
async fn keys_are_found_listed_and_revoked() {
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
    for kind in KINDS {
        let folder = tempfile::tempdir().expect("a folder");
        let store = opened(kind.name, folder.path()).await;
        let keys = store.keys();
        let (one, two) = (key("one", 1), key("two", 2));
        keys.add(&one).await.expect("a key");
        keys.add(&two).await.expect("a key");
        let taken = keys.add(&ApiKey { caller: "bob".into(), ..one.clone() }).await.expect_err("an id");
        assert!(matches!(taken, Error::Taken { ref id } if id == "one"), "{:?}: {taken}", kind.name);
        assert_eq!(keys.find("one").await.expect("an answer").as_ref(), Some(&one), "{:?}", kind.name);
        assert_eq!(keys.find("none").await.expect("an answer"), None);
        assert!(keys.revoke("one", at(5)).await.expect("an answer"));
        assert!(!keys.revoke("one", at(6)).await.expect("an answer"), "once");
        assert!(!keys.revoke("none", at(5)).await.expect("an answer"));
        let revoked = ApiKey { revoked: Some(at(5)), ..one };
        assert_eq!(keys.list().await.expect("a list"), [revoked, two], "{:?}", kind.name);
        assert!(!format!("{:?}", keys.list().await).contains("255"), "the hash is never printed");
    }
}
