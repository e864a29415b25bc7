//! All rules of a gate, and what they say of a caller.

use std::{
    collections::HashMap,
    hash::RandomState,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use callgate_expression::{Language, Operand, Rule, Scope};
use callgate_model::{Caller, Catalog, Item, Shelved, Tool};
use moka::sync::Cache;
use serde_json::json;

use super::{
    Config,
    rules::{House, Rules, Verdict},
    shelf::{Shelf, shelves},
    standing::{Basis, Reads, Standing, fingerprint, shelf},
};
use crate::{Error, require::Condition};

/// The sorts, in the order of an array of all four.
const SORTS: [Shelved; 4] = [Shelved::Tool, Shelved::Resource, Shelved::Template, Shelved::Prompt];

/// The rules of a gate, compiled, with what they say of the callers seen lately.
pub(crate) struct Authority {
    house: House,
    pub(super) catalog: Arc<Catalog>,
    pub(super) shelves: [Shelf; 4],
    /// Each tool as expressions see it, in the order of the catalog.
    pub(super) tools: Vec<Operand<'static>>,
    /// What the arguments of each tool must meet.
    pub(super) conditions: Vec<Vec<Condition>>,
    reads: Reads,
    /// What is said of everyone, where all callers are alike.
    common: Option<Arc<Standing>>,
    /// What is said of the machine's own user, where nobody else calls.
    local: Option<Arc<Standing>>,
    kept: Cache<u64, Arc<Standing>>,
    hasher: RandomState,
    /// The parts of the catalog that somebody sees, by what is in them.
    views: Mutex<HashMap<Vec<Verdict>, Weak<Catalog>>>,
}

impl Authority {
    /// Compiles the rules of everything on offer.
    pub(crate) fn open(catalog: &Arc<Catalog>, config: &Config, house: House) -> Result<Self, Error> {
        let language = Language::new();
        let shelves = shelves(&language, catalog)?;
        let conditions: Vec<_> =
            catalog.tools().iter().map(|item| Condition::compile_all(&language, &item.offer)).collect::<Result<_, _>>()?;
        let mut authority = Self {
            house,
            catalog: catalog.clone(),
            reads: reads(&shelves, &conditions),
            shelves,
            tools: catalog.tools().iter().map(|item| describe(item)).collect(),
            conditions,
            common: None,
            local: None,
            kept: Cache::new(config.callers),
            hasher: RandomState::new(),
            views: Mutex::default(),
        };
        if authority.reads == Reads::Nothing {
            // Whoever it is: nothing that tells callers apart is read.
            authority.common = Some(Arc::new(authority.work_out(&Caller::local())));
        }
        if house == House::Open {
            authority.local = Some(Arc::new(authority.work_out(&Caller::local())));
        }
        Ok(authority)
    }

    /// Who `caller` is to this gate.
    pub(crate) fn standing(&self, caller: &Caller) -> Arc<Standing> {
        if let Some(common) = &self.common {
            return common.clone();
        }
        if let Some(local) = self.local.as_ref().filter(|local| local.is_of(caller)) {
            return local.clone();
        }
        let key = fingerprint(&self.hasher, caller, self.reads);
        if let Some(kept) = self.kept.get(&key).filter(|kept| kept.is_of(caller)) {
            return kept;
        }
        let standing = Arc::new(self.work_out(caller));
        self.kept.insert(key, standing.clone());
        standing
    }

    /// Whether nothing restricts who may call the tool, whoever calls and with whatever arguments.
    pub(super) fn lets_everyone(&self, tool: Option<usize>) -> bool {
        let (Some(common), Some(tool)) = (&self.common, tool) else { return false };
        common.verdict(Shelved::Tool, tool) == Verdict::Allowed(None)
    }

    fn work_out(&self, caller: &Caller) -> Standing {
        let described = (self.reads == Reads::Everything).then(|| Operand::owned(caller.describe()));
        let verdicts = SORTS.map(|sort| self.verdicts(sort, caller, described.as_ref()));
        let catalog = self.view(&verdicts);
        Standing::new(Basis::of(caller, self.reads), catalog, verdicts, described)
    }

    fn verdicts(&self, sort: Shelved, caller: &Caller, described: Option<&Operand<'_>>) -> Box<[Verdict]> {
        let verdict = |(index, rules): (usize, &Rules)| {
            let tool = self.tools.get(index).filter(|_| sort == Shelved::Tool);
            let named = [described.map(|caller| ("caller", caller)), tool.map(|tool| ("tool", tool))];
            let scope: Vec<_> = named.into_iter().flatten().collect();
            rules.verdict(caller, self.house, Scope(&scope))
        };
        self.shelves[shelf(sort)].rules.iter().enumerate().map(verdict).collect()
    }

    /// The part of the catalog that is not hidden. Callers who see the same share it.
    fn view(&self, verdicts: &[Box<[Verdict]>; 4]) -> Arc<Catalog> {
        if verdicts.iter().all(|sort| !sort.contains(&Verdict::Hidden)) {
            return self.catalog.clone();
        }
        let is_seen = |sort: Shelved, index: usize| verdicts[shelf(sort)][index] != Verdict::Hidden;
        // What is seen matters, not why.
        let seen = |verdict: &Verdict| if *verdict == Verdict::Hidden { Verdict::Hidden } else { Verdict::Open };
        let key: Vec<_> = verdicts.iter().flat_map(|sort| sort.iter().map(seen)).collect();
        // A panic in here leaves the table as it was.
        let mut views = self.views.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(view) = views.get(&key).and_then(Weak::upgrade) {
            return view;
        }
        views.retain(|_, view| view.strong_count() > 0);
        let view = Arc::new(self.catalog.only(is_seen));
        views.insert(key, Arc::downgrade(&view));
        view
    }
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authority").field("house", &self.house).field("reads", &self.reads).finish_non_exhaustive()
    }
}

/// A tool as expressions see it.
fn describe(item: &Item<Tool>) -> Operand<'static> {
    let Item { offer, backend_name, .. } = item;
    Operand::owned(json!({ "name": offer.name.as_str(), "effect": offer.effect.as_str(), "backend": backend_name.as_str() }))
}

/// How much of a caller anything in the gate reads.
fn reads(shelves: &[Shelf; 4], conditions: &[Vec<Condition>]) -> Reads {
    let of_rule = |rule: &Rule| match rule {
        Rule::Anyone => Reads::Nothing,
        Rule::Scopes(_) | Rule::Role(_) => Reads::Grants,
        Rule::Expression(expression) if expression.reads("caller") => Reads::Everything,
        Rule::Expression(_) => Reads::Nothing,
    };
    let rules = shelves.iter().flat_map(|shelf| &shelf.rules).flat_map(Rules::named).map(|named| of_rule(&named.rule));
    let conditions = conditions.iter().flatten().map(|condition| match condition.reads_caller() {
        true => Reads::Everything,
        false => Reads::Nothing,
    });
    rules.chain(conditions).max().unwrap_or(Reads::Nothing)
}
