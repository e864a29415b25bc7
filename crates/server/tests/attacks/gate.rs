//! The gate under attack, and what must be true of it whatever was sent.

use std::{collections::BTreeMap, fs, net::SocketAddr, time::Duration};

use callgate_testkit::{
    Collector, Folder, Issuer, PATIENCE, Process,
    http::{Answer, Request},
    issuer::Key,
};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::{
    canary::{self, Cage},
    row::{Edit as _, Row, Sent, call},
    shop, wire,
};

/// How much larger the process may have become, whatever was done to it.
const GROWTH: u64 = 64 << 20;

/// Changed configurations that took their place.
const RELOADS: &str = "callgate_reloads_total{status=\"ok\"}";

/// Headers that are part of an exact answer.
const TOLD: [&str; 12] = [
    "www-authenticate",
    "allow",
    "retry-after",
    "connection",
    "location",
    "set-cookie",
    "mcp-session-id",
    "last-event-id",
    "access-control-allow-origin",
    "access-control-allow-credentials",
    "access-control-allow-headers",
    "access-control-allow-methods",
];

/// A running gate with its issuer, and what its tests owe an explanation for.
pub(crate) struct Gate {
    pub(crate) address: SocketAddr,
    pub(crate) issuer: Issuer,
    /// Gets a trace of every call.
    pub(crate) collector: Collector,
    pub(crate) key: Key,
    pub(crate) folder: Folder,
    pub(crate) cage: Cage,
    /// The key of who may read the metrics.
    pub(crate) operator: String,
    process: Process,
    id: u32,
    /// Resident memory when it began.
    size: u64,
    /// Calls of tools that were counted under an earlier configuration.
    called: u64,
    /// How many records there must be, by request and outcome.
    owed: Records,
    /// Requests and outcomes whose records are not counted one by one.
    excused: Vec<&'static str>,
}

/// How many records there are, by request and outcome.
type Records = BTreeMap<(String, String), u64>;

impl Gate {
    /// The gate of [`shop::CONFIG`].
    pub(crate) async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// The same, with pieces of the configuration replaced.
    pub(crate) async fn start_with(changes: &[(&str, &str)]) -> Self {
        let key = Key::rsa("one").unwrap();
        let issuer = Issuer::start(vec![key.clone()]).await.unwrap();
        let collector = Collector::start().await.unwrap();
        let config = shop::CONFIG.replace("{ISSUER}", &issuer.url()).replace("{COLLECTOR}", &collector.url());
        let mut config = config.replace("{SEAL}", canary::SEAL).replace("{TELLER}", canary::TELLER);
        for (from, to) in changes {
            assert!(config.contains(from), "there is no `{from}` in the configuration");
            config = config.replace(from, &to.replace("{ISSUER}", &issuer.url()));
        }
        let folder = Folder::with([("gate.yaml", config.as_str()), ("migrations/1.sql", shop::MIGRATION), ("data/.keep", "")]).unwrap();
        let mut cage = Cage::new();
        let operator = add_key(&folder, &mut cage, &["operator", "--role", "operator"]).await;
        let (process, address) = serve(&folder).await;
        let id = process.id().unwrap();
        let mut gate = Self {
            address,
            issuer,
            collector,
            key,
            folder,
            cage,
            operator,
            process,
            id,
            size: 0,
            called: 0,
            owed: BTreeMap::new(),
            excused: Vec::new(),
        };
        // The first of everything: what a gate needs once is no growth.
        for _ in 0..20 {
            let answer =
                call("my_notes", &json!({})).header("X-API-Key", &gate.operator).header("X-Request-ID", "first").send(address).await;
            assert_eq!(answer.unwrap().status, 200);
        }
        gate.owe("first", "ok", 20);
        gate.size = gate.resident();
        gate
    }

    /// A key for this caller; the arguments are those of `callgate keys add`.
    pub(crate) async fn key_for(&mut self, arguments: &[&str]) -> String {
        add_key(&self.folder, &mut self.cage, arguments).await
    }

    /// The claims of a good token.
    pub(crate) fn claims(&self, subject: &str, tenant: &str, scope: &str) -> Value {
        let mut claims = self.issuer.claims("https://gate.example.com/mcp", subject, now());
        claims["tenant"] = tenant.into();
        claims["scope"] = scope.into();
        claims
    }

