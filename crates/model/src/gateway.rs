//! The gate as a transport sees it.

use std::sync::Arc;

use crate::{Authentication, Call, Caller, Catalog, Credentials, Fault, Json, Notices, Reply, RequestId, Unidentified, async_trait};

/// Who the gate says it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Identity {
    /// Name for programs.
    pub name: String,
    /// Version of what it serves.
    pub version: String,
    /// Name for people.
    pub title: Option<String>,
    /// How a model should use it.
    pub instructions: Option<String>,
    /// MCP icons.
    pub icons: Option<Json>,
}

/// The answer of one part to "are you ready?".
#[derive(Clone, Debug)]
pub struct Probe {
    /// `store`, or the backend's name.
    pub part: String,
    /// Ready, or the sentence that says why not.
    pub state: Result<(), String>,
}

/// What a transport needs of a gate. Dropping the future of [`Gateway::call`] cancels the call; its record is written all the same.
#[async_trait]
pub trait Gateway: Send + Sync + 'static {
    /// Who the gate is.
    fn identity(&self) -> Arc<Identity>;

    /// Who brought these credentials with this request. A gate without authentication knows one caller, the machine's own user.
    async fn identify(&self, request: &RequestId, credentials: &Credentials<'_>) -> Result<Arc<Caller>, Unidentified>;

    /// This request was turned away before anybody could be asked who brought it, because its credentials are no credentials. For the
    /// record; nothing that the request holds stands in `why`.
    fn turned_away(&self, _request: &RequestId, _why: &'static str) {}

    /// What clients are told about how to authenticate; `None` for a gate without authentication.
    fn authentication(&self) -> Option<Arc<Authentication>>;

    /// What `caller` may see, in the order of the lists.
    fn catalog(&self, caller: &Caller) -> Arc<Catalog>;

    /// Whether `caller` may read the resource at this URI, as a call would be decided now; `false` if there is none. Nothing is read and
    /// nothing is written down: it is asked before somebody is told of changes.
    fn may_read(&self, caller: &Arc<Caller>, uri: &str) -> bool;

    /// Makes a call: it walks the column and leaves one audit record.
    async fn call(&self, call: Call) -> Result<Reply, Fault>;

    /// Puts a call on record that its transport has refused already, because of what came along with it; the call is not made. Gives
    /// the fault that answers it.
    async fn refuse(&self, call: Call, fault: Fault) -> Fault;

    /// The board on which changes are announced.
    fn notices(&self) -> &Notices;

    /// Asks the store and each backend whether they are ready.
    async fn ready(&self) -> Vec<Probe>;

    /// All metrics in Prometheus' text format.
    fn metrics(&self) -> String;
}
