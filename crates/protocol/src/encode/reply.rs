//! What a call brought.

use callgate_model::{Completion, InputRequired, PromptReply, Reply, ToolReply};

use super::{Frame, Freshness, content, freshness, notice, writer::Object};
use crate::Revision;

/// The reply of a call. `fresh` counts for resources only; the state of an `InputRequired` must be sealed already, and only
/// modern clients may be sent one.
#[must_use]
pub fn reply(frame: &Frame<'_>, reply: &Reply, fresh: Freshness) -> Vec<u8> {
    let revision = frame.revision;
    match reply {
        Reply::Tool(tool) => frame.result(tool.meta.as_ref(), |result| self::tool(result, revision, tool)),
        Reply::Resource(all) => frame.result(None, |result| {
            result.array("contents", all, |object, contents| content::contents(object, revision, contents));
            freshness(result, revision, fresh);
        }),
        Reply::Prompt(prompt) => frame.result(None, |result| self::prompt(result, revision, prompt)),
        Reply::Completion(completion) => frame.result(None, |result| self::completion(result, completion)),
        Reply::InputRequired(asked) => frame.of_type("input_required", None, |result| input_required(result, asked)),
    }
}

fn tool(result: &mut Object<'_>, revision: Revision, tool: &ToolReply) {
    match &tool.structured {
        // Programs read the structure; the model reads the same JSON as text.
        Some(json) if tool.content.is_empty() => {
            result.array("content", [json], |object, json| {
                object.value("type", "text").quoted("text", json.as_str());
            });
        }
        _ => {
            result.array("content", &tool.content, |object, block| content::content(object, revision, block));
        }
    }
    let shown =
        |json: &&callgate_model::Json| revision.is_modern() || (revision >= Revision::V2025_06_18 && json.as_str().starts_with('{'));
    if let Some(json) = tool.structured.as_ref().filter(shown) {
        result.raw("structuredContent", json.as_str());
    }
    if tool.is_error {
        result.value("isError", &true);
    }
}

fn prompt(result: &mut Object<'_>, revision: Revision, prompt: &PromptReply) {
    result.maybe("description", prompt.description.as_ref()).array("messages", &prompt.messages, |object, message| {
        object.value("role", &message.role).object("content", |object| content::content(object, revision, &message.content));
    });
}

fn completion(result: &mut Object<'_>, completion: &Completion) {
    let shown = &completion.values[..completion.values.len().min(Completion::MAX)];
    result.object("completion", |object| {
        object
            .value("values", shown)
            .maybe("total", completion.total.as_ref())
            .value("hasMore", &(completion.more || shown.len() < completion.values.len()));
    });
}

fn input_required(result: &mut Object<'_>, asked: &InputRequired) {
    if !asked.requests.is_empty() {
        result.object("inputRequests", |requests| {
            for (key, request) in &asked.requests {
                requests.named_object(key, |object| notice::input_request(object, Revision::V2026_07_28, None, request));
            }
        });
    }
    result.maybe("requestState", asked.state.as_ref());
}
