//! Calls that ask modern clients: answers, sealed states, and what is refused.

use serde_json::{Value, json};

use super::{modern, open, text};
use crate::testbed::client::{Answer, Site};

const FORM: &str = r#"{"elicitation":{}}"#;

async fn ask(site: &Site, tool: &str, more: &Value) -> Answer {
    let mut params = json!({ "name": tool, "arguments": { "b": 1, "a": { "x": [1, null], "y": "z" } } });
    for (key, value) in more.as_object().into_iter().flatten() {
        params[key] = value.clone();
    }
    let client = serde_json::from_str(FORM).expect("JSON");
    site.send(&modern(&json!(1), "tools/call", &params, client)).await
}

/// The state that the first round gives.
async fn state(site: &Site, tool: &str) -> Value {
    let answer = ask(site, tool, &json!({})).await.json();
    assert_eq!(answer["result"]["resultType"], "input_required", "{answer}");
    assert_eq!(answer["result"]["inputRequests"]["name"]["method"], "elicitation/create");
    answer["result"]["requestState"].clone()
}

fn accept() -> Value {
    json!({ "name": { "action": "accept", "content": { "n": "Ann" } } })
}

#[tokio::test]
async fn answers_reach_the_call_with_the_state_it_gave() {
    let site = open().await;
    let state = state(&site, "ask").await;
    assert!(!state.as_str().expect("a text").contains("s1"));
    let mut answers = accept();
    answers["extra"] = json!(5);
    // The order of members is the client's choice.
    let arguments = json!({ "a": { "y": "z", "x": [1, null] }, "b": 1 });
    let answer = ask(&site, "ask", &json!({ "inputResponses": answers, "requestState": state, "arguments": arguments })).await.json();
    assert!(text(&answer).contains("Ann") && text(&answer).contains("s1"), "{answer}");
}

#[tokio::test]
async fn answers_of_earlier_rounds_come_along() {
    let site = open().await;
    let first = state(&site, "ask_twice").await;
    let second = ask(&site, "ask_twice", &json!({ "inputResponses": accept(), "requestState": first })).await.json();
    let asked: Vec<_> = second["result"]["inputRequests"].as_object().expect("questions").keys().collect();
    assert_eq!(asked, ["age"]);
    assert_ne!(second["result"]["requestState"], first);
    let answers = json!({ "age": { "action": "decline" } });
    let third =
        ask(&site, "ask_twice", &json!({ "inputResponses": answers, "requestState": second["result"]["requestState"] })).await.json();
    assert_eq!(text(&third), "both, Some(\"s2\")");
}

#[tokio::test]
async fn a_missing_answer_is_asked_for_again() {
    let site = open().await;
    let state = state(&site, "ask").await;
    let answers = json!({ "wrong": { "action": "accept" } });
    let answer = ask(&site, "ask", &json!({ "inputResponses": answers, "requestState": state })).await.json();
    assert_eq!(answer["result"]["resultType"], "input_required");
}

#[tokio::test]
async fn a_state_that_is_not_for_this_call_is_refused() {
    let site = open().await;
    let state = state(&site, "ask").await;
    let good = state.as_str().expect("a text");
    let flip = |at: usize| {
        let mut bytes = good.as_bytes().to_vec();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        String::from_utf8(bytes).expect("text")
    };
    let begun = *site.script.begun.borrow();
    let tampered = [
        flip(0),
        flip(1),
        flip(20),
        flip(good.len() - 5),
        format!("{good}-TAMPERED"),
        good[..10].into(),
        String::new(),
        "x".repeat(100_000),
    ];
    for state in tampered {
        let answer = ask(&site, "ask", &json!({ "inputResponses": accept(), "requestState": state })).await;
        assert_eq!(answer.short(), "200 -32602", "{state}");
    }
    let others = [("ask_twice", json!({})), ("ask", json!({ "arguments": { "b": 2 } })), ("ask_write", json!({}))];
    for (tool, mut more) in others {
        more["requestState"] = state.clone();
        assert_eq!(ask(&site, tool, &more).await.short(), "200 -32602", "{tool}");
    }
    // Another gate has other keys.
    let other = open().await;
    assert_eq!(ask(&other, "ask", &json!({ "requestState": state })).await.short(), "200 -32602");
    assert_eq!(*site.script.begun.borrow(), begun);
    let (strange, long) = ("its `requestState` was not sealed here for this call", "its `requestState` is longer than wire.questions.size");
    let of_ask = format!("{}ask: {long}\n", format!("ask: {strange}\n").repeat(7));
    let of_others: String = ["ask_twice", "ask", "ask_write"].map(|tool| format!("{tool}: {strange}\n")).concat();
    assert_eq!(site.script.refused(), of_ask + &of_others);
}

#[tokio::test]
async fn a_write_is_not_started_twice_by_one_state() {
    let site = open().await;
    let state = state(&site, "ask_write").await;
    let retry = json!({ "inputResponses": accept(), "requestState": state });
    assert_eq!(ask(&site, "ask_write", &retry).await.short(), "200");
    assert_eq!(ask(&site, "ask_write", &retry).await.short(), "200 -32602");
    assert_eq!(*site.script.begun.borrow(), 2);
    assert_eq!(site.script.refused(), "ask_write: its `requestState` was used before\n");
}

#[tokio::test]
async fn replicas_with_the_same_secret_open_each_others_states() {
    let with = |secrets: &[&str]| {
        let mut config = crate::Config::default();
        config.questions.secrets = secrets.iter().map(|secret| callgate_config::Secret::new((*secret).to_owned())).collect();
        config
    };
    let (old, new) = ("o".repeat(32), "n".repeat(32));
    let first = Site::open(&with(&[&old])).await;
    let both = Site::open(&with(&[&new, &old])).await;
    let state = state(&first, "ask").await;
    let retry = json!({ "inputResponses": accept(), "requestState": state });
    assert_eq!(ask(&both, "ask", &retry).await.short(), "200");
}

#[tokio::test]
async fn malformed_answers_are_refused() {
    let site = open().await;
    let state = state(&site, "ask").await;
    let begun = *site.script.begun.borrow();
    for wrong in
        [json!(5), json!(null), json!("accept"), json!({}), json!({ "action": "yes" }), json!({ "action": "accept", "content": 5 })]
    {
        let answer = ask(&site, "ask", &json!({ "inputResponses": { "name": wrong }, "requestState": state })).await;
        assert_eq!(answer.short(), "200 -32602", "{wrong}");
    }
    assert_eq!(*site.script.begun.borrow(), begun);
    assert_eq!(site.script.refused(), "ask: an answer that it brought has the wrong form\n".repeat(6));
}

#[tokio::test]
async fn nobody_is_asked_what_it_cannot_answer() {
    let site = open().await;
    let none = site.send(&super::call("ask", &json!({}))).await;
    assert_eq!(none.short(), "400 -32021");
    assert_eq!(none.json()["error"]["data"]["requiredCapabilities"], json!({ "elicitation": {} }));
    assert_eq!(ask(&site, "sample", &json!({})).await.short(), "400 -32021");
}
