//! The gate that is attacked: its configuration, and what stands behind it.
//!
//! `add_note` writes a row for each time it runs, so that nothing runs unseen. Who may what, and what is kept, is told by the tools'
//! names.

/// The configuration; `{…}` are filled in by [`crate::gate::Gate::start`].
pub(crate) const CONFIG: &str = r#"
version: 1
name: shop
log: { level: debug }
auth:
  resource: https://gate.example.com/mcp
  scopes: [read:notes, write:notes]
  keys: { pepper: { env: PEPPER } }
  issuers:
    - issuer: {ISSUER}
      algorithms: [RS256, ES256]
      jwks: {ISSUER}/keys
      cooldown: 1s
      claims: { tenant: tenant }
egress: { allow: [127.0.0.1], timeout: 1s }
telemetry: { traces: { endpoint: "{COLLECTOR}", every: 20ms, callers: true, headers: { x-teller: {TELLER} } } }
wire: { questions: { secrets: [{SEAL}] } }
audit: { strangers: 1000000 }
store: { linger: 1ms }
backends:
  main: { kind: sql, url: "sqlite:data/shop.db", migrations: migrations, migrate: at_start }
calls: { deadline: 2s }
quotas:
  rules:
    - { name: limited, per: [caller, tool], limit: 2/1h, tools: [limited_note] }
tools:
  add_note:
    backend: main
    description: Add a note.
    effect: write
    allow: write:notes
    input:
      text: { type: string, maxLength: 200 }
      password: { type: string, maxLength: 40, optional: true }
    sql: INSERT INTO notes (tenant, owner, text) VALUES (:caller.tenant, :caller.id, :text || substr(coalesce(:password, ''), 1, 0)) RETURNING id
    returns: one
  limited_note:
    backend: main
    description: Add a note, twice an hour.
    effect: write
    allow: anyone
    input: { text: { type: string } }
    sql: INSERT INTO notes (tenant, owner, text) VALUES (:caller.tenant, :caller.id, :text) RETURNING id
    returns: one
  admin_note:
    backend: main
    description: Add a note for everyone.
    effect: write
    allow: admin
    input: { text: { type: string } }
    sql: INSERT INTO notes (tenant, owner, text) VALUES ('', '', :text) RETURNING id
    returns: one
  transfer:
    backend: main
    description: Move money of the caller's tenant.
    effect: write
    allow: ["write:notes write:money"]
    require:
      - { rule: "args.tenant == caller.tenant", message: "`tenant` must be your own" }
      - { rule: "args.amount > 0.0 && (args.amount <= 1000.0 || 'finance' in caller.roles)", message: "`amount` must be 1000 or less" }
      - { rule: "args.account in ['food', 'rent']", message: "`account` must be food or rent" }
    input:
      tenant: { type: string }
      amount: { type: number }
      account: { type: string, default: food }
    sql: INSERT INTO notes (tenant, owner, text) VALUES (:tenant, :caller.id, :account || :amount) RETURNING id
    returns: one
  my_notes:
    backend: main
    description: List the caller's notes.
    effect: read
    allow: anyone
    sql: SELECT id, text FROM notes WHERE owner = :caller.id AND tenant = :caller.tenant ORDER BY id
    returns: many
    rows: 5
  kept_note:
    backend: main
    description: Who the caller is, kept for a while.
    effect: read
    allow: anyone
    input:
      about: { type: string, default: me }
    cache: { ttl: 60s }
    sql: SELECT :caller.tenant || '/' || :caller.id || ' on ' || :about AS who, :caller.roles AS roles
    returns: one
  find_notes:
    backend: main
    description: Find notes of the caller by their text.
    effect: read
    allow: anyone
    input:
      text: { type: string, maxLength: 100000 }
      code: { type: string, pattern: "^(a+)+$", optional: true, maxLength: 100000 }
    sql: SELECT id, text FROM notes WHERE owner = :caller.id AND text = :text AND (:code IS NULL OR text = :code) ORDER BY id
    returns: many
  endless:
    backend: main
    description: Count for ever.
    effect: read
    allow: anyone
    deadline: 700ms
    concurrency: 2
    sql: WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) AS most FROM n
    returns: one
  plenty:
    backend: main
    description: Far more rows than anybody can use.
    effect: read
    allow: anyone
    cache: { ttl: 60s }
    sql: WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 10000000) SELECT i, 'row ' || i AS text FROM n
    returns: many
    rows: 50
  broken:
    backend: main
    description: Fail in the database.
    effect: write
    allow: anyone
    input:
      text: { type: string }
      password: { type: string, optional: true }
    sql: INSERT INTO strict_notes (id, text) VALUES (1, :text || coalesce(:password, '')) RETURNING id
    returns: one
resources:
  "notes://all": { backend: main, allow: admin, sql: "SELECT count(*) AS notes FROM notes" }
  "notes://of/{owner}": { backend: main, allow: "args.owner == caller.id", sql: "SELECT text FROM notes WHERE owner = :owner" }
prompts:
  greet:
    description: Greet somebody.
    allow: admin
    arguments: { name: { required: true } }
    text: "Say hello to {{ name }}."
"#;

/// What stands behind it.
pub(crate) const MIGRATION: &str = "
CREATE TABLE notes (id INTEGER PRIMARY KEY, tenant TEXT NOT NULL, owner TEXT NOT NULL, text TEXT NOT NULL);
CREATE TABLE strict_notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL CHECK (length(text) < 0)) STRICT;
";
