//! What an engine is: it prepares programs, runs them, and describes its tables. The rest of the kind does not know which one it has.

use std::sync::Arc;

use callgate_model::{Caller, Deadline, Fault, TraceParent, async_trait};

use super::{
    migrate::Script,
    program::{Access, Page, Parameter, Program, Statement, Values},
    rows::Rows,
    table::Table,
    text::Dialect,
};

/// A database engine with its connections.
#[async_trait]
pub(super) trait Engine: Send + Sync + 'static {
    /// Whose SQL it speaks.
    fn dialect(&self) -> Dialect;

    /// Prepares a statement, checks it against what it may do, and learns its columns.
    async fn describe(&self, statement: &mut Statement, parameters: &[Parameter], access: Access) -> Result<(), Objection>;

    /// Runs a program. Reads see one state of the database; writes happen wholly or not at all. The work stops when the deadline
    /// passes or the future is dropped. An engine that can be told who is calling, and for which trace, is told.
    async fn run(
        &self,
        program: &Arc<Program>,
        values: Values<'_>,
        page: Page,
        deadline: Deadline,
        caller: &Caller,
        trace: Option<TraceParent>,
    ) -> Result<Answer, Fault>;

    /// The names of all tables and views, sorted.
    async fn table_names(&self) -> Result<Vec<String>, Fault>;

    /// One table or view as it is now.
    async fn table(&self, name: &str) -> Result<Option<Table>, Fault>;

    /// Runs the scripts that have not run yet, in order, under a lock; gives their names.
    async fn migrate(&self, scripts: &[Script]) -> Result<Vec<String>, Objection>;

    /// Does it answer?
    async fn probe(&self) -> Result<(), Fault>;

    /// Connections in use, at rest, allowed.
    fn connections(&self) -> Connections;
}

/// What a program gave.
#[derive(Clone, Debug, Default)]
pub(super) struct Answer {
    /// The rows of the step that is the reply.
    pub(super) main: Rows,
    /// The rows of each nest that was wanted.
    pub(super) nests: Vec<Option<Rows>>,
}

/// How many connections there are.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Connections {
    /// Running something.
    pub(super) active: usize,
    /// Open and at rest.
    pub(super) idle: usize,
    /// The greatest number there may be.
    pub(super) most: usize,
    /// Calls that wait for one.
    pub(super) waiting: usize,
    /// How many were made since the gate opened.
    pub(super) opened: u64,
}

/// Why an engine does not take a statement or a script, for the operator.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub(super) struct Objection {
    /// The sentence.
    pub(super) message: String,
    /// What to do next.
    pub(super) help: Option<String>,
}

impl Objection {
    /// An objection without advice.
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None }
    }

    /// A table is missing.
    pub(super) fn is_about_a_table(&self) -> bool {
        self.message.starts_with("no such table") || self.message.starts_with("relation ")
    }

    /// Adds advice.
    pub(super) fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }
}
