//! The tables, by version. A later version adds a step here and never changes an old one.

use tokio_postgres::Client;

use super::trouble::Trouble;

/// One part of the state and the statements that bring it from each version to the next.
struct Part {
    name: &'static str,
    steps: &'static [&'static str],
}

/// The numbers of advisory locks begin with one of these.
pub(super) mod lock {
    /// Around the making of tables.
    pub(in super::super) const TABLES: i32 = 0x6361_6c00;
    /// Of the gate that writes a chain.
    pub(in super::super) const CHAIN: i32 = 0x6361_6c01;
    /// Of a gate that lives, whatever it writes.
    pub(in super::super) const OWNER: i32 = 0x6361_6c02;
}

const PARTS: &[Part] = &[
    Part {
        name: "audit",
        steps: &["
        CREATE TABLE callgate_audit (
            id bigint PRIMARY KEY, -- chain * 2^40 + place in the chain
            hash bytea NOT NULL, -- SHA-256 of the hash before it in hexadecimal, then the line
            line text NOT NULL -- one JSON object in canonical form
        );
        CREATE TABLE callgate_audit_checkpoints (
            id bigint PRIMARY KEY, -- the last record that was removed by age
            hash bytea NOT NULL
        );
        CREATE TABLE callgate_audit_intents (
            number bigint PRIMARY KEY, -- who wrote it * 2^40 + a count
            line text NOT NULL
        );
        CREATE FUNCTION callgate_audit_refuses() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$;
        CREATE FUNCTION callgate_audit_keeps() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
            BEGIN
                IF EXISTS (SELECT 1 FROM callgate_audit_checkpoints
                           WHERE id BETWEEN OLD.id AND (((OLD.id >> 40) + 1) << 40) - 1) THEN
                    RETURN OLD;
                END IF;
                RAISE EXCEPTION 'the audit log is append-only';
            END $$;
        CREATE TRIGGER never_changed BEFORE UPDATE ON callgate_audit
            FOR EACH ROW EXECUTE FUNCTION callgate_audit_refuses();
        CREATE TRIGGER never_removed BEFORE DELETE ON callgate_audit
            FOR EACH ROW EXECUTE FUNCTION callgate_audit_keeps();
        CREATE TRIGGER never_emptied BEFORE TRUNCATE ON callgate_audit
            FOR EACH STATEMENT EXECUTE FUNCTION callgate_audit_refuses();
        CREATE TRIGGER never_changed BEFORE UPDATE OR DELETE ON callgate_audit_checkpoints
            FOR EACH ROW EXECUTE FUNCTION callgate_audit_refuses();
        CREATE TRIGGER never_emptied BEFORE TRUNCATE ON callgate_audit_checkpoints
            FOR EACH STATEMENT EXECUTE FUNCTION callgate_audit_refuses();
    "],
    },
    Part {
        name: "callers",
        steps: &["
        CREATE TABLE callgate_audit_callers (
            tenant text NOT NULL,
            caller text NOT NULL,
            pseudonym text NOT NULL UNIQUE, -- what records say in place of the caller
            used bigint NOT NULL, -- microseconds since 1970, UTC; an hour behind at most
            PRIMARY KEY (tenant, caller)
        );
        CREATE INDEX callgate_audit_callers_used ON callgate_audit_callers (used);
        CREATE TABLE callgate_audit_forgotten (
            times bigint NOT NULL -- how often rows above were removed
        );
        INSERT INTO callgate_audit_forgotten VALUES (0);
    "],
    },
    Part {
        name: "keys",
        steps: &["
        CREATE TABLE callgate_api_keys (
            id text PRIMARY KEY,
            caller text NOT NULL,
            tenant text NOT NULL,
            roles text[] NOT NULL,
            scopes text[] NOT NULL,
            hash bytea NOT NULL,
            created bigint NOT NULL, -- microseconds since 1970, UTC
            expires bigint,
            revoked bigint
        );
    "],
    },
];

/// Brings all parts to their latest version, in one transaction under a lock.
pub(super) async fn migrate(client: &mut Client) -> Result<(), Trouble> {
    let transaction = client.transaction().await?;
    transaction.execute("SELECT pg_advisory_xact_lock($1, 0)", &[&lock::TABLES]).await?;
    let encoding: String = transaction.query_one("SELECT current_setting('server_encoding')", &[]).await?.try_get(0)?;
    if encoding != "UTF8" {
        return Err(Trouble::Encoding(encoding));
    }
    let is_new = "SELECT to_regclass('callgate_parts') IS NULL";
    if transaction.query_one(is_new, &[]).await?.try_get(0)? {
        transaction.batch_execute("CREATE TABLE callgate_parts (name text PRIMARY KEY, version integer NOT NULL)").await?;
    }
    for Part { name, steps } in PARTS {
        let found = transaction.query_opt("SELECT version FROM callgate_parts WHERE name = $1", &[name]).await?;
        let found = found.map_or(Ok(0), |row| row.try_get::<_, i32>(0))?;
        let found = usize::try_from(found).map_err(|_| Trouble::Damaged("a version"))?;
        if found > steps.len() {
            return Err(Trouble::Newer { part: name, found, known: steps.len() });
        }
        if found == steps.len() {
            continue;
        }
        for step in &steps[found..] {
            transaction.batch_execute(step).await?;
        }
        let record =
            "INSERT INTO callgate_parts (name, version) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET version = excluded.version";
        transaction.execute(record, &[name, &i32::try_from(steps.len()).unwrap_or(i32::MAX)]).await?;
    }
    Ok(transaction.commit().await?)
}
