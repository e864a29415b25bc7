//! The tools of the suite: one file per family, each with its table. The order of the tables is the order of the list.
//!
//! A row is a name, a sentence for the model, the schema of the arguments as JSON text, and the function that runs.

mod asks;
mod content;
mod rounds;
mod schema;
mod signals;

use std::pin::Pin;

use callgate::{Call, Fault, Json, Reply, Tool, ToolName};

/// What a tool's function returns: the reply, once it is there.
type Running<'c> = Pin<Box<dyn Future<Output = Result<Reply, Fault>> + Send + 'c>>;

/// One row of a table.
struct Fixture {
    name: &'static str,
    about: &'static str,
    input: &'static str,
    run: for<'c> fn(&'c Call) -> Running<'c>,
}

/// The schema of a tool without arguments.
const NOTHING: &str = r#"{"type":"object","properties":{},"additionalProperties":false}"#;

/// All tables. Some scenarios call the first tool of the list with `{}`, so a tool without arguments stands there.
const TABLES: [&[Fixture]; 5] = [content::TOOLS, signals::TOOLS, schema::TOOLS, asks::TOOLS, rounds::TOOLS];

/// All tools, as they are offered.
pub(crate) fn offers() -> Vec<Tool> {
    TABLES.into_iter().flatten().map(offer).collect()
}

/// Runs the tool that the call names.
pub(crate) async fn run(call: &Call) -> Result<Reply, Fault> {
    let name = call.target.name();
    let fixture = TABLES.into_iter().flatten().find(|fixture| fixture.name == name);
    match fixture {
        Some(fixture) => (fixture.run)(call).await,
        None => Err(Fault::unknown("tool", name)),
    }
}

fn offer(fixture: &Fixture) -> Tool {
    let name = ToolName::new(fixture.name).expect("the names in the tables keep the rule");
    let input = Json::parse(fixture.input).expect("the schemas in the tables are JSON");
    Tool::new(name, fixture.about, input)
}
