//! Who a caller is to this gate: what every rule says of it, and the catalog it gets to see.

use std::{
    hash::{BuildHasher, Hash, Hasher as _},
    sync::Arc,
};

use callgate_expression::Operand;
use callgate_model::{Caller, Catalog, Proof, Scopes, Shelved};

use super::rules::Verdict;

/// What the rules say of one caller, or of all who are alike to them.
pub(crate) struct Standing {
    basis: Basis,
    /// What the caller gets to see.
    pub(crate) catalog: Arc<Catalog>,
    /// By sort, then in the order of the whole catalog.
    pub(super) verdicts: [Box<[Verdict]>; 4],
    /// The caller as expressions see it; only there if one looks, and then the standing is this caller's alone.
    pub(super) caller: Option<Operand<'static>>,
}

impl Standing {
    pub(super) fn new(basis: Basis, catalog: Arc<Catalog>, verdicts: [Box<[Verdict]>; 4], caller: Option<Operand<'static>>) -> Self {
        Self { basis, catalog, verdicts, caller }
    }

    /// Whether this is what the rules say of `caller`, who may only have the same fingerprint.
    pub(super) fn is_of(&self, caller: &Caller) -> bool {
        self.basis.is_of(caller)
    }

    /// Whether the tool at this place of the whole catalog does not exist for the caller.
    pub(crate) fn hides(&self, tool: usize) -> bool {
        self.verdict(Shelved::Tool, tool) == Verdict::Hidden
    }

    /// What the rules say; what is not there is hidden.
    pub(super) fn verdict(&self, sort: Shelved, index: usize) -> Verdict {
        self.verdicts[shelf(sort)].get(index).copied().unwrap_or(Verdict::Hidden)
    }
}

impl std::fmt::Debug for Standing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Standing").field("basis", &self.basis).finish_non_exhaustive()
    }
}

/// The place of a sort in an array of all four.
pub(super) fn shelf(sort: Shelved) -> usize {
    match sort {
        Shelved::Tool => 0,
        Shelved::Resource => 1,
        Shelved::Template => 2,
        Shelved::Prompt => 3,
    }
}

/// How much of a caller the rules of a gate can read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reads {
    /// Nothing: all callers are alike.
    Nothing,
    /// Roles, scopes, and whether there is a token.
    Grants,
    /// Everything that a caller is described by.
    Everything,
}

/// What a standing was worked out from.
#[derive(Debug)]
pub(super) enum Basis {
    Anyone,
    Grants { token: bool, roles: Vec<Arc<str>>, scopes: Scopes },
    Caller(Box<Caller>),
}

impl Basis {
    pub(super) fn of(caller: &Caller, reads: Reads) -> Self {
        match reads {
            Reads::Nothing => Self::Anyone,
            Reads::Grants => Self::Grants { token: token(caller), roles: caller.roles.clone(), scopes: caller.scopes.clone() },
            Reads::Everything => Self::Caller(Box::new(caller.clone())),
        }
    }

    fn is_of(&self, caller: &Caller) -> bool {
        match self {
            Self::Anyone => true,
            Self::Grants { token: own, roles, scopes } => *own == token(caller) && *roles == caller.roles && *scopes == caller.scopes,
            Self::Caller(own) => {
                let alike = own.key() == caller.key() && own.proof == caller.proof && own.roles == caller.roles;
                alike && own.scopes == caller.scopes && own.claims == caller.claims
            }
        }
    }
}

/// A number for what the rules can read of a caller; two who differ there have the same only by chance.
pub(super) fn fingerprint(hasher: &impl BuildHasher, caller: &Caller, reads: Reads) -> u64 {
    let mut hash = hasher.build_hasher();
    caller.roles.hash(&mut hash);
    match &caller.scopes {
        Scopes::All => 0_u8.hash(&mut hash),
        Scopes::Named(scopes) => scopes.hash(&mut hash),
    }
    if reads == Reads::Everything {
        caller.proof.hash(&mut hash);
        caller.key().hash(&mut hash);
        caller.claims.hash(&mut hash);
    } else {
        token(caller).hash(&mut hash);
    }
    hash.finish()
}

fn token(caller: &Caller) -> bool {
    caller.proof == Proof::Token
}
