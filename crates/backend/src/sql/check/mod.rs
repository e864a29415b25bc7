//! The declaration of a database, checked without connecting: every statement is scanned, judged and rewritten for its engine.

mod program;
mod tool;

use std::path::PathBuf;

use callgate_config::{Problems, Section, Size, Span};
use callgate_model::{BackendName, Reference, UriTemplate};

use super::{
    Sql,
    config::{Completion, Migrate, Pool, Resource, Returns, Settings},
    program::{Access, Program},
    session::Session,
    text::{Dialect, Window},
};
use crate::declare::{self, CompletionEntry, ResourceEntry, Share, Type};
use program::{Builder, Limits};

/// A database and everything that uses it, checked.
#[derive(Debug)]
pub(super) struct Checked {
    pub(super) name: BackendName,
    pub(super) place: Place,
    pub(super) pool: Pool,
    pub(super) session: Session,
    pub(super) migrations: Option<PathBuf>,
    pub(super) migrate: Migrate,
    pub(super) section: Section,
    pub(super) tools: Vec<CheckedTool>,
    pub(super) resources: Vec<CheckedResource>,
    pub(super) completions: Vec<CheckedCompletion>,
}

/// Where the database is.
#[derive(Clone)]
pub(super) enum Place {
    /// The file.
    Sqlite(PathBuf),
    /// The whole URL, password and all.
    Postgres(String),
}

impl std::fmt::Debug for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Sqlite(_) => "Sqlite",
            Self::Postgres(_) => "Postgres",
        })
    }
}

impl Place {
    /// Where `url` leads; relative paths begin in `folder`.
    pub(super) fn of(url: &str, folder: &std::path::Path) -> Result<Self, &'static str> {
        let lower = url.to_ascii_lowercase();
        if lower.starts_with("postgres://") || lower.starts_with("postgresql://") {
            return Ok(Self::Postgres(url.to_owned()));
        }
        let path = url.strip_prefix("sqlite:").ok_or("a database is `sqlite:PATH` or `postgres://user:password@host/database`")?;
        let path = path.strip_prefix("//").unwrap_or(path);
        if path.is_empty() || path.starts_with(":memory:") || path.contains('?') {
            return Err("name a file: `sqlite:PATH`");
        }
        Ok(Self::Sqlite(folder.join(path)))
    }

    /// Whose SQL is spoken there.
    pub(super) fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite(_) => Dialect::Sqlite,
            Self::Postgres(_) => Dialect::Postgres,
        }
    }
}

/// Nothing fits into a reply that is smaller.
const LEAST: Size = Size(1);

/// A tool whose statements still have to be prepared.
#[derive(Debug)]
pub(super) struct CheckedTool {
    pub(super) head: declare::Tool,
    pub(super) program: Program,
    pub(super) section: Section,
}

/// A resource whose statement still has to be prepared.
#[derive(Debug)]
pub(super) struct CheckedResource {
    pub(super) head: declare::Resource,
    /// `None` for the description of a table.
    pub(super) program: Option<Program>,
    pub(super) section: Section,
}

/// A completion whose statement still has to be prepared.
#[derive(Debug)]
pub(super) struct CheckedCompletion {
    pub(super) of: Reference,
    pub(super) argument: String,
    pub(super) program: Program,
    pub(super) section: Section,
}

