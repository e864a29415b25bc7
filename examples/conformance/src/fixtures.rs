//! The backend: everything that the official suite looks for, behind one `Backend`.

use callgate::{Backend, Call, Fault, Offers, Reply, async_trait};

use crate::{prompts, resources, tools};

/// All fixtures of the suite.
pub(crate) struct Fixtures;

#[async_trait]
impl Backend for Fixtures {
    fn offers(&self) -> Offers {
        Offers {
            tools: tools::offers(),
            resources: resources::offers(),
            templates: resources::families(),
            prompts: prompts::offers(),
            completes: true,
        }
    }

    async fn call(&self, call: &Call) -> Result<Reply, Fault> {
        tools::run(call).await
    }

    async fn read(&self, call: &Call) -> Result<Reply, Fault> {
        resources::read(call)
    }

    async fn prompt(&self, call: &Call) -> Result<Reply, Fault> {
        prompts::render(call)
    }

    async fn complete(&self, call: &Call) -> Result<Reply, Fault> {
        Ok(prompts::complete(call))
    }
}
