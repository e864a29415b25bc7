//! What the record shows of arguments.

use callgate_model::{Gateway as _, Target};
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

#[tokio::test]
async fn paths_hide_what_stands_there() {
    let fixture = Fixture::new(&json!({ "audit": { "redact": ["/a/b", "/list/*/n"] } }));
    fixture.call("echo", json!({ "a": { "b": 1, "c": 2 }, "b": 3, "list": [{ "n": 4, "m": 5 }, { "n": 6 }] })).await;
    expect![[r#"{"a":{"b":"[redacted]","c":2},"b":3,"list":[{"n":"[redacted]","m":5},{"n":"[redacted]"}]}"#]]
        .assert_eq(&fixture.entries()[0].arguments);
}

/// What a text becomes. Numbers and keys are made up.
#[tokio::test]
async fn cards_addresses_and_credentials_are_hidden_wherever_they_stand() {
    let begins = |beginning: &str| format!("{beginning}{}", "0aB1cD2eF3gH4");
    let cases = [
        ("pay with 4111 1111 1111 1111 123 please".to_owned(), "pay with [redacted] 123 please"),
        ("4111111111111111".into(), "[redacted]"),
        ("5500-0000-0000-0004/2".into(), "[redacted]/2"),
        ("378282246310005, or not".into(), "[redacted], or not"),
        ("4111111111111112".into(), "4111111111111112"),
        ("order 1700000000123456".into(), "order 1700000000123456"),
        ("4111 1111 1111".into(), "4111 1111 1111"),
        ("ask ann.b+c@mail.example.org.".into(), "ask [redacted]."),
        ("ä@ö.example,x@y@z.example".into(), "[redacted],x@[redacted]"),
        ("at noon @ home, a@b".into(), "at noon @ home, a@b"),
        (format!("Authorization: Bearer {}", begins("")), "Authorization: Bearer [redacted]"),
        (begins("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0."), "[redacted]"),
        (format!("key={}", begins("ghp_")), "key=[redacted]"),
        (begins("cg_"), "[redacted]"),
        ("task_1 desk-jockey-of-the-year".into(), "task_1 desk-jockey-of-the-year"),
        ("postgres://ann:hunter2@db/x and http://host/a@b".into(), "postgres://[redacted]@db/x and http://host/a@b"),
        ("-----BEGIN PRIVATE KEY-----\nabc".into(), "[redacted]"),
    ];
    for (text, expected) in cases {
        let fixture = Fixture::new(&json!({}));
        fixture.call("echo", json!({ "text": text })).await;
        assert_eq!(fixture.entries()[0].arguments, json!({ "text": expected }).to_string(), "{text}");
    }
}

#[tokio::test]
async fn a_number_across_the_cut_and_one_that_is_a_number_are_hidden() {
    let fixture = Fixture::new(&json!({ "audit": { "value": 10 } }));
    fixture.call("echo", json!({ "a": "abcdef 4111111111111111 x", "b": 4_111_111_111_111_111_u64, "c": 4_111_111_111_111_112_u64 })).await;
    expect![[r#"{"a":"abcdef [re… 9 bytes more","b":"[redacted]","c":4111111111111112}"#]].assert_eq(&fixture.entries()[0].arguments);
}

#[tokio::test]
async fn an_operator_may_look_for_less() {
    let fixture = Fixture::new(&json!({ "audit": { "patterns": ["card"] } }));
    fixture.call("echo", json!({ "a": "ann@mail.example 4111111111111111" })).await;
    assert_eq!(fixture.entries()[0].arguments, r#"{"a":"ann@mail.example [redacted]"}"#);
}

/// What somebody sends as a name may be anything.
#[tokio::test]
async fn a_name_that_nobody_knows_is_repeated_without_what_it_must_not_hold() {
    let card = "4111 1111 1111 1111";
    let fixture = Fixture::new(&json!({}));
    let cases = [
        (Target::Tool(format!("pay {card}")), "unknown unknown tool `pay [redacted]`"),
        (Target::Tool(format!("{} {card}", "x".repeat(70))), "…`"),
        (Target::Tool("cg_0aB1cD2eF3gH4".into()), "unknown unknown tool `[redacted]`"),
        (Target::Prompt("ann@mail.example.org".into()), "unknown unknown prompt `[redacted]`"),
        (Target::Resource(format!("note://{card}")), "unknown unknown resource `note://[redacted]`"),
        (Target::Resource(format!("db://schema/{card}")), "unknown unknown resource `db://schema/[redacted]`"),
        (fixture.completion(card, "a"), "unknown unknown prompt `[redacted]`"),
        (Target::Tool("y".repeat(10_000)), "…`"),
    ];
    for (target, expected) in cases {
        let result = fixture.gate.call(fixture.prepared(target, json!({}))).await;
        let Err(fault) = &result else { panic!("{expected}: there is such a thing") };
        let told = crate::tests::told(&result);
        assert!(told == expected || expected == "…`" && told.ends_with(expected), "{told}");
        let whole = format!("{told} {:?} {}", fault.kind(), fixture.entries().last().expect("a record").name);
        assert!(!whole.contains("4111") && whole.len() < 2000, "{whole}");
    }
}