/// Checks a share.
pub(super) fn check(share: Share<Sql>, problems: &mut Problems) -> Option<Checked> {
    let Settings { url, migrations, migrate, pool, session } = share.settings;
    let folder = share.section.folder().to_owned();
    let place = Place::of(url.expose(), &folder).map_err(|rule| problems.push(share.section.problem("/url", rule))).ok()?;
    let dialect = place.dialect();
    let migrations = migrations.map(|path| folder.join(path));
    if let Some(path) = migrations.as_ref().filter(|path| !path.is_dir()) {
        problems.push(share.section.problem("/migrations", format!("there is no folder `{}`", path.display())));
    }
    if migrate == Migrate::AtStart && migrations.is_none() {
        problems.push(share.section.problem("/migrate", "there are no `migrations` to run").help("name their folder"));
    }
    let spans = [("/pool/idle", pool.idle), ("/pool/lifetime", pool.lifetime)];
    share.section.at_least(&spans.map(|(at, span)| (at, span, Span::seconds(1))), problems);
    let before = problems.len();
    let session = Session::check(session.as_ref(), dialect, &share.section, problems);
    let tools: Vec<_> = share.tools.into_iter().filter_map(|entry| tool::check(entry, dialect, &session, problems)).collect();
    let resources: Vec<_> = share.resources.into_iter().filter_map(|entry| resource(entry, dialect, problems)).collect();
    let completions: Vec<_> = share.completions.into_iter().filter_map(|entry| completion(entry, dialect, problems)).collect();
    (problems.len() == before).then_some(())?;
    let (name, section) = (share.name, share.section);
    Some(Checked { name, place, pool, session, migrations, migrate, section, tools, resources, completions })
}

fn resource(entry: ResourceEntry<Resource>, dialect: Dialect, problems: &mut Problems) -> Option<CheckedResource> {
    let ResourceEntry { head, own, section } = entry;
    let variables: Vec<String> = match &head.place {
        declare::Place::Fixed(_) => Vec::new(),
        declare::Place::Family(uri) => uri.variables().map(ToOwned::to_owned).collect(),
    };
    let program = match (&own.sql, own.schema) {
        (None, true) if variables.len() == 1 => None,
        (None, true) => {
            problems
                .push(section.problem("/schema", "`schema: true` needs a template with one variable, such as `database://schema/{table}`"));
            return None;
        }
        (Some(sql), false) => Some(resource_program(sql, &own, &variables, &section, dialect, problems)?),
        _ => {
            problems.push(section.problem("", "say what the resource is: either `sql` or `schema: true`"));
            return None;
        }
    };
    Some(CheckedResource { head, program, section })
}

fn resource_program(
    sql: &str,
    own: &Resource,
    variables: &[String],
    section: &Section,
    dialect: Dialect,
    problems: &mut Problems,
) -> Option<Program> {
    let mut builder = Builder::new(dialect, section);
    for name in variables {
        builder.argument(name, Type::String, None);
    }
    let returns = own.returns.unwrap_or_default();
    own.bytes.iter().for_each(|bytes| section.at_least(&[("/bytes", *bytes, LEAST)], problems));
    let limits = Limits::of(own.rows, own.bytes);
    let window = match returns {
        Returns::One => Window::First(1),
        Returns::Many => Window::First(limits.rows + 1),
        Returns::Count => Window::Open,
    };
    let statement = builder.statement(sql, "/sql", Access::Read, window, problems)?;
    builder.unused(problems);
    Some(builder.program(vec![program::step(statement)], returns, Access::Read, limits, None))
}

fn completion(entry: CompletionEntry<Completion>, dialect: Dialect, problems: &mut Problems) -> Option<CheckedCompletion> {
    let CompletionEntry { of, argument, own, section } = entry;
    let mut builder = Builder::new(dialect, &section);
    builder.argument("value", Type::String, None);
    // The other arguments chosen so far can be used as well. A template's are known; those of a prompt are whatever it has.
    match &of {
        Reference::Template(uri) => {
            let template = UriTemplate::parse(uri).ok();
            for name in template.iter().flat_map(UriTemplate::variables).filter(|name| *name != "value") {
                builder.argument(name, Type::String, None);
            }
        }
        Reference::Prompt(_) => builder.take_any_name(&own.sql),
    }
    let limits = Limits::of(Some(callgate_model::Completion::MAX as u32), None);
    let statement = builder.statement(&own.sql, "/sql", Access::Read, Window::First(limits.rows + 1), problems)?;
    let program = builder.program(vec![program::step(statement)], Returns::Many, Access::Read, limits, None);
    Some(CheckedCompletion { of, argument, program, section })
}
