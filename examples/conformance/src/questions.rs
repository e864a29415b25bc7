//! What the asking tools have in common: the questions, and how an answer is read.

use callgate::{Call, Fault, InputRequest, InputRequired, Json, Members, Reply};
use serde_json::{Value, json};

/// A form for the user; the schema is JSON text. The suite reads some replies line by line, so it is put on one line.
pub(crate) fn form(message: &str, schema: &str) -> InputRequest {
    let schema: Value = serde_json::from_str(schema).expect("the forms of this program are JSON");
    InputRequest::Form { message: message.into(), schema: Json::of(&schema) }
}

/// A form with one required field.
pub(crate) fn field(message: &str, name: &str, kind: &str) -> InputRequest {
    let schema = json!({ "type": "object", "properties": { name: { "type": kind } }, "required": [name] });
    InputRequest::Form { message: message.into(), schema: Json::of(&schema) }
}

/// A question for the client's model.
pub(crate) fn sample(prompt: &str, tokens: u32) -> InputRequest {
    let params = json!({
        "messages": [{ "role": "user", "content": { "type": "text", "text": prompt } }],
        "maxTokens": tokens
    });
    InputRequest::Sample(params.as_object().cloned().unwrap_or_default())
}

/// Asks, if the client can answer everything that is asked; otherwise the call fails and names what the client lacks.
pub(crate) fn ask(call: &Call, questions: InputRequired) -> Result<Reply, Fault> {
    questions.requests.values().try_for_each(|request| call.require(request))?;
    Ok(questions.into())
}

/// The client's answer to a question. What is not an object is no answer, and the tool asks again.
pub(crate) fn answer<'c>(call: &'c Call, key: &str) -> Option<&'c Members> {
    call.answers.get(key)?.as_object()
}

/// A field that the user filled in.
pub(crate) fn filled<'c>(call: &'c Call, key: &str, field: &str) -> Option<&'c Value> {
    answer(call, key)?.get("content")?.get(field)
}

/// The text that the client's model wrote.
pub(crate) fn sampled<'c>(call: &'c Call, key: &str) -> Option<&'c str> {
    answer(call, key)?.get("content")?.get("text")?.as_str()
}
