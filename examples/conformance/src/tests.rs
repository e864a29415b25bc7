//! What the suite reads in the fixtures, seen from inside: replies by name of what is called.

use std::{sync::Arc, time::Duration};

use callgate::{Answers, Backend, BackendName, Call, Caller, Catalog, Deadline, Fault, Found, Members, Origin, Reply, Target};
use serde_json::{Value, json};

use crate::fixtures::Fixtures;

/// Calls `target`; what came back as a short text: a sort, then what matters of it.
async fn check(target: Target, arguments: Value, client: Value, answers: Value, state: Option<&str>) -> String {
    let backend: Arc<dyn Backend> = Arc::new(Fixtures);
    let name = BackendName::new("fixtures").expect("a name");
    let catalog = Catalog::of([(name, backend.clone())]).expect("a catalog");
    let arguments: Members = arguments.as_object().expect("an object").clone();
    let deadline = Deadline::after(Duration::from_secs(5));
    let mut call = Call::new(target, arguments, Caller::local(), Arc::new(Origin::default()), deadline);
    call.found = catalog.find(&call.target);
    call.client = serde_json::from_value(client).expect("capabilities");
    call.answers = serde_json::from_value::<Answers>(answers).expect("answers");
    call.state = state.map(String::from);
    let reply = match (&call.target, &call.found) {
        (_, Found::Nothing) => Err(Fault::internal("not on offer")),
        (Target::Tool(_), _) => backend.call(&call).await,
        (Target::Resource(_), _) => backend.read(&call).await,
        (Target::Prompt(_), _) => backend.prompt(&call).await,
        (Target::Completion { .. }, _) => backend.complete(&call).await,
    };
    match reply {
        Ok(Reply::InputRequired(asked)) => {
            let keys: Vec<_> = asked.requests.keys().map(String::as_str).collect();
            format!("asks {} remembers {}", keys.join(" "), asked.state.as_deref().unwrap_or("nothing"))
        }
        Ok(reply) => format!("{reply:?}"),
        Err(fault) => format!("{}: {fault}", fault.kind().code()),
    }
}

async fn tool(name: &str, client: Value, answers: Value, state: Option<&str>) -> String {
    check(Target::Tool(name.into()), json!({}), client, answers, state).await
}

fn able() -> Value {
    json!({ "elicitation": {}, "sampling": {}, "roots": {} })
}

#[tokio::test(start_paused = true)]
async fn tools_without_questions_answer() {
    let cases = [
        ("test_simple_text", "simple text response"),
        ("test_image_content", "Image {"),
        ("test_audio_content", "audio/wav"),
        ("test_embedded_resource", "test://embedded-resource"),
        ("test_multiple_content_types", "test://mixed-content-resource"),
        ("test_error_handling", "is_error: true"),
        ("test_tool_with_logging", "executed successfully"),
        ("test_tool_with_progress", "executed successfully"),
        ("test_logging_tool", "Logged"),
        ("test_reconnection", "completed successfully"),
        ("test_trigger_tool_change", "Announced"),
        ("test_trigger_prompt_change", "Announced"),
        ("test_missing_capability", "missing_capability: this needs a client with sampling"),
    ];
    for (name, expected) in cases {
        let reply = tool(name, json!({}), json!({}), None).await;
        assert!(reply.contains(expected), "{name}: {reply}");
    }
}

