//! The revisions of MCP that a gate speaks.

/// A revision; later ones compare greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Revision {
    /// Batches; no structured results, no titles, no elicitation.
    V2025_03_26,
    /// Structured results, titles, elicitation by form.
    V2025_06_18,
    /// Icons, elicitation by URL, sampling with tools.
    V2025_11_25,
    /// Stateless: no sessions, no requests of the server.
    V2026_07_28,
}

impl Revision {
    /// Revisions with sessions, oldest first.
    pub const LEGACY: &[Self] = &[Self::V2025_03_26, Self::V2025_06_18, Self::V2025_11_25];
    /// Stateless revisions, oldest first.
    pub const MODERN: &[Self] = &[Self::V2026_07_28];
    /// What a legacy client gets that asks for a revision we do not know.
    pub const NEWEST_LEGACY: Self = Self::V2025_11_25;
    /// What a legacy client speaks that does not say.
    pub const OLDEST: Self = Self::V2025_03_26;

    /// The revision of this date.
    #[must_use]
    pub fn named(date: &str) -> Option<Self> {
        Self::LEGACY.iter().chain(Self::MODERN).copied().find(|revision| revision.as_str() == date)
    }

    /// Its date.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V2025_03_26 => "2025-03-26",
            Self::V2025_06_18 => "2025-06-18",
            Self::V2025_11_25 => "2025-11-25",
            Self::V2026_07_28 => "2026-07-28",
        }
    }

    /// Stateless.
    #[must_use]
    pub fn is_modern(self) -> bool {
        self >= Self::V2026_07_28
    }

    /// Several messages may come in one array.
    #[must_use]
    pub fn has_batches(self) -> bool {
        self == Self::V2025_03_26
    }
}
