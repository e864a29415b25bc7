//! The prompts of the suite, and the completion of their arguments.

use callgate::{
    Body, Call, Completion, Content, Fault, InputRequired, Message, Prompt, PromptArgument, PromptName, PromptReply, Reply,
    ResourceContents, ResourceText, Role, Target,
};
use serde_json::Value;

use crate::{
    questions::{ask, field, filled},
    samples::PNG,
};

/// One row of the table: a name, what it is for, its required arguments, and the function that renders it.
struct Fixture {
    name: &'static str,
    about: &'static str,
    arguments: &'static [(&'static str, &'static str)],
    render: fn(&Call) -> Result<Reply, Fault>,
}

const TABLE: &[Fixture] = &[
    Fixture {
        name: "test_simple_prompt",
        about: "One message.",
        arguments: &[],
        render: |_| messages([text("This is a simple prompt for testing.")]),
    },
    Fixture {
        name: "test_prompt_with_arguments",
        about: "One message that repeats its two arguments.",
        arguments: &[("arg1", "First test argument"), ("arg2", "Second test argument")],
        render: |call| {
            let (first, second) = (call.text("arg1")?, call.text("arg2")?);
            messages([text(&format!("Prompt with arguments: arg1='{first}', arg2='{second}'"))])
        },
    },
    Fixture {
        name: "test_prompt_with_embedded_resource",
        about: "A resource, included, and what to do with it.",
        arguments: &[("resourceUri", "URI of the resource to embed")],
        render: |call| messages([resource(call.text("resourceUri")?), text("Please process the embedded resource above.")]),
    },
    Fixture {
        name: "test_prompt_with_image",
        about: "A picture, and what to do with it.",
        arguments: &[],
        render: |_| {
            let image = Body::Image { data: PNG.into(), mime: "image/png".into() };
            messages([image, text("Please analyze the image above.")])
        },
    },
    Fixture {
        name: "test_input_required_result_prompt",
        about: "Asks the user for the context first.",
        arguments: &[],
        render: |call| match filled(call, "user_context", "context").and_then(Value::as_str) {
            Some(context) => messages([text(&format!("Use this context: {context}"))]),
            None => ask(call, InputRequired::one("user_context", field("What context should the prompt use?", "context", "string"))),
        },
    },
];

/// What `arg1` can be; the suite sends a beginning.
const WORDS: [&str; 6] = ["paris", "park", "party", "test", "testing", "tester"];

/// All prompts, as they are offered.
pub(crate) fn offers() -> Vec<Prompt> {
    TABLE.iter().map(offer).collect()
}

/// Renders the prompt that the call names.
pub(crate) fn render(call: &Call) -> Result<Reply, Fault> {
    let name = call.target.name();
    let fixture = TABLE.iter().find(|fixture| fixture.name == name).ok_or_else(|| Fault::unknown("prompt", name))?;
    (fixture.render)(call)
}

/// Proposes the words that begin as the value does.
pub(crate) fn complete(call: &Call) -> Reply {
    let Target::Completion { argument, value, .. } = &call.target else {
        return Reply::Completion(Completion::default());
    };
    let fitting = |word: &&str| argument == "arg1" && word.starts_with(value.as_str());
    let values: Vec<String> = WORDS.into_iter().filter(fitting).map(String::from).collect();
    let total = u64::try_from(values.len()).ok();
    Reply::Completion(Completion { values, total, more: false })
}

fn offer(fixture: &Fixture) -> Prompt {
    let argument = |&(name, about): &(&str, &str)| PromptArgument {
        name: name.into(),
        description: Some(about.into()),
        required: true,
        ..PromptArgument::default()
    };
    Prompt {
        description: Some(fixture.about.into()),
        arguments: fixture.arguments.iter().map(argument).collect(),
        ..Prompt::new(PromptName::new(fixture.name).expect("the names in the table keep the rule"))
    }
}

fn messages<const N: usize>(bodies: [Body; N]) -> Result<Reply, Fault> {
    let messages = bodies.map(|body| Message { role: Role::User, content: Content::from(body) }).into();
    Ok(Reply::Prompt(PromptReply { description: None, messages }))
}

fn text(text: &str) -> Body {
    Body::Text(text.into())
}

fn resource(uri: &str) -> Body {
    let text = ResourceText::Text("Embedded resource content for testing.".into());
    Body::Embedded(ResourceContents { uri: uri.into(), mime: Some("text/plain".into()), text, meta: None })
}
