//! The tables, by version. A later version adds a step here and never changes an old one.
//!
//! Each part of the state has its own count of versions, so that the hash chain of the audit log can be added without touching
//! the parts that come beside it.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

use crate::Error;

/// One part of the state and the statements that bring it from each version to the next.
struct Part {
    name: &'static str,
    steps: &'static [&'static str],
}

const PARTS: &[Part] = &[
    Part {
        name: "audit",
        steps: &["
        CREATE TABLE audit (
            seq INTEGER PRIMARY KEY,
            at INTEGER NOT NULL, -- microseconds since 1970, UTC
            request TEXT NOT NULL,
            depth INTEGER NOT NULL,
            caller TEXT NOT NULL,
            transport TEXT NOT NULL,
            revision TEXT NOT NULL,
            session TEXT,
            traceparent TEXT,
            sort TEXT NOT NULL,
            name TEXT NOT NULL,
            backend TEXT,
            effect TEXT,
            arguments TEXT NOT NULL,
            outcome TEXT NOT NULL,
            duration INTEGER NOT NULL -- microseconds
        ) STRICT;
        CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit
            BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
        CREATE TRIGGER audit_is_never_shortened BEFORE DELETE ON audit
            BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
        CREATE TRIGGER audit_is_never_replaced BEFORE INSERT ON audit
            WHEN EXISTS (SELECT 1 FROM audit WHERE seq = NEW.seq)
            BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
    "],
    },
    Part {
        name: "keys",
        steps: &["
        CREATE TABLE api_keys (
            id TEXT PRIMARY KEY,
            caller TEXT NOT NULL,
            tenant TEXT NOT NULL,
            roles TEXT NOT NULL, -- a JSON list
            scopes TEXT NOT NULL, -- a JSON list
            hash BLOB NOT NULL,
            created INTEGER NOT NULL, -- microseconds since 1970, UTC
            expires INTEGER,
            revoked INTEGER
        ) STRICT, WITHOUT ROWID;
    "],
    },
];

/// Brings all parts to their latest version, each in one transaction.
pub(super) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), Error> {
    let failed = |cause: rusqlite::Error| Error::Open { path: path.into(), cause: cause.into() };
    for part in PARTS {
        let found = advance(connection, part).map_err(failed)?;
        if found > part.steps.len() {
            return Err(Error::Newer { path: path.into(), part: part.name, found, known: part.steps.len() });
        }
    }
    Ok(())
}

/// Runs the steps that are missing; gives the version that was found.
fn advance(connection: &mut Connection, part: &Part) -> rusqlite::Result<usize> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch("CREATE TABLE IF NOT EXISTS parts (name TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT")?;
    let found = transaction.query_row("SELECT version FROM parts WHERE name = ?1", [part.name], |row| row.get(0)).optional()?;
    let found = found.map_or(0, |version: u32| version as usize);
    for step in part.steps.iter().skip(found) {
        transaction.execute_batch(step)?;
    }
    if found < part.steps.len() {
        let record = "INSERT INTO parts (name, version) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET version = excluded.version";
        transaction.execute(record, rusqlite::params![part.name, u32::try_from(part.steps.len()).unwrap_or(u32::MAX)])?;
    }
    transaction.commit()?;
    Ok(found)
}
