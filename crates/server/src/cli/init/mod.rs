//! `callgate init`: a first configuration from the tables of a database. It reads the catalogue of the database and nothing else.

mod draft;
#[cfg(test)]
mod tests;

use std::{
    fs::OpenOptions,
    io::Write as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, bail};

use self::draft::Draft;
use super::{log, print};

/// Options of `init`.
#[derive(Debug, clap::Args)]
pub(super) struct Init {
    /// `sqlite:PATH` or `postgres://user:password@host/database`.
    #[arg(value_name = "DATABASE_URL")]
    url: String,
    /// The file to write; standard output without it. A file that is there is left alone.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Init {
    pub(super) async fn run(self, level: Option<&str>) -> anyhow::Result<ExitCode> {
        log::begin(&log::quiet(), level)?;
        let tables = callgate_backend::sql::tables(&self.url, Path::new(".")).await?;
        if tables.is_empty() {
            bail!(
                "the database has no tables; make them first, for example with migrations, and see the manual for a configuration from nothing"
            );
        }
        let draft = Draft { name: draft::name(&self.url), url: self.written_url()?, tables: &tables }.text();
        let Some(out) = &self.out else { return print(&draft) };
        let mut file =
            OpenOptions::new().write(true).create_new(true).open(out).with_context(|| format!("cannot write {}", out.display()))?;
        file.write_all(draft.as_bytes())?;
        eprintln!("wrote {}; next:\n", out.display());
        eprintln!("  callgate check {} --connect\n  callgate serve {}", out.display(), out.display());
        Ok(ExitCode::SUCCESS)
    }

    /// The URL as the file says it: without a password, and still right where the file is in another folder.
    fn written_url(&self) -> anyhow::Result<String> {
        let folder = self.out.as_deref().and_then(Path::parent).filter(|folder| !folder.as_os_str().is_empty());
        match (self.url.strip_prefix("sqlite:"), folder) {
            (Some(path), Some(_)) => {
                let path = Path::new(path).canonicalize().with_context(|| format!("cannot find {path}"))?;
                Ok(format!("sqlite:{}", path.display()))
            }
            _ => Ok(draft::without_password(&self.url)),
        }
    }
}
