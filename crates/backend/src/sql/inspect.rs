//! A look at a database without a configuration: what `init` writes its first tools from.

use std::path::Path;

use super::{
    check::Place,
    config::Pool,
    engine::{Engine, Objection},
    postgres::Postgres,
    session::Session,
    sqlite::Sqlite,
    table::Table,
};

/// Why a database could not be looked at.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// The URL is of no kind we know.
    #[error("{0}")]
    Url(&'static str),
    /// The file is not there. It is not made for a mere look.
    #[error("there is no file `{0}`")]
    Missing(String),
    /// It cannot be opened.
    #[error("cannot open the database: {0}")]
    Open(String),
    /// It cannot be read.
    #[error("cannot read the tables")]
    Read(#[source] callgate_model::Fault),
}

impl From<Objection> for InspectError {
    fn from(objection: Objection) -> Self {
        Self::Open(objection.message)
    }
}

/// All tables and views of the database at `url`, sorted by name. A relative path begins in `folder`.
pub async fn tables(url: &str, folder: &Path) -> Result<Vec<Table>, InspectError> {
    let pool = Pool { size: 1, ..Pool::default() };
    let engine: Box<dyn Engine> = match Place::of(url, folder).map_err(InspectError::Url)? {
        Place::Sqlite(path) if !path.exists() => return Err(InspectError::Missing(path.display().to_string())),
        Place::Sqlite(path) => Box::new(Sqlite::look("init", path, &pool)?),
        Place::Postgres(url) => Box::new(Postgres::open("init", &url, &pool, &Session::default()).await?),
    };
    let mut tables = Vec::new();
    for name in engine.table_names().await.map_err(InspectError::Read)? {
        tables.extend(engine.table(&name).await.map_err(InspectError::Read)?);
    }
    Ok(tables)
}