    /// A good token.
    pub(crate) fn token(&mut self, subject: &str, tenant: &str, scope: &str) -> String {
        let claims = self.claims(subject, tenant, scope);
        self.signed(&claims)
    }

    /// A good token of somebody with this role.
    pub(crate) fn token_of(&mut self, role: &str, subject: &str, tenant: &str, scope: &str) -> String {
        let mut claims = self.claims(subject, tenant, scope);
        claims["roles"] = serde_json::json!([role]);
        self.signed(&claims)
    }

    /// A token with these claims.
    pub(crate) fn signed(&mut self, claims: &Value) -> String {
        let token = self.key.sign(claims);
        self.cage.add("a token", &token);
        token
    }

    /// There will be so many more records of this request.
    pub(crate) fn owe(&mut self, request: &str, outcome: &str, records: u64) {
        if records > 0 {
            *self.owed.entry((request.to_owned(), outcome.to_owned())).or_default() += records;
        }
    }

    /// Attacks it, row by row.
    pub(crate) async fn play(&mut self, rows: Vec<Row>) {
        for row in rows {
            self.attack(row).await;
        }
    }

    async fn attack(&mut self, row: Row) {
        let name = row.name;
        let before = self.ran().await;
        let begun = Instant::now();
        let (told, bytes) = match row.sent {
            Sent::Request(request) => self.tell(name, request).await,
            Sent::Raw(bytes) => {
                let heard = wire::exchange(self.address, &bytes).await.unwrap();
                let end = if heard.closed { "closed" } else { "open" };
                (format!("{:?} {end}\n", heard.statuses()), heard.bytes)
            }
        };
        let took = begun.elapsed();
        row.answer.assert_eq(&told);
        if row.ran > 0 {
            // A statement that was cancelled counts a moment after its connection is free.
            self.settles("mcp_db_query_duration_seconds_count", before.0 + row.ran).await;
        }
        let after = self.ran().await;
        assert_eq!((after.0 - before.0, after.1 - before.1 <= row.ran), (row.ran, true), "{name}: statements behind the gate");
        assert!(took <= row.within, "{name}: answered after {took:?}");
        assert_eq!(self.cage.found(&bytes), Vec::<&str>::new(), "{name}: in the answer");
        for outcome in row.records {
            self.owe(name, outcome, 1);
        }
    }

    /// Sends a request under the row's name; the answer as it is compared, and as it came.
    async fn tell(&mut self, name: &str, request: Request) -> (String, Vec<u8>) {
        for (header, value) in &request.headers {
            let secret = value.rsplit(' ').next().unwrap_or_default();
            if ["authorization", "x-api-key"].contains(&header.to_ascii_lowercase().as_str()) && secret.len() >= 16 {
                self.cage.add("a credential", secret);
            }
        }
        let request = request.with("Cookie", &format!("session={}", canary::COOKIE)).with("X-Request-ID", name);
        let answer = request.send(self.address).await.unwrap_or_else(|error| panic!("{name}: {error:#}"));
        assert_eq!(answer.header("x-request-id"), Some(name), "{name}: which request this is");
        let (told, whole) = self.read(answer).await;
        (told, whole.into_bytes())
    }

    /// An answer as it is compared, and as a whole.
    pub(crate) async fn read(&self, answer: Answer) -> (String, String) {
        let told = |name: &str, value: &str| {
            (TOLD.contains(&name) && (name, value) != ("connection", "close")).then(|| format!("{name}: {value}\n"))
        };
        let headers: String = answer.headers.iter().filter_map(|(name, value)| told(name, value)).collect();
        let (status, all) = (answer.status, format!("{:?}", answer.headers));
        let body = String::from_utf8_lossy(&answer.body().await.unwrap()).into_owned();
        let told = format!("{status}\n{headers}{}\n", shortened(&body))
            .replace(&self.issuer.url(), "ISSUER")
            .replace(&self.address.to_string(), "GATE");
        (told, all + &body)
    }

    /// How many statements ran behind the gate by its own figures, and how many left a row there.
    pub(crate) async fn ran(&self) -> (u64, u64) {
        // One that was cancelled is counted when it has ended, and its caller is answered before.
        self.settles("mcp_db_connections_active", 0).await;
        let rows: u32 = open(&self.folder, "shop.db").query_row("SELECT count(*) FROM notes", [], |row| row.get(0)).unwrap();
        (self.figure("mcp_db_query_duration_seconds_count").await, rows.into())
    }

