//! Pages of what is on offer.

use callgate_model::{Effect, Prompt, Resource, ResourceTemplate, Tool};

use super::{Frame, Freshness, content, freshness, writer::Object};
use crate::Revision;

/// A page of tools; `next` is the cursor of the page behind it.
pub fn tools<'t>(frame: &Frame<'_>, page: impl Iterator<Item = &'t Tool>, next: Option<&str>, fresh: Freshness) -> Vec<u8> {
    list(frame, "tools", page, next, fresh, |object, item| tool(object, frame.revision, item))
}

/// A page of prompts.
pub fn prompts<'t>(frame: &Frame<'_>, page: impl Iterator<Item = &'t Prompt>, next: Option<&str>, fresh: Freshness) -> Vec<u8> {
    list(frame, "prompts", page, next, fresh, |object, item| prompt(object, frame.revision, item))
}

/// A page of resources.
pub fn resources<'t>(frame: &Frame<'_>, page: impl Iterator<Item = &'t Resource>, next: Option<&str>, fresh: Freshness) -> Vec<u8> {
    list(frame, "resources", page, next, fresh, |object, item| content::resource(object, frame.revision, item))
}

/// A page of resource templates.
pub fn templates<'t>(frame: &Frame<'_>, page: impl Iterator<Item = &'t ResourceTemplate>, next: Option<&str>, fresh: Freshness) -> Vec<u8> {
    list(frame, "resourceTemplates", page, next, fresh, |object, item| template(object, frame.revision, item))
}

fn list<T>(
    frame: &Frame<'_>,
    key: &'static str,
    page: impl Iterator<Item = T>,
    next: Option<&str>,
    fresh: Freshness,
    fill: impl FnMut(&mut Object<'_>, T),
) -> Vec<u8> {
    frame.result(None, |result| {
        result.array(key, page, fill).maybe("nextCursor", next);
        freshness(result, frame.revision, fresh);
    })
}

fn tool(object: &mut Object<'_>, revision: Revision, tool: &Tool) {
    object.value("name", &tool.name);
    if revision >= Revision::V2025_06_18 {
        object.maybe("title", tool.title.as_ref());
    }
    object.value("description", &tool.description).value("inputSchema", &tool.input);
    if let Some(output) = tool.output.as_ref().filter(|output| shows_output(revision, output)) {
        object.value("outputSchema", output);
    }
    object.object("annotations", |hints| annotations(hints, tool));
    if revision >= Revision::V2025_11_25 {
        object.maybe("icons", tool.icons.as_ref());
    }
    if revision >= Revision::V2025_06_18 {
        object.maybe("_meta", tool.meta.as_ref());
    }
}

/// Legacy structured results are objects, so only schemas of objects may be shown there.
fn shows_output(revision: Revision, output: &callgate_model::Json) -> bool {
    let is_object = || output.to_value().get("type").and_then(serde_json::Value::as_str) == Some("object");
    revision.is_modern() || (revision >= Revision::V2025_06_18 && is_object())
}

/// Hints follow from what the tool does; nobody types them by hand.
fn annotations(hints: &mut Object<'_>, tool: &Tool) {
    hints.maybe("title", tool.title.as_ref()).value("readOnlyHint", &(tool.effect == Effect::Read));
    if tool.effect != Effect::Read {
        hints.value("destructiveHint", &(tool.effect == Effect::Destroy)).value("idempotentHint", &tool.idempotent);
    }
    hints.value("openWorldHint", &tool.open_world);
}

fn prompt(object: &mut Object<'_>, revision: Revision, prompt: &Prompt) {
    let titled = revision >= Revision::V2025_06_18;
    object.value("name", &prompt.name);
    if titled {
        object.maybe("title", prompt.title.as_ref());
    }
    object.maybe("description", prompt.description.as_ref()).array("arguments", &prompt.arguments, |object, argument| {
        object.value("name", &argument.name);
        if titled {
            object.maybe("title", argument.title.as_ref());
        }
        object.maybe("description", argument.description.as_ref()).value("required", &argument.required);
    });
    if revision >= Revision::V2025_11_25 {
        object.maybe("icons", prompt.icons.as_ref());
    }
    if titled {
        object.maybe("_meta", prompt.meta.as_ref());
    }
}

fn template(object: &mut Object<'_>, revision: Revision, template: &ResourceTemplate) {
    object.value("uriTemplate", template.uri.as_str()).value("name", &template.name);
    if revision >= Revision::V2025_06_18 {
        object.maybe("title", template.title.as_ref());
    }
    object
        .maybe("description", template.description.as_ref())
        .maybe("mimeType", template.mime.as_ref())
        .maybe("annotations", template.annotations.as_ref());
    if revision >= Revision::V2025_11_25 {
        object.maybe("icons", template.icons.as_ref());
    }
    if revision >= Revision::V2025_06_18 {
        object.maybe("_meta", template.meta.as_ref());
    }
}
