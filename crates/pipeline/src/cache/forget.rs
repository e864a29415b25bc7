//! What an operator makes stale by hand, in all replicas.

use std::sync::Arc;

use callgate_model::Clock;
use callgate_store::shared::{Away, Shared};
use serde::{Deserialize, Serialize};

use super::{
    annex::Annex,
    marks::{Mark, What},
};

/// Which kept replies are dropped.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Forget {
    /// All of them.
    Everything,
    /// Those of this tool.
    Tool(String),
    /// Those with this tag, its arguments filled in.
    Tag(String),
}

/// Drops kept replies of one tenant, or of all, in every replica that `shared` reaches, whether they share replies or not. They are not served any more from the moment
/// the replicas hear of it, which is at once.
pub async fn forget(forget: &Forget, tenant: Option<&str>, shared: &Arc<dyn Shared>) -> Result<(), Away> {
    let annex = Annex::new(None, shared, Clock::System);
    let what = match forget {
        Forget::Everything => What::Everything,
        Forget::Tool(name) => What::Tool(name),
        Forget::Tag(tag) => What::Tag(tag),
    };
    let marks = [Mark::of(what, tenant)];
    annex.draw(&marks).await;
    annex.tell(&marks).await;
    if annex.is_settled() { Ok(()) } else { Err(Away) }
}
