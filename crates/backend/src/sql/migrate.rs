//! Migrations: SQL files that bring a database to the state the tools need, each run once, in the order of their names.

use std::path::Path;

use aws_lc_rs::digest;

use super::{engine::Objection, text::Dialect};

/// Where it is written down what has run. The same text on both engines.
pub(super) const TABLE: &str = "CREATE TABLE IF NOT EXISTS callgate_migrations (\
    name TEXT PRIMARY KEY NOT NULL, checksum TEXT NOT NULL, applied_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP)";

/// One file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Script {
    /// The file's name.
    pub(super) name: String,
    /// What it says.
    pub(super) sql: String,
    /// SHA-256 of what it says.
    pub(super) checksum: String,
}

/// The scripts in `folder` that are meant for this engine, in order.
pub(super) fn scripts(folder: &Path, dialect: Dialect) -> Result<Vec<Script>, Objection> {
    let fail = |error: std::io::Error| Objection::new(format!("cannot read the folder of migrations `{}`: {error}", folder.display()));
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(fail)? {
        let name = entry.map_err(fail)?.file_name();
        names.extend(name.to_str().filter(|name| is_for(name, dialect)).map(ToOwned::to_owned));
    }
    names.sort();
    names.into_iter().map(|name| script(folder, name)).collect()
}

fn script(folder: &Path, name: String) -> Result<Script, Objection> {
    let sql =
        std::fs::read_to_string(folder.join(&name)).map_err(|error| Objection::new(format!("cannot read migration `{name}`: {error}")))?;
    let digest = digest::digest(&digest::SHA256, sql.as_bytes());
    let checksum = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Script { name, sql, checksum })
}

fn is_for(name: &str, dialect: Dialect) -> bool {
    let Some(stem) = name.strip_suffix(".sql") else { return false };
    match dialect {
        Dialect::Sqlite => !stem.ends_with(".postgres"),
        Dialect::Postgres => !stem.ends_with(".sqlite"),
    }
}

/// The scripts that have not run, if those that have run are still what they were.
pub(super) fn standing<'a>(scripts: &'a [Script], applied: &[(String, String)]) -> Result<Vec<&'a Script>, Objection> {
    for (name, checksum) in applied {
        match scripts.iter().find(|script| script.name == *name) {
            None => {
                return Err(Objection::new(format!("migration `{name}` has run here, but its file is missing")).help("put the file back"));
            }
            Some(script) if script.checksum != *checksum => {
                let help = "put the old text back and write what is new in a new file";
                return Err(Objection::new(format!("migration `{name}` was changed after it had run")).help(help));
            }
            Some(_) => {}
        }
    }
    let mut standing: Vec<_> = scripts.iter().filter(|script| applied.iter().all(|(name, _)| *name != script.name)).collect();
    standing.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(standing)
}
