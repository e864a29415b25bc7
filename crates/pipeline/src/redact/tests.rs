//! What the record shows of arguments.

use expect_test::expect;
use serde_json::{Value, json};

use crate::tests::Fixture;

async fn check(arguments: Value, expected: expect_test::Expect) {
    let fixture = Fixture::new(&json!({ "audit": { "redact": ["E-Mail"], "value": 10, "arguments": "100B" } }));
    fixture.call("echo", arguments).await;
    expected.assert_eq(&fixture.entries()[0].arguments);
}

#[tokio::test]
async fn names_hide_their_values_at_any_depth() {
    check(
        json!({ "e-mail": "a@b.c", "a": [{ "PIN": 7, "b": { "api_key": { "x": 1 } } }], "Authorization": null }),
        expect![[
            r#"{"e-mail":"[redacted]","a":[{"PIN":"[redacted]","b":{"api_key":"[redacted]"}}],"Authorizat… 3 bytes more":"[redacted]"}"#
        ]],
    )
    .await;
}

#[tokio::test]
async fn what_looks_like_a_credential_is_hidden_whatever_was_declared() {
    for name in ["password", "userPassword", "access_token", "X-API-Key", "client-secret", "set_cookie", "private_key", &"x".repeat(65)] {
        let fixture = Fixture::new(&json!({}));
        fixture.call("echo", json!({ name: "canary" })).await;
        assert_eq!(fixture.entries()[0].arguments, json!({ name: "[redacted]" }).to_string(), "{name}");
    }
}

#[tokio::test]
async fn long_texts_and_many_members_are_cut() {
    check(
        json!({ "a": "0123456789", "b": "0123456789x", "ä": "ääääääääääää" }),
        expect![[r#"{"a":"0123456789","b":"0123456789… 1 bytes more","ä":"ääääääääää… 4 bytes more"}"#]],
    )
    .await;
    check(json!({ "list": (0..100).collect::<Vec<_>>() , "c": 1, "d": 2 }), expect![[r#"{"list":[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,32,33,"… 66 more"],"… 2 more":null}"#]]).await;
    let many = (0..50).map(|index| (format!("k{index}"), json!(index))).collect();
    check(Value::Object(many), expect![[r#"{"k0":0,"k1":1,"k2":2,"k3":3,"k4":4,"k5":5,"k6":6,"k7":7,"k8":8,"k9":9,"k10":10,"k11":11,"k12":12,"k13":13,"… 36 more":null}"#]]).await;
}
