//! An open database as the gate sees it.

use std::{collections::HashMap, sync::Arc};

use callgate_model::{
    Backend, Call, Clock, Completion, Fault, Found, Json, Members, Offers, Reply, ResourceContents, ResourceText, Target, ToolReply, Trace,
    TraceParent, async_trait,
};
use serde_json::Value;
use tokio::time::Instant;

use super::{
    config::Returns,
    cursor::Seal,
    engine::{Answer, Engine},
    gauges::Durations,
    open::reference_key,
    program::{Page, Program},
    reply::{self, Pages},
};

/// A database with what is offered of it.
pub(super) struct Database {
    pub(super) name: String,
    pub(super) engine: Arc<dyn Engine>,
    pub(super) offers: Offers,
    pub(super) tools: HashMap<Box<str>, ServedTool>,
    /// By URI, or by template.
    pub(super) resources: HashMap<Box<str>, ServedResource>,
    pub(super) proposers: HashMap<Box<str>, Proposer>,
    pub(super) seal: Seal,
    pub(super) clock: Clock,
    pub(super) durations: Durations,
}

/// A tool that can be called.
pub(super) struct ServedTool {
    pub(super) program: Arc<Program>,
    /// Its list can be gone on with.
    pub(super) pages: bool,
}

/// A resource that can be read.
pub(super) enum ServedResource {
    /// What a query gives.
    Query(Arc<Program>),
    /// The description of the table that this variable names.
    Schema { variable: String },
}

/// Where proposals come from.
pub(super) enum Proposer {
    /// The first column of a query.
    Query(Arc<Program>),
    /// The names of the tables.
    Tables,
}

impl Database {
    async fn run(&self, program: &Arc<Program>, arguments: &Members, page: Page, call: &Call) -> Result<Answer, Fault> {
        let values = program.values(arguments, &call.caller, self.clock)?;
        let begin = Instant::now();
        let trace = call.trace.as_ref().map(|trace| self.seen(trace));
        let answer = self.engine.run(program, values, page, call.deadline, &call.caller, trace).await;
        self.durations.add(begin.elapsed());
        answer
    }

    /// Says in the trace of a sampled call what it is asked; gives what the engine is told of it.
    fn seen(&self, trace: &Trace) -> TraceParent {
        trace.asks(format!("query {}", self.name));
        trace.note("db.system.name", self.engine.dialect().system());
        trace.note("callgate.backend", self.name.clone());
        trace.parent()
    }

    fn reply(&self, program: &Program, answer: Answer, page: Page, cursor: Option<&Call>) -> Result<Json, Fault> {
        match program.returns {
            Returns::One => reply::one(program, answer),
            Returns::Count => reply::counted(program, &answer.main),
            Returns::Many => {
                let pages = if cursor.is_some() { Pages::Cursor } else { Pages::None };
                let more = reply::more(program, &answer.main, page, pages)?;
                let after = more.as_ref().zip(cursor).map(|(more, call)| self.seal.close(call, more.offset));
                reply::many(&answer.main, more.as_ref(), after.as_deref())
            }
        }
    }

    async fn query(&self, program: &Arc<Program>, call: &Call) -> Result<Json, Fault> {
        let answer = self.run(program, &variables(call), Page::default(), call).await?;
        self.reply(program, answer, Page::default(), None)
    }

    async fn schema(&self, variable: &str, call: &Call) -> Result<Json, Fault> {
        let name = call.found.variable(variable).unwrap_or_default();
        let table = self.engine.table(name).await?.ok_or_else(|| Fault::unknown_resource(call.target.name()))?;
        Ok(Json::of(&table))
    }

    async fn table_names(&self, typed: &str) -> Result<Completion, Fault> {
        let mut values = self.engine.table_names().await?;
        values.retain(|name| name.starts_with(typed));
        let total = values.len();
        values.truncate(Completion::MAX);
        Ok(Completion { more: total > values.len(), total: Some(total as u64), values })
    }

    async fn proposals(&self, program: &Arc<Program>, typed: &str, call: &Call) -> Result<Completion, Fault> {
        let mut arguments = call.arguments.clone();
        arguments.insert("value".into(), Value::String(typed.to_owned()));
        let answer = self.run(program, &arguments, Page::default(), call).await?;
        let rows: Vec<Members> = serde_json::from_slice(&[b"[", answer.main.json.as_slice(), b"]"].concat()).map_err(Fault::internal)?;
        let text = |value: Value| match value {
            Value::Null => None,
            Value::String(text) => Some(text),
            other => Some(other.to_string()),
        };
        let values = rows.into_iter().filter_map(|row| row.into_iter().next().and_then(|(_, value)| text(value))).collect();
        Ok(Completion { values, total: None, more: answer.main.cut.is_some() })
    }
}

/// The variables of the template that matched, as arguments.
fn variables(call: &Call) -> Members {
    match &call.found {
        Found::Member(_, variables) => variables.iter().map(|(name, value)| (name.clone(), Value::String(value.clone()))).collect(),
        _ => Members::new(),
    }
}

#[async_trait]
impl Backend for Database {
    fn offers(&self) -> Offers {
        self.offers.clone()
    }

    async fn call(&self, call: &Call) -> Result<Reply, Fault> {
        let name = call.target.name();
        let tool = self.tools.get(name).ok_or_else(|| Fault::unknown("tool", name))?;
        let page = if tool.pages { Page { offset: self.seal.open(call)? } } else { Page::default() };
        let answer = self.run(&tool.program, &call.arguments, page, call).await?;
        let partial = !reply::is_whole(&answer);
        let json = self.reply(&tool.program, answer, page, tool.pages.then_some(call))?;
        Ok(ToolReply { partial, ..ToolReply::structured(json) }.into())
    }

    async fn read(&self, call: &Call) -> Result<Reply, Fault> {
        let uri = call.target.name();
        let (key, mime) = match &call.found {
            Found::Resource(item) => (item.offer.uri.as_str(), item.offer.mime.clone()),
            Found::Member(item, _) => (item.offer.uri.as_str(), item.offer.mime.clone()),
            _ => (uri, None),
        };
        let json = match self.resources.get(key).ok_or_else(|| Fault::unknown_resource(uri))? {
            ServedResource::Query(program) => self.query(program, call).await?,
            ServedResource::Schema { variable } => self.schema(variable, call).await?,
        };
        let text = ResourceText::Text(json.as_str().to_owned());
        Ok(Reply::Resource(vec![ResourceContents { uri: uri.to_owned(), mime, text, meta: None }]))
    }

    async fn complete(&self, call: &Call) -> Result<Reply, Fault> {
        let Target::Completion { of, argument, value } = &call.target else { return Ok(Reply::Completion(Completion::default())) };
        let completion = match self.proposers.get(&reference_key(of, argument)) {
            Some(Proposer::Query(program)) => self.proposals(program, value, call).await?,
            Some(Proposer::Tables) => self.table_names(value).await?,
            None => Completion::default(),
        };
        Ok(Reply::Completion(completion))
    }

    async fn probe(&self) -> Result<(), Fault> {
        self.engine.probe().await
    }

    fn gauges(&self) -> Vec<(&'static str, f64)> {
        self.durations.gauges(self.engine.connections())
    }
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Database").field("name", &self.name).finish_non_exhaustive()
    }
}
