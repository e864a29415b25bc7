//! What a database session is told about the caller before each call, for row-level security to read: a role and settings, for the
//! one transaction only, so that nothing of it is there for the next call on the same connection.

use callgate_config::{Mapping, Problems, Section};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    caller::{KNOWN, Trait},
    text::Dialect,
};

/// What each transaction begins with. PostgreSQL only.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The role that statements run as (`SET LOCAL ROLE`): one that owns no tables and does not bypass row-level security. The user
    /// of `url` must be a member of it.
    pub role: Option<String>,
    /// Settings that policies read with `current_setting('app.tenant', true)`: by name, with a dot in it, what of the caller they
    /// hold, such as `caller.tenant` or `caller.claims.region`. What the caller does not have is the empty text.
    #[serde(default)]
    #[schemars(length(max = 16))]
    pub settings: Mapping<String>,
}

/// A session's beginning, checked.
#[derive(Clone, Debug, Default)]
pub(super) struct Session {
    /// Run with the beginning of the transaction.
    pub(super) role: Option<String>,
    /// What is set, in order.
    pub(super) settings: Vec<Trait>,
    /// The statement that sets them; empty if there are none.
    pub(super) statement: String,
}

impl Session {
    /// Checks what was written; `section` is that of the backend.
    pub(super) fn check(config: Option<&Config>, dialect: Dialect, section: &Section, problems: &mut Problems) -> Self {
        let Some(config) = config else { return Self::default() };
        if dialect == Dialect::Sqlite {
            let problem = section.key_problem("/session", "SQLite has no roles and no row-level security");
            problems.push(problem.help("say it in the statements: `WHERE tenant = :caller.tenant`"));
        }
        if config.role.as_ref().is_some_and(|role| role.is_empty() || role.contains('\0') || role.len() > 63) {
            problems.push(section.problem("/session/role", "this is no name of a role"));
        }
        let mut settings = Vec::new();
        for (name, value) in config.settings.iter() {
            let at = format!("/session/settings/{}", name.replace('~', "~0").replace('/', "~1"));
            if !is_setting(name) {
                let problem = section.key_problem(&at, format!("`{name}` cannot be set from the caller"));
                problems.push(problem.help("use a name of your own with a dot in it, such as `app.tenant`"));
            }
            match Trait::named(value) {
                Some(found) => settings.push(found),
                None => problems.push(section.problem(&at, format!("there is no `{value}`")).help(KNOWN)),
            }
        }
        let set = config
            .settings
            .iter()
            .enumerate()
            .map(|(index, (name, _))| format!("set_config('{name}', coalesce(${}, ''), true)", index + 1));
        let set: Vec<_> = set.collect();
        let statement = if set.is_empty() { String::new() } else { format!("SELECT {}", set.join(", ")) };
        let role = config.role.as_ref().map(|role| format!("SET LOCAL ROLE \"{}\"", role.replace('"', "\"\"")));
        Self { role, settings, statement }
    }
}

/// The server's own settings have no dot, and they are not the caller's to choose.
fn is_setting(name: &str) -> bool {
    let is_part = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_lowercase()) && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    name.contains('.') && name.len() <= 63 && name.split('.').all(is_part)
}
