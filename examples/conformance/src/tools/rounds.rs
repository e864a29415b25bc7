//! Tools that remember something between the question and the answer, and tools that ask more than once.
//!
//! What a tool wants to remember travels through the client, sealed: a forged or stale state never arrives here. A client
//! may still send answers without any state, so each tool looks at what it remembers before it goes on.

use callgate::{Call, Fault, InputRequest, InputRequired, Reply, ToolReply};
use serde_json::Value;

use super::{Fixture, NOTHING};
use crate::questions::{answer, ask, field, filled, sample};

pub(super) const TOOLS: &[Fixture] = &[
    Fixture {
        name: "test_input_required_result_request_state",
        about: "Asks for a confirmation and remembers that it did.",
        input: NOTHING,
        run: |call| Box::pin(async { confirmation(call) }),
    },
    Fixture {
        name: "test_input_required_result_tampered_state",
        about: "Asks for a confirmation; a changed state is refused before the tool is called again.",
        input: NOTHING,
        run: |call| Box::pin(async { confirmation(call) }),
    },
    Fixture {
        name: "test_input_required_result_multiple_inputs",
        about: "Asks the user, the client's model and the client at once.",
        input: NOTHING,
        run: |call| Box::pin(async { all_at_once(call) }),
    },
    Fixture {
        name: "test_input_required_result_multi_round",
        about: "Asks for a name, then for a colour.",
        input: NOTHING,
        run: |call| Box::pin(async { one_after_the_other(call) }),
    },
];

fn confirmation(call: &Call) -> Result<Reply, Fault> {
    match (call.state.as_deref(), answer(call, "confirm")) {
        (Some("asked"), Some(_)) => Ok(ToolReply::text("state-ok").into()),
        _ => ask(call, InputRequired::one("confirm", field("Please confirm", "ok", "boolean")).remember("asked")),
    }
}

fn all_at_once(call: &Call) -> Result<Reply, Fault> {
    let keys = ["user_name", "greeting", "client_roots"];
    if call.state.is_some() && keys.iter().all(|key| answer(call, key).is_some()) {
        return Ok(ToolReply::text("Got all three answers").into());
    }
    let questions = InputRequired::one(keys[0], field("What is your name?", "name", "string"))
        .and(keys[1], sample("Generate a greeting", 50))
        .and(keys[2], InputRequest::Roots);
    ask(call, questions.remember("asked for three"))
}

/// The state holds the name, once it is known: `name:` and the name.
fn one_after_the_other(call: &Call) -> Result<Reply, Fault> {
    let remembered = call.state.as_deref().and_then(|state| state.strip_prefix("name:"));
    let told = filled(call, "step1", "name").and_then(Value::as_str);
    let colour = filled(call, "step2", "color").and_then(Value::as_str);
    match (remembered.or(told), colour) {
        (Some(name), Some(colour)) => Ok(ToolReply::text(format!("{name} likes {colour}")).into()),
        (Some(name), None) => {
            let question = field("Step 2: What is your favorite color?", "color", "string");
            ask(call, InputRequired::one("step2", question).remember(format!("name:{name}")))
        }
        (None, _) => {
            let question = field("Step 1: What is your name?", "name", "string");
            ask(call, InputRequired::one("step1", question).remember("asked for the name"))
        }
    }
}
