//! What is known about the columns of a statement: from the engine, from the text, and from the tables it names.

use std::{collections::HashMap, sync::Arc};

use callgate_config::{Problems, Section};

use super::problem;
use crate::sql::{
    column::{Column, Shape, repeated},
    engine::Engine,
    program::{Access, Parameter, Statement},
    table::Table,
    text::{Body, Item, Text, items, may_lose_rows, sources},
};

/// Learns about columns; remembers the tables it has asked for.
pub(super) struct Columns {
    engine: Arc<dyn Engine>,
    /// There are migrations that run only when told.
    may_lack_tables: bool,
    tables: HashMap<String, Option<Table>>,
}

impl Columns {
    /// Nothing is known yet; `may_lack_tables` if there are migrations that run only when told.
    pub(super) fn new(engine: Arc<dyn Engine>, may_lack_tables: bool) -> Self {
        Self { engine, may_lack_tables, tables: HashMap::new() }
    }

    /// Has `statement` prepared and completes its columns.
    pub(super) async fn learn(
        &mut self,
        statement: &mut Statement,
        parameters: &[Parameter],
        access: Access,
        section: &Section,
        problems: &mut Problems,
    ) {
        if let Err(mut objection) = self.engine.describe(statement, parameters, access).await {
            if self.may_lack_tables && objection.help.is_none() && objection.is_about_a_table() {
                objection = objection.help("if a migration makes it, run `callgate migrate`, or set `migrate: at_start`");
            }
            problems.push(problem(section, &statement.pointer, &objection));
            return;
        }
        if let Some(name) = repeated(&statement.columns) {
            let problem = section.problem(&statement.pointer, format!("there are two columns `{name}`"));
            problems.push(problem.help("give one of them another name with AS"));
            return;
        }
        self.refine(statement).await;
    }

    /// Adds what the text and the tables tell.
    async fn refine(&mut self, statement: &mut Statement) {
        let dialect = self.engine.dialect();
        let Ok(text) = Text::scan(&statement.source, dialect) else { return };
        let facts = items(&text);
        let tables = self.tables(&sources(&text)).await.unwrap_or_default();
        let whole = !may_lose_rows(&text);
        for column in &mut statement.columns {
            let Some(item) = facts.iter().find(|item| item.name == column.name) else { continue };
            *column = refined(column, item, &tables, whole);
        }
        // A lone item without a name of its own, such as `count(*)`, is the lone column.
        if let ([column], [item]) = (statement.columns.as_mut_slice(), facts.as_slice()) {
            *column = refined(column, item, &tables, whole);
        }
    }

    /// The tables of these names; `None` if one of them is not a table.
    async fn tables(&mut self, names: &[String]) -> Option<Vec<Table>> {
        let mut found = Vec::new();
        for name in names {
            if !self.tables.contains_key(name) {
                // What cannot be looked up is not known, and the column may be null.
                let table = self.engine.table(name).await.unwrap_or(None);
                self.tables.insert(name.clone(), table);
            }
            let table = self.tables.get(name).and_then(Option::as_ref).filter(|table| table.kind == "table")?;
            found.push(table.clone());
        }
        (!found.is_empty()).then_some(found)
    }
}

/// Adds what is known about an item; `whole` if every row of the statement is made of whole rows of its tables.
fn refined(column: &Column, item: &Item, tables: &[Table], whole: bool) -> Column {
    let column = column.clone();
    match &item.body {
        Body::Count => Column { shape: Shape::Integer, ..column }.never_null(),
        Body::Cast(kind) if column.shape == Shape::Scalar => Column { shape: Shape::declared(kind), ..column },
        Body::Column(name) => {
            let found: Vec<_> =
                tables.iter().flat_map(|table| &table.columns).filter(|found| found.name.eq_ignore_ascii_case(name)).collect();
            // SQLite does not tell the types of what RETURNING gives.
            let shape = match (column.shape, found.as_slice()) {
                (Shape::Scalar, [only]) => Shape::declared(&only.of),
                (shape, _) => shape,
            };
            let column = Column { shape, ..column };
            // Every table that has such a column says that it is never null.
            if whole && !found.is_empty() && found.iter().all(|found| !found.nullable) { column.never_null() } else { column }
        }
        _ => column,
    }
}
