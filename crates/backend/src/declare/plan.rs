//! The whole declaration: checked, then opened.

use std::{collections::HashMap, sync::Arc};

use callgate_config::{Mapping, Problems, Section};
use callgate_model::{Backend, BackendName, Json};
use futures_util::future::join_all;
use serde_json::Value;

use super::{
    Opening,
    propose::{Proposal, with_others},
    read::Shares,
    row::{Kind, Ready},
};
use crate::content::{self, Content};

/// The four mappings of the configuration that say what is on offer. Each may be empty.
#[derive(Clone, Debug)]
pub struct Declared {
    /// `backends`.
    pub backends: Section,
    /// `tools`.
    pub tools: Section,
    /// `resources`.
    pub resources: Section,
    /// `prompts`.
    pub prompts: Section,
}

/// A declaration without mistakes; nothing is open yet.
pub struct Plan {
    backends: Vec<(BackendName, Box<dyn Ready>)>,
    content: Content,
    proposals: Vec<Proposal>,
}

/// An open backend.
#[derive(Clone)]
pub struct Opened {
    /// Its name.
    pub name: BackendName,
    /// The backend.
    pub backend: Arc<dyn Backend>,
}

/// A step that brought the system behind a backend closer to the declared state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// The backend.
    pub backend: BackendName,
    /// The step's name, such as that of a migration.
    pub step: String,
}

/// Checks a declaration against the kinds of this crate, without connecting to anything. All mistakes at once.
pub fn check(declared: &Declared) -> Result<Plan, Problems> {
    check_with(crate::KINDS, declared)
}

/// The same with other kinds.
pub fn check_with(kinds: &[Kind], declared: &Declared) -> Result<Plan, Problems> {
    let mut problems = Problems::new();
    for section in [&declared.backends, &declared.tools, &declared.resources, &declared.prompts] {
        // Says so if this is no mapping at all; the members are read one by one.
        let _: Option<Mapping<Value>> = section.read(&mut problems);
    }
    let mut shares = Shares::new(kinds);
    for (name, section) in declared.backends.entries() {
        shares.backend(&name, &section, &mut problems);
    }
    let tools = declared.tools.entries();
    for (name, section) in &tools {
        shares.tool(name, section, &mut problems);
    }
    for (uri, section) in declared.resources.entries() {
        shares.resource(&uri, &section, &mut problems);
    }
    let names: Vec<_> = tools.into_iter().map(|(name, _)| name).collect();
    let content = content::check(&declared.prompts, &names, &mut shares, &mut problems);
    let Shares { raw, proposals, .. } = shares;
    let backends = raw.into_iter().filter_map(|raw| {
        let name = raw.name.clone();
        (raw.kind.check)(raw, &mut problems).map(|ready| (name, ready))
    });
    let backends = backends.collect();
    problems.into_result(Plan { backends, content, proposals })
}

impl Plan {
    /// The input schema of each tool as it will be on offer, and where the tool stands.
    pub fn inputs(&self) -> impl Iterator<Item = (Json, &Section)> {
        self.backends.iter().flat_map(|(_, ready)| ready.inputs()).map(|(input, section)| (input.schema(), section))
    }

    /// Connects all backends at once and checks the tools against what is there. All mistakes at once.
    pub async fn open(self, opening: &Opening) -> Result<Vec<Opened>, Problems> {
        let Self { backends, content, proposals } = self;
        let openings = backends.into_iter().map(|(name, ready)| async move { (name, ready.open(opening).await) });
        let (mut opened, mut problems) = (Vec::new(), Problems::new());
        for (name, result) in join_all(openings).await {
            match result {
                Ok(backend) => opened.push(Opened { name, backend }),
                Err(found) => problems.extend(found),
            }
        }
        let mut opened = problems.into_result(opened)?;
        if !content.is_empty() {
            opened.push(Opened { name: content::name(), backend: Arc::new(content) });
        }
        let by_name: HashMap<_, _> = opened.iter().map(|opened| (opened.name.clone(), opened.backend.clone())).collect();
        for Opened { name, backend } in &mut opened {
            *backend = with_others(name, backend.clone(), &proposals, &by_name);
        }
        Ok(opened)
    }

    /// Brings the systems behind to the declared state, one backend after the other; what was done, in order.
    pub async fn migrate(&self) -> Result<Vec<Applied>, Problems> {
        let mut applied = Vec::new();
        for (name, ready) in &self.backends {
            let steps = ready.migrate().await?;
            applied.extend(steps.into_iter().map(|step| Applied { backend: name.clone(), step }));
        }
        Ok(applied)
    }
}

impl std::fmt::Debug for Plan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<_> = self.backends.iter().map(|(name, _)| name).collect();
        f.debug_struct("Plan").field("backends", &names).field("content", &self.content).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opened").field("name", &self.name).finish_non_exhaustive()
    }
}
