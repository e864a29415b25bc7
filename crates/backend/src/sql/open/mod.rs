//! Opens a checked database: connects, migrates if told so, has every statement prepared by the engine, and learns what the replies
//! look like. Every mistake is reported, not only the first.

mod columns;
mod schema;

use std::{collections::HashMap, sync::Arc};

use callgate_config::{Problem, Problems, Section};
use callgate_model::{Json, Reference};

use super::{
    backend::{Database, Proposer, ServedResource, ServedTool},
    check::{Checked, CheckedCompletion, CheckedResource, CheckedTool, Place},
    config::{Migrate, Returns},
    cursor::Seal,
    engine::{Engine, Objection},
    gauges::Durations,
    migrate,
    postgres::Postgres,
    program::{Access, Program},
    sqlite::Sqlite,
};
use crate::declare::{Aim, Opening, Place as ResourcePlace, stands_in};
use columns::Columns;

/// Connects to the database.
pub(super) async fn connect(checked: &Checked, aim: Aim) -> Result<Arc<dyn Engine>, Problems> {
    let name = checked.name.as_str();
    let sqlite = if aim == Aim::Check { Sqlite::look } else { Sqlite::open };
    let engine: Result<Arc<dyn Engine>, Objection> = match &checked.place {
        Place::Sqlite(path) => sqlite(name, path.clone(), &checked.pool).map(|engine| Arc::new(engine) as Arc<dyn Engine>),
        Place::Postgres(url) => {
            Postgres::open(name, url, &checked.pool, &checked.session).await.map(|engine| Arc::new(engine) as Arc<dyn Engine>)
        }
    };
    engine.map_err(|objection| problem(&checked.section, "/url", &objection).into())
}

/// Runs the migrations that have not run yet.
pub(super) async fn migrate(checked: &Checked, engine: &dyn Engine) -> Result<Vec<String>, Problems> {
    let Some(folder) = &checked.migrations else { return Ok(Vec::new()) };
    let at = |objection: Objection| Problems::from(problem(&checked.section, "/migrations", &objection));
    let scripts = migrate::scripts(folder, checked.place.dialect()).map_err(at)?;
    engine.migrate(&scripts).await.map_err(at)
}

/// Opens it.
pub(super) async fn open(checked: Checked, opening: &Opening) -> Result<Database, Problems> {
    if opening.aim == Aim::Check {
        exists(&checked)?;
    }
    let engine = connect(&checked, opening.aim).await?;
    let migrates = checked.migrate == Migrate::AtStart && opening.aim == Aim::Serve;
    if migrates {
        migrate(&checked, engine.as_ref()).await?;
    }
    let may_lack_tables = checked.migrations.is_some() && !migrates;
    let Checked { name, tools, resources, completions, .. } = checked;
    let columns = Columns::new(engine.clone(), may_lack_tables);
    let mut opener = Opener { engine: engine.clone(), columns, problems: Problems::new() };
    let mut database = Database {
        name: name.as_str().to_owned(),
        engine,
        offers: callgate_model::Offers::default(),
        tools: HashMap::new(),
        resources: HashMap::new(),
        proposers: HashMap::new(),
        seal: Seal::new(&opening.key),
        clock: opening.clock,
        durations: Durations::default(),
    };
    for tool in tools {
        opener.tool(tool, &mut database).await;
    }
    for resource in resources {
        opener.resource(resource, &mut database).await;
    }
    for completion in completions {
        opener.completion(completion, &mut database).await;
    }
    database.offers.completes = !database.proposers.is_empty();
    opener.problems.into_result(database)
}

/// A check makes no database: SQLite would make an empty file.
fn exists(checked: &Checked) -> Result<(), Problems> {
    match &checked.place {
        Place::Sqlite(path) if !path.exists() => {
            let objection = Objection::new(format!("there is no database at `{}` yet", path.display()));
            Err(problem(&checked.section, "/url", &objection.help("`callgate migrate` makes it, and so does `callgate serve`")).into())
        }
        _ => Ok(()),
    }
}

fn problem(section: &Section, pointer: &str, objection: &Objection) -> Problem {
    let problem = section.problem(pointer, objection.message.clone());
    match &objection.help {
        Some(help) => problem.help(help.clone()),
        None => problem,
    }
}

struct Opener {
    engine: Arc<dyn Engine>,
    columns: Columns,
    problems: Problems,
}

impl Opener {
    async fn tool(&mut self, tool: CheckedTool, database: &mut Database) {
        let CheckedTool { head, mut program, section } = tool;
        if self.describe(&mut program, &section).await.is_none() {
            return;
        }
        let output = schema::of_reply(&program);
        stands_in(&head.terms, &output, &section, &mut self.problems);
        let output = Json::of(&output);
        database.offers.tools.push(head.offer(Some(output)));
        let pages = program.access == Access::Read && program.returns == Returns::Many;
        let served = ServedTool { program: Arc::new(program), pages };
        database.tools.insert(head.name.as_str().into(), served);
    }

    async fn resource(&mut self, resource: CheckedResource, database: &mut Database) {
        let CheckedResource { head, program, section } = resource;
        let (key, variable) = match &head.place {
            ResourcePlace::Fixed(uri) => (uri.clone(), None),
            ResourcePlace::Family(uri) => (uri.as_str().to_owned(), uri.variables().next().map(ToOwned::to_owned)),
        };
        let served = match program {
            None => {
                let variable = variable.unwrap_or_default();
                let key = (Reference::Template(key.clone()), variable.clone());
                database.proposers.insert(reference_key(&key.0, &key.1), Proposer::Tables);
                ServedResource::Schema { variable }
            }
            Some(mut program) => {
                if self.describe(&mut program, &section).await.is_none() {
                    return;
                }
                ServedResource::Query(Arc::new(program))
            }
        };
        head.offer(Some("application/json"), &mut database.offers);
        database.resources.insert(key.into(), served);
    }

    async fn completion(&mut self, completion: CheckedCompletion, database: &mut Database) {
        let CheckedCompletion { of, argument, mut program, section } = completion;
        if self.describe(&mut program, &section).await.is_some() {
            database.proposers.insert(reference_key(&of, &argument), Proposer::Query(Arc::new(program)));
        }
    }

    /// Has all statements prepared, then checks that the reply can be made of them. `None` only together with a problem.
    async fn describe(&mut self, program: &mut Program, section: &Section) -> Option<()> {
        let before = self.problems.len();
        let (access, parameters) = (program.access, std::mem::take(&mut program.parameters));
        for step in &mut program.steps {
            self.columns.learn(&mut step.statement, &parameters, access, section, &mut self.problems).await;
        }
        for nest in &mut program.nests {
            self.columns.learn(&mut nest.statement, &parameters, Access::Read, section, &mut self.problems).await;
        }
        program.parameters = parameters;
        (self.problems.len() == before).then_some(())?;
        program.answer = schema::answer(program);
        schema::check(program, section, &mut self.problems);
        (self.problems.len() == before).then_some(())
    }
}

/// The key of a completion: of what, and which argument.
pub(super) fn reference_key(of: &Reference, argument: &str) -> Box<str> {
    match of {
        Reference::Prompt(name) => format!("prompt\n{name}\n{argument}").into(),
        Reference::Template(uri) => format!("template\n{uri}\n{argument}").into(),
    }
}

impl std::fmt::Debug for Opener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opener").field("connections", &self.engine.connections()).finish_non_exhaustive()
    }
}
