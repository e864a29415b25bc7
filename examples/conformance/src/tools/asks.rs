//! Tools that need one answer from the client's side before they can finish.
//!
//! A tool states its question and returns; it is called again with the answer. A client of the old era is asked by a
//! request of the server, one of the new era inside the result: the tool does not notice.

use callgate::{Call, Fault, InputRequest, InputRequired, Reply, ToolReply};
use serde_json::Value;

use super::{Fixture, NOTHING};
use crate::questions::{answer, ask, field, filled, form, sample, sampled};

pub(super) const TOOLS: &[Fixture] = &[
    Fixture {
        name: "test_sampling",
        about: "Passes a prompt to the client's model and answers with what it wrote.",
        input: r#"{"type":"object","properties":{"prompt":{"type":"string","description":"The prompt to send."}},"required":["prompt"],"additionalProperties":false}"#,
        run: |call| Box::pin(async { sampling(call, call.text("prompt")?) }),
    },
    Fixture {
        name: "test_elicitation",
        about: "Shows the user a message and answers with the user's response.",
        input: r#"{"type":"object","properties":{"message":{"type":"string","description":"The message to show."}},"required":["message"],"additionalProperties":false}"#,
        run: |call| Box::pin(async { elicitation(call, call.text("message")?, CONTACT, "User response") }),
    },
    Fixture {
        name: "test_elicitation_sep1034_defaults",
        about: "Asks the user with a form whose fields have defaults.",
        input: NOTHING,
        run: |call| Box::pin(async { elicitation(call, "Please review the defaults", DEFAULTS, "Elicitation completed") }),
    },
    Fixture {
        name: "test_elicitation_sep1330_enums",
        about: "Asks the user with a form that has every way to write a choice.",
        input: NOTHING,
        run: |call| Box::pin(async { elicitation(call, "Please choose", CHOICES, "Elicitation completed") }),
    },
    Fixture {
        name: "test_streaming_elicitation",
        about: "Reports progress, then asks the user.",
        input: NOTHING,
        run: |call| {
            Box::pin(async {
                call.progress(0.0, Some(1.0), None).await;
                elicitation(call, "Please provide your information", CONTACT, "User response")
            })
        },
    },
    Fixture {
        name: "test_missing_capability",
        about: "Needs a client with sampling.",
        input: NOTHING,
        run: |call| {
            Box::pin(async {
                call.require(&sample("ping", 10))?;
                Ok(ToolReply::text("The client has sampling").into())
            })
        },
    },
    Fixture {
        name: "test_input_required_result_elicitation",
        about: "Asks the user for a name and greets.",
        input: NOTHING,
        run: |call| {
            Box::pin(async {
                match filled(call, "user_name", "name").and_then(Value::as_str) {
                    Some(name) => Ok(ToolReply::text(format!("Hello, {name}!")).into()),
                    None => ask(call, InputRequired::one("user_name", field("What is your name?", "name", "string"))),
                }
            })
        },
    },
    Fixture {
        name: "test_input_required_result_sampling",
        about: "Asks the client's model for a capital.",
        input: NOTHING,
        run: |call| Box::pin(async { sampling(call, "What is the capital of France?") }),
    },
    Fixture {
        name: "test_input_required_result_list_roots",
        about: "Asks the client for its roots and counts them.",
        input: NOTHING,
        run: |call| Box::pin(async { roots(call) }),
    },
    Fixture {
        name: "test_input_required_result_capabilities",
        about: "Asks only for what the client can give.",
        input: NOTHING,
        run: |call| Box::pin(async { whatever_the_client_can(call) }),
    },
];

const CONTACT: &str = r#"{
  "type": "object",
  "properties": {
    "username": { "type": "string", "description": "User's response" },
    "email": { "type": "string", "description": "User's email address" }
  },
  "required": ["username", "email"]
}"#;

const DEFAULTS: &str = r#"{
  "type": "object",
  "properties": {
    "name": { "type": "string", "default": "John Doe" },
    "age": { "type": "integer", "default": 30 },
    "score": { "type": "number", "default": 95.5 },
    "status": { "type": "string", "enum": ["active", "inactive", "pending"], "default": "active" },
    "verified": { "type": "boolean", "default": true }
  }
}"#;

const CHOICES: &str = r#"{
  "type": "object",
  "properties": {
    "untitledSingle": { "type": "string", "enum": ["option1", "option2", "option3"] },
    "titledSingle": {
      "type": "string",
      "oneOf": [{ "const": "value1", "title": "First Option" }, { "const": "value2", "title": "Second Option" }]
    },
    "legacyEnum": { "type": "string", "enum": ["opt1", "opt2"], "enumNames": ["Option One", "Option Two"] },
    "untitledMulti": { "type": "array", "items": { "type": "string", "enum": ["option1", "option2", "option3"] } },
    "titledMulti": {
      "type": "array",
      "items": { "anyOf": [{ "const": "value1", "title": "First Choice" }, { "const": "value2", "title": "Second Choice" }] }
    }
  }
}"#;

fn sampling(call: &Call, prompt: &str) -> Result<Reply, Fault> {
    match sampled(call, "sample") {
        Some(text) => Ok(ToolReply::text(format!("LLM response: {text}")).into()),
        None => ask(call, InputRequired::one("sample", sample(prompt, 100))),
    }
}

fn elicitation(call: &Call, message: &str, schema: &str, prefix: &str) -> Result<Reply, Fault> {
    let Some(answer) = answer(call, "form") else {
        return ask(call, InputRequired::one("form", form(message, schema)));
    };
    let action = answer.get("action").and_then(Value::as_str).unwrap_or("none");
    let content = answer.get("content").unwrap_or(&Value::Null);
    Ok(ToolReply::text(format!("{prefix}: action={action}, content={content}")).into())
}

fn roots(call: &Call) -> Result<Reply, Fault> {
    match answer(call, "roots").and_then(|answer| answer.get("roots")?.as_array()) {
        Some(roots) => Ok(ToolReply::text(format!("The client has {} roots", roots.len())).into()),
        None => ask(call, InputRequired::one("roots", InputRequest::Roots)),
    }
}

fn whatever_the_client_can(call: &Call) -> Result<Reply, Fault> {
    let wishes = [
        ("user_name", field("What is your name?", "name", "string")),
        ("greeting", sample("Generate a greeting", 50)),
        ("roots", InputRequest::Roots),
    ];
    let mut questions = InputRequired::default();
    for (key, request) in wishes {
        if call.client.lacks(&request).is_none() && answer(call, key).is_none() {
            questions = questions.and(key, request);
        }
    }
    if questions.requests.is_empty() {
        return Ok(ToolReply::text(format!("Got {} answers", call.answers.len())).into());
    }
    ask(call, questions)
}