    /// The sum of a figure over its labels.
    pub(crate) async fn figure(&self, name: &str) -> u64 {
        let figures = |line: &str| line.strip_prefix(name).and_then(|rest| rest.rsplit(' ').next()?.parse::<f64>().ok());
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "figures that count")]
        let sum = self.metrics().await.lines().filter_map(figures).sum::<f64>() as u64;
        sum
    }

    pub(crate) async fn metrics(&self) -> String {
        let request = Request::new("GET", "/metrics").header("X-API-Key", &self.operator);
        request.send(self.address).await.unwrap().text().await.unwrap()
    }

    /// Waits until a figure is this; what was begun comes to its end.
    pub(crate) async fn settles(&self, name: &str, expected: u64) {
        let begun = Instant::now();
        while self.figure(name).await != expected {
            assert!(begun.elapsed() < PATIENCE, "`{name}` is still {} instead of {expected}", self.figure(name).await);
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Resident memory in bytes.
    pub(crate) fn resident(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id)).expect("the process runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("it has memory");
        line.split_whitespace().next().and_then(|kib| kib.parse::<u64>().ok()).expect("a number") * 1024
    }

    /// How many files and sockets it has open.
    pub(crate) fn descriptors(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.id)).expect("the process runs").count()
    }

    /// How many records there are of a request, or with an outcome, does not matter: nobody can know.
    pub(crate) fn excuse(&mut self, request: &'static str) {
        self.excused.push(request);
    }

    /// Replaces a piece of the configuration while it runs.
    pub(crate) async fn reload(&mut self, from: &str, to: &str) {
        let path = self.folder.path().join("gate.yaml");
        let config = fs::read_to_string(&path).unwrap();
        assert!(config.contains(from), "there is no `{from}` in the configuration");
        let before = self.figure(RELOADS).await;
        self.called += self.figure("mcp_tool_calls_total").await;
        fs::write(&path, config.replace(from, to)).unwrap();
        self.process.signal("HUP").await.unwrap();
        let begun = Instant::now();
        while self.figure(RELOADS).await == before {
            assert!(begun.elapsed() < PATIENCE, "it goes on with what it had");
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Ends the gate and looks at all it leaves behind; gives its folder.
    pub(crate) async fn end(mut self) -> Folder {
        self.settles("mcp_calls_in_flight", 0).await;
        let figures = self.metrics().await;
        let called = self.called + self.figure("mcp_tool_calls_total").await;
        assert!(figures.contains("mcp_panics_total 0"), "something panicked:\n{figures}");
        let size = self.resident();
        assert!(size <= self.size + GROWTH, "the process grew from {} to {size} bytes", self.size);
        assert_eq!(self.process.id(), Some(self.id), "it is another process");
        self.process.signal("TERM").await.unwrap();
        let ended = self.process.end().await.unwrap();
        let said = fs::read(self.folder.path().join("said.log")).unwrap();
        let said = String::from_utf8_lossy(&said);
        assert_eq!(ended.code(), Some(0), "{said}");
        for (place, hay) in [("the log", said.as_bytes()), ("the metrics", figures.as_bytes())] {
            assert_eq!(self.cage.found(hay), Vec::<&str>::new(), "in {place}:\n{}", String::from_utf8_lossy(hay));
        }
        self.judge_traces(&figures);
        for head in self.issuer.heads() {
            assert_eq!(self.cage.found(head.as_bytes()), Vec::<&str>::new(), "in what the issuer was asked: {head}");
        }
        self.judge_records(called);
        let output = run(&self.folder, &["audit", "verify", "-c", "FOLDER"]).await;
        assert!(output.ends_with("ok\n"), "{output}");
        self.folder
    }

    /// Calls were traced, and no secret is in what the collector was sent but the one that the gate shows it.
    fn judge_traces(&self, figures: &str) {
        let sent = self.collector.bytes();
        assert!(!self.collector.spans().unwrap().is_empty(), "nothing was traced:\n{figures}");
        assert_eq!(self.cage.found(&sent), Vec::<&str>::new(), "in traces:\n{}", String::from_utf8_lossy(&sent));
        for head in self.collector.heads() {
            let (before, behind) = head.split_once(canary::TELLER).expect("the gate says who sends it");
            assert_eq!(self.cage.found([before, behind].concat().as_bytes()), Vec::<&str>::new(), "in the head of a trace: {head}");
        }
    }

    /// Each call has its records and there are no others; no secret is among them, nor anywhere else in the file.
    fn judge_records(&self, called: u64) {
        let store = open(&self.folder, "callgate.db");
        let mut query = store.prepare("SELECT line FROM audit ORDER BY id").unwrap();
        let lines: Vec<String> = query.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        let (mut found, mut of_tools) = (Records::new(), 0);
        for line in &lines {
            let line: Value = serde_json::from_str(line).unwrap();
            let text = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
            of_tools += u64::from(text("sort") == "tool");
            if self.excused.contains(&text("request").as_str()) || self.excused.contains(&text("outcome").as_str()) {
                continue;
            }
            *found.entry((text("request"), text("outcome"))).or_default() += 1;
        }
        let (missing, strange) = (others(&self.owed, &found), others(&found, &self.owed));
        assert!(missing.is_empty() && strange.is_empty(), "on record should be {missing:#?}, and there is {strange:#?}");
        assert_eq!(of_tools, called, "calls of tools on record, and by the figures");
        for file in ["callgate.db", "callgate.db-wal"] {
            let bytes = fs::read(self.folder.path().join("data").join(file)).unwrap_or_default();
            assert_eq!(self.cage.found(&bytes), Vec::<&str>::new(), "in {file}");
        }
    }
}

/// A long text by its beginning and its length.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(1000) {
        Some((end, _)) => format!("{} and so on, {} bytes", &text[..end.min(100)], text.len()),
        None => text.to_owned(),
    }
}