#[tokio::test]
async fn tools_with_questions_ask_then_answer() {
    let form = |content: Value| json!({ "action": "accept", "content": content });
    let sampled = json!({ "role": "assistant", "content": { "type": "text", "text": "Paris" } });
    let cases = [
        ("test_input_required_result_elicitation", json!({}), None, "asks user_name remembers nothing"),
        ("test_input_required_result_elicitation", json!({ "wrong": form(json!({})) }), None, "asks user_name"),
        ("test_input_required_result_elicitation", json!({ "user_name": 12345 }), None, "asks user_name"),
        ("test_input_required_result_elicitation", json!({ "user_name": form(json!({ "name": "Al" })), "more": 1 }), None, "Hello, Al!"),
        ("test_input_required_result_sampling", json!({}), None, "asks sample"),
        ("test_input_required_result_sampling", json!({ "sample": sampled }), None, "LLM response: Paris"),
        ("test_input_required_result_list_roots", json!({}), None, "asks roots"),
        ("test_input_required_result_list_roots", json!({ "roots": { "roots": [{}] } }), None, "has 1 roots"),
        ("test_input_required_result_request_state", json!({}), None, "asks confirm remembers asked"),
        ("test_input_required_result_request_state", json!({ "confirm": form(json!({ "ok": true })) }), None, "asks confirm"),
        ("test_input_required_result_request_state", json!({ "confirm": form(json!({ "ok": true })) }), Some("asked"), "state-ok"),
        ("test_input_required_result_multiple_inputs", json!({}), None, "asks client_roots greeting user_name remembers asked"),
        ("test_input_required_result_multi_round", json!({}), None, "asks step1"),
        (
            "test_input_required_result_multi_round",
            json!({ "step1": form(json!({ "name": "Al" })) }),
            Some("asked for the name"),
            "asks step2 remembers name:Al",
        ),
        ("test_input_required_result_multi_round", json!({ "step2": form(json!({ "color": "blue" })) }), Some("name:Al"), "Al likes blue"),
        ("test_elicitation_sep1034_defaults", json!({}), None, "asks form"),
        ("test_elicitation_sep1330_enums", json!({ "form": form(json!({ "a": 1 })) }), None, "action=accept"),
    ];
    for (name, answers, state, expected) in cases {
        let reply = tool(name, able(), answers.clone(), state).await;
        assert!(reply.contains(expected), "{name} with {answers}: {reply}");
    }
}

#[tokio::test]
async fn clients_are_asked_only_for_what_they_can_give() {
    let reply = tool("test_input_required_result_capabilities", json!({ "sampling": {} }), json!({}), None).await;
    assert_eq!(reply, "asks greeting remembers nothing");
    let reply = tool("test_input_required_result_elicitation", json!({}), json!({}), None).await;
    assert_eq!(reply, "missing_capability: this needs a client with elicitation");
}

#[tokio::test]
async fn prompts_and_resources_answer() {
    use callgate::Reference;
    let prompt = |name: &str| Target::Prompt(name.into());
    let resource = |uri: &str| Target::Resource(uri.into());
    let of = Reference::Prompt("test_prompt_with_arguments".into());
    let completion = Target::Completion { of, argument: "arg1".into(), value: "par".into() };
    let cases = [
        (prompt("test_simple_prompt"), json!({}), "simple prompt"),
        (prompt("test_prompt_with_arguments"), json!({ "arg1": "one", "arg2": "two" }), "arg1='one', arg2='two'"),
        (prompt("test_prompt_with_embedded_resource"), json!({ "resourceUri": "test://x" }), "uri: \"test://x\""),
        (prompt("test_prompt_with_image"), json!({}), "image/png"),
        (prompt("test_input_required_result_prompt"), json!({}), "asks user_context"),
        (resource("test://static-text"), json!({}), "static text resource"),
        (resource("test://static-binary"), json!({}), "Blob("),
        (resource("test://watched-resource"), json!({}), "Watched"),
        (resource("test://template/123/data"), json!({}), "Data for ID: 123"),
        (completion, json!({}), r#"["paris", "park", "party"]"#),
    ];
    for (target, arguments, expected) in cases {
        let reply = check(target.clone(), arguments, able(), json!({}), None).await;
        assert!(reply.contains(expected), "{target:?}: {reply}");
    }
}

#[test]
fn the_first_tool_can_be_called_with_nothing() {
    let first = &Fixtures.offers().tools[0];
    assert_eq!(first.input.to_value()["properties"], json!({}));
}
