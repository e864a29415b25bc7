//! What callers read about arguments that do not fit.

use callgate_model::Target;
use expect_test::{Expect, expect};
use serde_json::{Value, json};

use crate::tests::Fixture;

async fn check(arguments: Value, expected: Expect) {
    let fixture = Fixture::new(&json!({}));
    let answer = fixture.call("strict", arguments).await;
    assert_eq!(fixture.reached(), usize::from(answer.starts_with("ok")), "{answer}");
    assert!(answer.len() <= 480, "{} characters: {answer}", answer.len());
    expected.assert_eq(&answer);
}

#[tokio::test]
async fn fitting_arguments_pass() {
    let all = json!({
        "customer_id": "cust_ab12", "limit": 100, "tier": "pro", "email": "a@example.com", "since": "2026-07-28", "tags": ["a"],
        "items": [{ "sku": "x", "quantity": 1 }], "either": null,
    });
    check(all, expect![[r#"ok {"text":""}"#]]).await;
}

#[tokio::test]
async fn one_problem_is_told_with_what_would_be_right() {
    let with = |more: Value| {
        let mut all = json!({ "customer_id": "cust_ab12" });
        all.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        all
    };
    check(json!({}), expect!["bad_arguments `customer_id` is missing: a string matching `^cust_[a-z0-9]{4}$`"]).await;
    check(
        json!({ "customer_id": "42" }),
        expect![[r#"bad_arguments `customer_id` must be a string matching `^cust_[a-z0-9]{4}$`, not "42""#]],
    )
    .await;
    check(json!({ "customer_id": 42 }), expect!["bad_arguments `customer_id` must be a string matching `^cust_[a-z0-9]{4}$`, not 42"])
        .await;
    check(with(json!({ "limit": 0 })), expect!["bad_arguments `limit` must be an integer from 1 to 100, not 0"]).await;
    check(with(json!({ "limit": "5" })), expect![[r#"bad_arguments `limit` must be an integer from 1 to 100, not "5""#]]).await;
    check(with(json!({ "limit": 1.5 })), expect!["bad_arguments `limit` must be an integer from 1 to 100, not 1.5"]).await;
    check(
        with(json!({ "tier": "entreprise" })),
        expect![[r#"bad_arguments `tier` must be one of `free`, `pro`, `enterprise`, not "entreprise" (did you mean `enterprise`?)"#]],
    )
    .await;
    check(with(json!({ "tier": ["pro"] })), expect!["bad_arguments `tier` must be one of `free`, `pro`, `enterprise`, not an array"]).await;
    check(with(json!({ "email": "nobody" })), expect![[r#"bad_arguments `email` must be a string in the format `email`, not "nobody""#]])
        .await;
    check(
        with(json!({ "since": "yesterday" })),
        expect![[r#"bad_arguments `since` must be a string in the format `date`, not "yesterday""#]],
    )
    .await;
    check(with(json!({ "tags": ["a", "a"] })), expect!["bad_arguments `tags` must be an array, at most 2 items, without repeats"]).await;
    check(
        with(json!({ "tags": ["a", "b", "c"] })),
        expect!["bad_arguments `tags` must be an array, at most 2 items, without repeats, not 3 items"],
    )
    .await;
    check(
        with(json!({ "tags": ["abcdef"] })),
        expect![[r#"bad_arguments `tags[0]` must be a string, at most 5 characters long, not "abcdef""#]],
    )
    .await;
    check(
        with(json!({ "items": [{ "sku": "x", "quantity": 0 }] })),
        expect!["bad_arguments `items[0].quantity` must be an integer, at least 1, not 0"],
    )
    .await;
    check(with(json!({ "items": [{ "sku": "x", "quantiti": 1 }] })), expect!["bad_arguments `items[0].quantity` is missing: an integer, at least 1; there is no argument `items[0].quantiti` (did you mean `quantity`?)"]).await;
    check(with(json!({ "items": { "sku": "x" } })), expect!["bad_arguments `items` must be an array, not an object"]).await;
    check(with(json!({ "either": 7 })), expect!["bad_arguments `either` must be a string or null, not 7"]).await;
    check(with(json!({ "Limit": 7 })), expect!["bad_arguments there is no argument `Limit` (did you mean `limit`?)"]).await;
    check(with(json!({ "colour": "red" })), expect!["bad_arguments there is no argument `colour` (there are `customer_id`, `limit`, `tier`, `email`, `pin`, `since`, `tags`, `items`, `either`)"]).await;
}

#[tokio::test]
async fn all_problems_are_told_at_once_in_bounded_space() {
    check(json!({ "custmer_id": "cust_ab12", "limit": 1000, "tier": "gold" }), expect![[r#"bad_arguments `limit` must be an integer from 1 to 100, not 1000; `tier` must be one of `free`, `pro`, `enterprise`, not "gold"; there is no argument `custmer_id` (did you mean `customer_id`?); `customer_id` is missing: a string matching `^cust_[a-z0-9]{4}$`"#]]).await;
    let many = (0..1000).map(|index| (format!("unknown_argument_{index}"), json!(1))).collect();
    check(Value::Object(many), expect!["bad_arguments there is no argument `unknown_argument_0`; there is no argument `unknown_argument_1`; there is no argument `unknown_argument_2`; there is no argument `unknown_argument_3`; there is no argument `unknown_argument_4`; there is no argument `unknown_argument_5`; there is no argument `unknown_argument_6`; there is no argument `unknown_argument_7`; there is no argument `unknown_argument_8`; and 992 more"]).await;
    check(json!({ "customer_id": "cust_ab12", "items": vec![7; 500] }), expect!["bad_arguments `items[0]` must be an object, not 7; `items[1]` must be an object, not 7; `items[2]` must be an object, not 7; `items[3]` must be an object, not 7; `items[4]` must be an object, not 7; `items[5]` must be an object, not 7; `items[6]` must be an object, not 7; `items[7]` must be an object, not 7; `items[8]` must be an object, not 7; `items[9]` must be an object, not 7; and 490 more"]).await;
    check(
        json!({ "customer_id": "cust_ab12", "items": vec![7; 500_000], "limit": 0 }),
        expect!["bad_arguments `items[0]` must be an object, not 7"],
    )
    .await;
    check(
        json!({ "customer_id": "x".repeat(100_000) }),
        expect![[
            r#"bad_arguments `customer_id` must be a string matching `^cust_[a-z0-9]{4}$`, not "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…""#
        ]],
    )
    .await;
    check(json!({ "x\u{7}".repeat(10_000): 1, "customer_id": "\u{1b}[31m" }), expect![[r#"bad_arguments `customer_id` must be a string matching `^cust_[a-z0-9]{4}$`, not "�[31m"; there is no argument `x�x�x�x�x�x�x�x�x�x�x�x�x�x�x�x�x�x�x�x�x�x�x�x�x�x�x�x�x�x�x�x�x�x�x�x�x�x�x�x�…` (there are `customer_id`, `limit`, `tier`, `email`, `pin`, `since`, `tags`, `items`, `either`)"#]]).await;
}

#[tokio::test]
async fn what_cannot_be_seen_is_shown_as_such() {
    check(
        json!({ "customer_id": "a\u{202e}b\u{200b}" }),
        expect![[r#"bad_arguments `customer_id` must be a string matching `^cust_[a-z0-9]{4}$`, not "a�b�""#]],
    )
    .await;
}

#[tokio::test]
async fn hidden_arguments_are_not_repeated() {
    check(
        json!({ "customer_id": "cust_ab12", "pin": "12345-canary" }),
        expect!["bad_arguments `pin` must be a string, at most 4 characters long"],
    )
    .await;
}

#[tokio::test]
async fn what_is_not_written_down_is_not_repeated() {
    let fixture = Fixture::new(&json!({ "audit": { "redact": ["/tags/*"] } }));
    let answer = fixture.call("strict", json!({ "customer_id": "a@example.com", "tags": ["canary"] })).await;
    expect![[r#"bad_arguments `customer_id` must be a string matching `^cust_[a-z0-9]{4}$`, not "[redacted]"; `tags[0]` must be a string, at most 5 characters long"#]]
        .assert_eq(&answer);
}

#[tokio::test]
async fn what_stands_below_a_hidden_path_is_not_repeated() {
    let fixture = Fixture::new(&json!({ "audit": { "redact": ["/items/*"] } }));
    let answer = fixture.call("strict", json!({ "customer_id": "cust_ab12", "items": [{ "sku": "a", "quantity": "canary" }] })).await;
    expect!["bad_arguments `items[0].quantity` must be an integer, at least 1"].assert_eq(&answer);
}

#[tokio::test]
async fn names_that_are_not_written_down_are_not_repeated() {
    check(
        json!({ "customer_id": "cust_ab12", "ann@mail.example": 1 }),
        expect!["bad_arguments there is no argument `[redacted]` (there are `customer_id`, `limit`, `tier`, `email`, `pin`, `since`, `tags`, `items`, `either`)"],
    )
    .await;
}

/// A pattern that would take a backtracking engine minutes.
#[tokio::test]
async fn patterns_are_linear() {
    let fixture = Fixture::with_schema(&json!({ "properties": { "a": { "type": "string", "pattern": "^(a+)+$" } } })).expect("a gate");
    let answer = fixture.call("odd", json!({ "a": format!("{}!", "a".repeat(50_000)) })).await;
    assert!(answer.starts_with("bad_arguments `a` must be a string matching `^(a+)+$`"), "{answer}");
}

#[tokio::test]
async fn prompts_want_texts_that_they_know() {
    let fixture = Fixture::new(&json!({}));
    let mut answers = String::new();
    for arguments in [json!({}), json!({ "who": 1 }), json!({ "who": "x", "tune": "y" }), json!({ "who": "x", "tone": "y" })] {
        answers += &fixture.say(Target::Prompt("greet".into()), arguments).await;
        answers.push('\n');
    }
    answers += &fixture.say(fixture.completion("greet", "ton"), json!({})).await;
    expect![[r#"
        bad_request the argument `who` is missing
        bad_request the argument `who` must be a string
        bad_request there is no argument `tune`; did you mean `tone`?
        ok hello x
        bad_request there is no argument `ton`; did you mean `tone`?"#]]
    .assert_eq(&answers);
}
