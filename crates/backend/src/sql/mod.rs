//! Kind `sql`: tools, resources and completions over SQLite and PostgreSQL, with the same SQL text on both.
//!
//! A declared statement is scanned and judged (`text`, `check`), prepared by the engine before the gate opens (`open`), and run with
//! bound values only (`sqlite`, `postgres`). Rows become JSON text at once (`rows`, `reply`). It promises that reads cannot write, by
//! the text and by the engine; that a write happens wholly or not at all; that a deadline ends the work in the engine too; and that
//! every structured reply fits the schema derived from its statement.

mod backend;
mod caller;
mod check;
mod column;
mod config;
mod cursor;
mod engine;
mod gauges;
mod inspect;
mod migrate;
mod open;
mod postgres;
mod program;
mod reply;
mod rows;
mod session;
mod sqlite;
mod table;
mod text;

use std::sync::Arc;

use callgate_config::{Problems, Section};
use callgate_model::{Backend, async_trait};

pub use config::{Completion, Expect, Generate, Migrate, Moment, Nest, Pool, Resource, Returns, Settings, Step, Tool};
pub use inspect::{InspectError, tables};
pub use session::Config as Session;
pub use table::{ForeignKey, Index, Table, TableColumn};

use crate::declare::{Aim, Input, KindOf, Opening, Share};

/// A database, checked and not yet open.
#[derive(Debug)]
pub struct Sql(check::Checked);

#[async_trait]
impl KindOf for Sql {
    const NAME: &'static str = "sql";
    type Settings = Settings;
    type Tool = Tool;
    type Resource = Resource;
    type Completion = Completion;

    fn check(share: Share<Self>, problems: &mut Problems) -> Option<Self> {
        check::check(share, problems).map(Self)
    }

    fn inputs(&self) -> Vec<(&Input, &Section)> {
        self.0.tools.iter().map(|tool| (&tool.head.input, &tool.section)).collect()
    }

    async fn open(self, opening: &Opening) -> Result<Arc<dyn Backend>, Problems> {
        Ok(Arc::new(open::open(self.0, opening).await?))
    }

    async fn migrate(&self) -> Result<Vec<String>, Problems> {
        let engine = open::connect(&self.0, Aim::Serve).await?;
        open::migrate(&self.0, engine.as_ref()).await
    }
}

#[cfg(test)]
mod tests;
