//! The tables, by version. A later version adds a step here and never changes an old one.
//!
//! Each part of the state has its own count of versions, so that the hash chain of the audit log can be added without touching
//! the parts that come beside it.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};

use crate::Error;

/// One part of the state and the statements that bring it from each version to the next.
struct Part {
    name: &'static str,
    steps: &'static [&'static str],
}

/// What the first version made.
pub(crate) const FIRST: &str = "
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
";

const PARTS: &[Part] = &[
    Part {
        name: "audit",
        steps: &[
            FIRST,
            "
        ALTER TABLE audit RENAME TO audit_before_chain;
        CREATE TABLE audit (
            id INTEGER PRIMARY KEY, -- chain * 2^40 + place in the chain
            hash BLOB NOT NULL, -- SHA-256 of the hash before it in hexadecimal, then the line
            line TEXT NOT NULL -- one JSON object in canonical form
        ) STRICT;
        CREATE TABLE audit_checkpoints (
            id INTEGER PRIMARY KEY, -- the last record that was removed by age
            hash BLOB NOT NULL
        ) STRICT;
        CREATE TABLE audit_intents (
            number INTEGER PRIMARY KEY,
            chain INTEGER NOT NULL,
            line TEXT NOT NULL
        ) STRICT;
        CREATE TRIGGER audit_line_is_never_changed BEFORE UPDATE ON audit
            BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
        CREATE TRIGGER audit_line_is_never_removed BEFORE DELETE ON audit
            WHEN NOT EXISTS (SELECT 1 FROM audit_checkpoints WHERE id >= OLD.id AND id >> 40 = OLD.id >> 40)
            BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
        CREATE TRIGGER audit_line_is_never_replaced BEFORE INSERT ON audit
            WHEN EXISTS (SELECT 1 FROM audit WHERE id = NEW.id)
            BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
        CREATE TRIGGER audit_checkpoint_is_never_changed BEFORE UPDATE ON audit_checkpoints
            BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
        CREATE TRIGGER audit_checkpoint_is_never_removed BEFORE DELETE ON audit_checkpoints
            BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
    ",
        ],
    },
    Part {
        name: "callers",
        steps: &["
        CREATE TABLE audit_callers (
            tenant TEXT NOT NULL,
            caller TEXT NOT NULL,
            pseudonym TEXT NOT NULL UNIQUE, -- what records say in place of the caller
            used INTEGER NOT NULL, -- microseconds since 1970, UTC; an hour behind at most
            PRIMARY KEY (tenant, caller)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX audit_callers_used ON audit_callers (used);
        CREATE TABLE audit_forgotten (
            times INTEGER NOT NULL -- how often a row above was removed
        ) STRICT;
        INSERT INTO audit_forgotten VALUES (0);
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

/// Up to the version before this one, the audit log had no chain.
const BEFORE_CHAIN: usize = 2;

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
    if part.name == "audit" && found < BEFORE_CHAIN {
        forget_empty(&transaction)?;
    }
    transaction.commit()?;
    Ok(found)
}

/// Records of versions without a chain are kept beside it; where there are none, the table goes.
fn forget_empty(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    let old: i64 = transaction.query_row("SELECT count(*) FROM audit_before_chain", [], |row| row.get(0))?;
    if old == 0 { transaction.execute_batch("DROP TABLE audit_before_chain") } else { Ok(()) }
}
