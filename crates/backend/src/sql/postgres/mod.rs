//! PostgreSQL.
use super::*;
use super::engine::*; use super::program::*; use super::config::Pool; use super::text::Dialect; use callgate_model::*;
pub(super) struct Postgres;
impl Postgres { pub(super) async fn open(_: &str, _: &str, _: &Pool) -> Result<Self, Objection> { Err(Objection::new("PostgreSQL comes within the hour")) } }
#[async_trait]
impl Engine for Postgres {
    fn dialect(&self) -> Dialect { Dialect::Postgres }
    async fn describe(&self, _statement: &mut Statement, _parameters: &[Parameter], _access: Access) -> Result<(), Objection> { Ok(()) }
    async fn run(&self, _: &Arc<Program>, _: Values<'_>, _: Page, _: Deadline) -> Result<Answer, Fault> { Err(Fault::internal("x")) }
    async fn table_names(&self) -> Result<Vec<String>, Fault> { Ok(vec![]) }
    async fn table(&self, _: &str) -> Result<Option<Table>, Fault> { Ok(None) }
    async fn migrate(&self, _: &[migrate::Script]) -> Result<Vec<String>, Objection> { Ok(vec![]) }
    async fn probe(&self) -> Result<(), Fault> { Ok(()) }
    fn connections(&self) -> Connections { Connections::default() }
}
