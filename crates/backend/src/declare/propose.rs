//! Proposals for arguments that are not made by the backend that offers the prompt or template: fixed values, or another backend.

use std::{collections::HashMap, sync::Arc};

use callgate_model::{Backend, BackendName, Call, Completion, Fault, Offers, Reference, Reply, Target, async_trait};

/// Who proposes values for one argument of a prompt or one variable of a template.
#[derive(Debug)]
pub(super) struct Proposal {
    /// The backend that offers the prompt or template, and so is asked first.
    pub(super) owner: BackendName,
    pub(super) of: Reference,
    pub(super) argument: String,
    pub(super) by: Proposer,
}

#[derive(Debug)]
pub(super) enum Proposer {
    Values(Vec<String>),
    Backend(BackendName),
}

/// A backend that proposes nothing by itself, or not everything: the rest is proposed by others.
struct Proposing {
    inner: Arc<dyn Backend>,
    others: HashMap<(Sort, String), Vec<(String, Source)>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Sort {
    Prompt,
    Template,
}

enum Source {
    Values(Vec<String>),
    Backend(Arc<dyn Backend>),
}

/// `backend`, with those of the proposals for its offers that it does not make itself.
pub(super) fn with_others(
    name: &BackendName,
    backend: Arc<dyn Backend>,
    proposals: &[Proposal],
    opened: &HashMap<BackendName, Arc<dyn Backend>>,
) -> Arc<dyn Backend> {
    let mut others: HashMap<_, Vec<_>> = HashMap::new();
    for Proposal { of, argument, by, .. } in proposals.iter().filter(|proposal| proposal.owner == *name) {
        let source = match by {
            Proposer::Values(values) => Some(Source::Values(values.clone())),
            Proposer::Backend(other) if other == name => None,
            Proposer::Backend(other) => opened.get(other).cloned().map(Source::Backend),
        };
        let (sort, of) = key(of);
        others.entry((sort, of.to_owned())).or_default().extend(source.map(|source| (argument.clone(), source)));
    }
    others.retain(|_, sources| !sources.is_empty());
    if others.is_empty() { backend } else { Arc::new(Proposing { inner: backend, others }) }
}

fn key(of: &Reference) -> (Sort, &str) {
    match of {
        Reference::Prompt(name) => (Sort::Prompt, name),
        Reference::Template(uri) => (Sort::Template, uri),
    }
}

#[async_trait]
impl Backend for Proposing {
    fn offers(&self) -> Offers {
        Offers { completes: true, ..self.inner.offers() }
    }

    async fn call(&self, call: &Call) -> Result<Reply, Fault> {
        self.inner.call(call).await
    }

    async fn read(&self, call: &Call) -> Result<Reply, Fault> {
        self.inner.read(call).await
    }

    async fn prompt(&self, call: &Call) -> Result<Reply, Fault> {
        self.inner.prompt(call).await
    }

    async fn complete(&self, call: &Call) -> Result<Reply, Fault> {
        let Target::Completion { of, argument, value } = &call.target else { return self.inner.complete(call).await };
        let (sort, of) = key(of);
        let sources = self.others.get(&(sort, of.to_owned()));
        match sources.and_then(|sources| sources.iter().find(|(name, _)| name == argument)) {
            Some((_, Source::Values(values))) => Ok(Reply::Completion(choose(values, value))),
            Some((_, Source::Backend(other))) => other.complete(call).await,
            None => self.inner.complete(call).await,
        }
    }

    async fn probe(&self) -> Result<(), Fault> {
        self.inner.probe().await
    }

    fn gauges(&self) -> Vec<(&'static str, f64)> {
        self.inner.gauges()
    }
}

/// The values that begin with what was typed, then those that contain it; case does not matter.
fn choose(values: &[String], typed: &str) -> Completion {
    let typed = typed.to_lowercase();
    let found: Vec<_> = values.iter().filter_map(|value| value.to_lowercase().find(&typed).map(|at| (at > 0, value))).collect();
    let (first, then): (Vec<_>, Vec<_>) = found.iter().partition(|(inside, _)| !inside);
    let values: Vec<_> = first.into_iter().chain(then).take(Completion::MAX).map(|(_, value)| (*value).clone()).collect();
    Completion { more: found.len() > values.len(), total: u64::try_from(found.len()).ok(), values }
}