/// Those of `one` that `other` does not have in that number.
fn others(one: &Records, other: &Records) -> Vec<String> {
    one.iter().filter(|(key, count)| other.get(key) != Some(count)).map(|(key, count)| format!("{key:?}: {count}")).collect()
}

/// Seconds since 1970.
pub(crate) fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

/// A database of this gate, to be read.
pub(crate) fn open(folder: &Folder, name: &str) -> rusqlite::Connection {
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_WRITE;
    let connection = rusqlite::Connection::open_with_flags(folder.path().join("data").join(name), flags).unwrap();
    connection.busy_timeout(PATIENCE).unwrap();
    connection
}

/// Runs a command to its end: everything it said.
pub(crate) async fn run(folder: &Folder, arguments: &[&str]) -> String {
    let path = folder.path().display().to_string();
    let arguments: Vec<String> = arguments.iter().map(|argument| argument.replace("FOLDER", &path)).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut process = Process::start(env!("CARGO_BIN_EXE_callgate").as_ref(), &arguments, &[("PEPPER", canary::PEPPER)]).unwrap();
    process.close();
    let mut output = String::new();
    while let Some(line) = process.read().await.unwrap() {
        output += &(line + "\n");
    }
    let said = process.errors().await.unwrap();
    let code = process.end().await.unwrap();
    if code.success() { output } else { format!("{code}: {said}{output}") }
}

async fn add_key(folder: &Folder, cage: &mut Cage, arguments: &[&str]) -> String {
    let key = run(folder, &[&["keys", "add", "-c", "FOLDER"], arguments].concat()).await.trim().to_owned();
    assert!(key.starts_with("cg_"), "{key}");
    cage.add("a key", &key);
    // Behind the id, which may be shown.
    cage.add("the secret of a key", &key[key.len() - 20..]);
    key
}

/// Starts to serve on a free port; what it says goes to `said.log`.
async fn serve(folder: &Folder) -> (Process, SocketAddr) {
    let path = folder.path().join("said.log");
    let config = folder.path().display().to_string();
    let variables = [("PEPPER", canary::PEPPER), ("UNREAD", canary::UNREAD)];
    let arguments = ["serve", &config, "--listen", "127.0.0.1:0"];
    let process = Process::logging(env!("CARGO_BIN_EXE_callgate").as_ref(), &arguments, &variables, &path).unwrap();
    let begun = Instant::now();
    loop {
        let said = fs::read_to_string(&path).unwrap();
        let lines = said.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let url = lines.filter_map(|line| line["url"].as_str().map(str::to_owned)).find(|url| url.ends_with("/mcp"));
        if let Some(url) = url {
            let address = url.split("://").nth(1).and_then(|rest| rest.strip_suffix("/mcp")).unwrap();
            return (process, address.parse().unwrap());
        }
        assert!(begun.elapsed() < PATIENCE && process.id().is_some(), "it does not serve:\n{said}");
        sleep(Duration::from_millis(10)).await;
    }
}
