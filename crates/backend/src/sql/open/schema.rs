//! Whether the reply can be made of the statements, and its JSON Schema.

use callgate_config::{Problems, Section};
use serde_json::{Map, Value, json};

use crate::sql::{
    column::{Column, Shape, row_schema},
    config::Returns,
    program::{Program, Statement},
};

/// The name of the member that says what was left out.
const NOTICE: &str = "notice";

/// The step whose rows, or number of changes, are the reply: the last that returns rows and is no mere condition; for a count without
/// such a step the last of all.
pub(super) fn answer(program: &Program) -> usize {
    let last = program.steps.len() - 1;
    let has_rows = |index: &usize| !program.steps[*index].statement.columns.is_empty();
    let is_condition = |index: &usize| program.steps[*index].expect.is_some();
    let plain = (0..=last).rev().find(|index| has_rows(index) && !is_condition(index));
    if program.returns == Returns::Count {
        return plain.unwrap_or(last);
    }
    plain.or_else(|| (0..=last).rev().find(has_rows)).unwrap_or(last)
}

/// Reports what does not fit.
pub(super) fn check(program: &Program, section: &Section, problems: &mut Problems) {
    let main = &program.steps[program.answer].statement;
    fits(main, program.returns, section, problems);
    for nest in &program.nests {
        fits(&nest.statement, nest.returns, section, problems);
        if main.columns.iter().any(|column| column.name == nest.name) {
            let message = format!("there is a column `{}` already", nest.name);
            problems.push(section.key_problem(&format!("/nest/{}", nest.name), message));
        }
    }
    if program.nests.iter().any(|nest| nest.returns == Returns::Many) && main.columns.iter().any(|column| column.name == NOTICE) {
        let message = "a column cannot be called `notice` beside a nested list: that member says what was left out";
        problems.push(section.problem(&main.pointer, message).help("give the column another name with AS"));
    }
}

fn fits(statement: &Statement, returns: Returns, section: &Section, problems: &mut Problems) {
    match (returns, statement.columns.as_slice()) {
        (Returns::One | Returns::Many, []) => {
            let problem = section.problem(&statement.pointer, "no statement returns rows, which `returns` asks for");
            problems.push(problem.help("add RETURNING, or a SELECT as the last step, or use `returns: count`"));
        }
        (Returns::Count, [] | [Column { shape: Shape::Integer | Shape::Scalar, .. }]) | (Returns::One | Returns::Many, _) => {}
        (Returns::Count, _) => {
            let problem =
                section.problem(&statement.pointer, "`returns: count` needs one column with a whole number, or a statement without rows");
            problems.push(problem.help("write SELECT count(*) …, or CAST(… AS BIGINT)"));
        }
    }
}

/// The JSON Schema of the reply.
pub(super) fn of_reply(program: &Program) -> Value {
    match program.returns {
        Returns::One => of_one(program),
        Returns::Many => json!({
            "type": "object",
            "properties": {
                "rows": { "type": "array", "items": row_schema(program.columns()) },
                "notice": { "type": "string", "description": "what was left out, and how to get it" },
                "after": { "type": "string", "description": "pass this as `after`, with the same arguments, to go on" },
            },
            "required": ["rows"],
            "additionalProperties": false,
        }),
        Returns::Count => json!({
            "type": "object",
            "properties": { "count": { "type": "integer" } },
            "required": ["count"],
            "additionalProperties": false,
        }),
    }
}

fn of_one(program: &Program) -> Value {
    let mut schema = row_schema(program.columns());
    let mut properties = schema["properties"].as_object().cloned().unwrap_or_else(Map::new);
    let mut required = schema["required"].as_array().cloned().unwrap_or_default();
    for nest in &program.nests {
        let row = row_schema(&nest.statement.columns);
        let member = match nest.returns {
            Returns::One => json!({ "anyOf": [row, { "type": "null" }] }),
            Returns::Many => json!({ "type": "array", "items": row }),
            Returns::Count => json!({ "type": "integer" }),
        };
        properties.insert(nest.name.clone(), member);
        if nest.when.is_none() {
            required.push(nest.name.clone().into());
        }
    }
    if program.nests.iter().any(|nest| nest.returns == Returns::Many) {
        properties.insert(NOTICE.into(), json!({ "type": "string", "description": "what was left out" }));
    }
    schema["properties"] = properties.into();
    schema["required"] = required.into();
    schema
}
