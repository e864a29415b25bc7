//! The check of one tool.

use callgate_config::{Problems, Section};
use callgate_model::{Effect, Sharing};

use super::{
    CheckedTool, LEAST,
    program::{Builder, Limits, step},
};
use crate::{
    declare::{self, Parameter, ToolEntry, Type},
    sql::{
        caller::Trait,
        config::{self, Generate, Returns},
        cursor::AFTER,
        program::{Access, Nest, Source, Step},
        session::Session,
        text::{Dialect, Window},
    },
};

/// Checks a tool. `None` only together with a problem.
pub(super) fn check(entry: ToolEntry<config::Tool>, dialect: Dialect, session: &Session, problems: &mut Problems) -> Option<CheckedTool> {
    let ToolEntry { mut head, own, section } = entry;
    let before = problems.len();
    let access = if head.effect == Effect::Read { Access::Read } else { Access::Write };
    let limits = Limits::of(own.rows, own.bytes);
    own.bytes.iter().for_each(|bytes| section.at_least(&[("/bytes", *bytes, LEAST)], problems));
    let mut builder = Builder::new(dialect, &section);
    for parameter in &head.input.parameters {
        builder.argument(&parameter.name, parameter.of.clone(), parameter.default.clone());
    }
    generated(&own, &section, &mut builder, problems);
    for name in head.updates.iter().flat_map(callgate_model::UriTemplate::variables) {
        builder.mark(name);
    }
    keys(&own, access, &section, problems);
    let steps = steps(&own, access, &mut builder, problems);
    nests(&own, &mut builder, problems);
    builder.unused(problems);
    if access == Access::Read && own.returns == Returns::Many {
        if builder.index(AFTER).is_some() {
            problems.push(section.key_problem("/input/after", "`after` comes by itself with `returns: many`; name yours otherwise"));
        }
        let description = "Goes on behind an earlier reply: its `after`, unchanged, with the same arguments.";
        head.input.parameters.push(Parameter::optional_text(AFTER, description));
    }
    shared(&head, &builder, session, &section, problems);
    (problems.len() == before).then_some(())?;
    let program = builder.program(steps, own.returns, access, limits, own.missing);
    Some(CheckedTool { head, program, section })
}

/// A reply that is made of who is calling is not kept for those who are somebody else.
fn shared(head: &declare::Tool, builder: &Builder<'_>, session: &Session, section: &Section, problems: &mut Problems) {
    let Some(caching) = &head.terms.cache else { return };
    let fits = |of: &&Trait| match caching.shared {
        Sharing::Caller => true,
        Sharing::Role => of.is_shared_by_role(),
        Sharing::Tenant => of.is_shared_by_tenant(),
    };
    if let Some(other) = builder.traits().chain(&session.settings).find(|of| !fits(of)) {
        let problem =
            section.problem("/cache/shared", format!("the reply depends on `{other}`, which is not the same for all who would share it"));
        problems.push(problem.help("leave `shared` out, so that each caller has replies of their own"));
    }
}

/// Keys that only make sense together.
fn keys(own: &config::Tool, access: Access, section: &Section, problems: &mut Problems) {
    let mut unless = |fits: bool, pointer: &str, message: &str| {
        if !fits {
            problems.push(section.problem(pointer, message));
        }
    };
    match (&own.sql, &own.steps) {
        (None, None) => unless(false, "", "say what the tool runs: `sql`, or `steps` for several statements"),
        (Some(_), Some(_)) => unless(false, "/steps", "there is `sql` already; use one of the two"),
        (None, Some(steps)) if steps.is_empty() => unless(false, "/steps", "there are no steps"),
        (None, Some(_)) => unless(access == Access::Write, "/steps", "`steps` are for `write` and `destroy`; a `read` tool has one `sql`"),
        (Some(_), None) => {}
    }
    let one = own.returns == Returns::One;
    unless(one || own.nest.is_empty(), "/nest", "`nest` needs `returns: one`: there must be one object to put it into");
    unless(one || own.missing.is_none(), "/missing", "`missing` needs `returns: one`");
    unless(own.returns == Returns::Many || own.rows.is_none(), "/rows", "`rows` needs `returns: many`");
}

fn generated(own: &config::Tool, section: &Section, builder: &mut Builder<'_>, problems: &mut Problems) {
    for (name, generate) in own.generate.iter() {
        if builder.index(name).is_some() {
            problems.push(section.key_problem(&format!("/generate/{name}"), format!("`{name}` is a parameter of the caller already")));
        }
        let source = match generate {
            Generate::Id(prefix) => Source::Id(prefix.clone()),
            Generate::Now(config::Moment::Rfc3339) => Source::Now,
        };
        builder.parameter(name, Type::String, source);
    }
}

fn steps(own: &config::Tool, access: Access, builder: &mut Builder<'_>, problems: &mut Problems) -> Vec<Step> {
    let window = match (access, own.returns) {
        (Access::Read, Returns::One) => Window::First(1),
        (Access::Read, Returns::Many) => Window::Paged,
        _ => Window::Open,
    };
    if let Some(sql) = &own.sql {
        return builder.statement(sql, "/sql", access, window, problems).into_iter().map(step).collect();
    }
    let mut steps = Vec::new();
    for (index, declared) in own.steps.iter().flatten().enumerate() {
        if declared.otherwise.is_some() && declared.expect.is_none() {
            problems.push(builder.problem(&format!("/steps/{index}/otherwise"), "`otherwise` needs `expect`"));
        }
        let pointer = format!("/steps/{index}/sql");
        if let Some(statement) = builder.statement(&declared.sql, &pointer, access, window, problems) {
            steps.push(Step { statement, expect: declared.expect, otherwise: declared.otherwise.clone() });
        }
    }
    steps
}

fn nests(own: &config::Tool, builder: &mut Builder<'_>, problems: &mut Problems) {
    for (name, declared) in own.nest.iter() {
        let when = declared.when.as_ref().map(|when| builder.switch(when, &format!("/nest/{name}/when"), problems));
        let rows = if declared.returns == Returns::Many { declared.rows.map_or(100, |rows| rows as usize) } else { 1 };
        let window = match declared.returns {
            Returns::One => Window::First(1),
            Returns::Many => Window::First(rows + 1),
            Returns::Count => Window::Open,
        };
        let statement = builder.statement(&declared.sql, &format!("/nest/{name}/sql"), Access::Read, window, problems);
        if let Some(statement) = statement {
            builder.nests.push(Nest { name: name.clone(), when: when.flatten(), returns: declared.returns, rows, statement });
        }
    }
}
