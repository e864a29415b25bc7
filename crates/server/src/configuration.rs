//! A configuration on its way to a gate: read and checked, then opened.

use std::{
    collections::HashMap,
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context as _;
use aws_lc_rs::{digest, hmac, rand};
use callgate_backend::{Aim, Applied, Declared, Opening, Plan};
use callgate_config::{Document, Environment, Problems, Section};
use callgate_identity::{ApiKeys, Config as Auth};
use callgate_model::{BackendName, Clock, Identify, Notices, Traces};
use callgate_pipeline::{Carried, Forget};
use callgate_store::{Name, Store, Upkeep};
use callgate_telemetry::Exporter;
use callgate_transport::tls::Tls;
use tracing_subscriber::EnvFilter;

use crate::{
    Erased, Error, Gate, Records,
    config::{Log, OFFERS, Root, part},
    control, erasure,
    gate::{Column, Kept, Parts, Reloads},
    reload::{Look, Reloader},
};

/// The file of the secret that API keys are hashed with, beside the store's own.
const PEPPER: &str = "callgate.pepper";

/// A configuration without mistakes; nothing is open yet.
pub struct Configuration {
    path: PathBuf,
    environment: Environment,
    /// What the files looked like before they were read.
    look: Look,
    root: Root,
    plan: Plan,
    section: Section,
    counts: Counts,
}

/// How much is declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Tools.
    pub tools: usize,
    /// Resources and families of resources.
    pub resources: usize,
    /// Prompts.
    pub prompts: usize,
}

impl Configuration {
    /// Reads and checks one YAML file, or all of a folder. Connects to nothing; every mistake at once.
    pub fn read(path: &Path) -> Result<Self, Problems> {
        Self::read_in(path, &Environment::process())
    }

    /// The same with these variables instead of the environment of the process.
    pub fn read_in(path: &Path, environment: &Environment) -> Result<Self, Problems> {
        let mut problems = Problems::new();
        let look = Look::at(path);
        let Some(document) = Document::read_all(path, environment, &mut problems) else { return Err(problems) };
        let section = document.root();
        let (offers, own) = section.split(&OFFERS);
        let root = own.read::<Root>(&mut problems);
        if let Some(root) = &root {
            check(root, &own, &mut problems);
            let names = |key| part(&offers, key).entries().into_iter().map(|(name, _)| name).collect::<Vec<_>>();
            root.quotas.check(&part(&own, "quotas"), &names("tools"), &mut problems);
            root.calls.check(&part(&own, "calls"), &names("backends"), &mut problems);
        }
        let [backends, tools, resources, prompts] = OFFERS.map(|key| part(&offers, key));
        if own.get("auth").is_some() {
            [&tools, &resources, &prompts].into_iter().for_each(|offers| unsaid(offers, &mut problems));
        }
        let count = |section: &Section| section.entries().len();
        let counts = Counts { tools: count(&tools), resources: count(&resources), prompts: count(&prompts) };
        let plan = callgate_backend::check(&Declared { backends, tools, resources, prompts }).map_err(|found| problems.extend(found)).ok();
        if let Some((root, plan)) = root.as_ref().zip(plan.as_ref()) {
            root.calls.validate.check(plan.inputs(), &mut problems);
        }
        match root.zip(plan) {
            Some((root, plan)) if problems.is_empty() => {
                let (path, environment) = (path.to_owned(), environment.clone());
                Ok(Self { path, environment, look, root, plan, section, counts })
            }
            _ => Err(problems),
        }
    }

    /// The gate's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.root.name
    }

    /// How much it declares.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// What is said while the gate runs, and how.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.root.log
    }

    /// Whether callers have to show who they are.
    #[must_use]
    pub fn authenticates(&self) -> bool {
        self.root.auth.is_some()
    }

    /// Connects all backends and checks every tool against what is there; changes nothing, opens no store and serves nothing.
    pub async fn connect(self) -> Result<(), Problems> {
        let opening = self.opening(Aim::Check, self.key());
        self.plan.open(&opening).await.map(drop)
    }

    /// Brings the systems behind the backends to the declared state.
    pub async fn migrate(&self) -> Result<Vec<Applied>, Problems> {
        self.plan.migrate().await
    }

    /// Opens the store for the API keys in it; connects no backend.
    pub async fn keys(self) -> Result<ApiKeys, Error> {
        let Self { root, section, .. } = self;
        let keys = root.auth.as_ref().and_then(|auth| auth.keys.as_ref()).ok_or(Error::NoKeys("the configuration takes none"))?;
        if root.store.kind == Name::Memory {
            return Err(Error::NoKeys("the store is memory, which ends with this command"));
        }
        let store = callgate_store::open(&store_opening(&root, section.folder())).await?;
        api_keys(keys, &root, section.folder(), &store)
    }

    /// The audit log for reading, beside a gate that may be writing it. Makes nothing and changes nothing.
    pub async fn records(&self) -> Result<Records, Error> {
        let opening = store_opening(&self.root, self.section.folder());
        Ok(Records::new(callgate_store::log(&opening).await?, opening.upkeep.heads, self.section.folder()))
    }

    /// Forgets a caller of a tenant: removes what says which pseudonym in the audit log is the caller's. A gate may be writing there.
    pub async fn erase(&self, records: &Records, tenant: &str, caller: &str) -> Result<Erased, Error> {
        let store = callgate_store::open(&store_opening(&self.root, self.section.folder())).await?;
        erasure::erase(store.as_ref(), records, tenant, caller).await
    }

    /// Whether a tool of this name is declared.
    #[must_use]
    pub fn declares_tool(&self, name: &str) -> bool {
        self.section.get("tools").is_some_and(|tools| tools.get(name).is_some())
    }

    /// The declared tool that was probably meant by a name that none has.
    #[must_use]
    pub fn tool_like(&self, name: &str) -> Option<String> {
        let tools: Vec<_> = self.section.get("tools").iter().flat_map(Section::entries).map(|(tool, _)| tool).collect();
        callgate_config::closest(name, &tools.iter().map(String::as_str).collect::<Vec<_>>()).map(ToOwned::to_owned)
    }

    /// Drops kept replies, of one tenant or of all, in every replica that shares `shared.url`. They are not served any more.
    /// Without one they are in the gate that runs with this configuration, and it is asked.
    pub async fn forget(&self, what: Forget, tenant: Option<String>) -> anyhow::Result<String> {
        if self.root.shared.is_alone() {
            let socket = self
                .control()
                .context("`control.socket` is `none` in this configuration, and nothing is shared; start the gate anew instead")?;
            return control::ask(&socket, &control::Request::Forget { what, tenant }).await;
        }
        let shared = callgate_store::shared::open(&self.root.shared, self.section.folder()).await?;
        callgate_pipeline::forget(&what, tenant.as_deref(), &shared).await?;
        Ok("dropped in all replicas".to_owned())
    }

    /// Opens the store and all backends.
    pub async fn open(self) -> Result<Gate, Error> {
        let store = callgate_store::open(&store_opening(&self.root, self.section.folder())).await?;
        let shared = callgate_store::shared::open(&self.root.shared, self.section.folder()).await?;
        let kept = Kept { store, shared, key: self.key(), notices: Notices::new(), clock: Clock::System };
        let (wire, listen) = (self.root.wire.clone(), self.root.listen.0);
        let (path, environment, section) = (self.path.clone(), self.environment.clone(), self.section.clone());
        let (control, every, look) = (self.control(), self.root.reload.every.get(), self.look.clone());
        let column = self.beside(&kept, Carried::default()).await?;
        let gate = Gate::new(Parts { column, wire, listen, folder: section.folder().to_owned(), kept: kept.clone() });
        Ok(gate.that_reloads(|live| {
            let reloader = Reloader::new(path, environment, live, kept, section);
            Reloads { reloader, control, every, look }
        }))
    }

    /// Opens everything that a configuration can change, with what is kept from one to the next and what the gate before it leaves.
    pub(crate) async fn beside(self, kept: &Kept, before: Carried) -> Result<Arc<callgate_pipeline::Gate>, Error> {
        self.column(kept, before, Aim::Serve).await
    }

    async fn column(self, kept: &Kept, before: Carried, aim: Aim) -> Result<Arc<callgate_pipeline::Gate>, Error> {
        let opening = self.opening(aim, kept.key);
        let Self { root, plan, section, .. } = self;
        let opened = plan.open(&opening).await.map_err(Error::Configuration)?;
        let backends = opened.into_iter().map(|opened| (opened.name, opened.backend)).collect();
        let identity = root.identity();
        let identify = root.auth.as_ref().map(|auth| recognise(auth, &root, section.folder(), &kept.store)).transpose()?;
        let traces = traces(&root, section.folder(), kept.clock)?;
        let Root { calls, audit, cache, shared, quotas, .. } = root;
        let declared = declared(&part(&section, "backends"));
        let settings = callgate_pipeline::Settings { calls, audit, cache, quotas, shared, declared };
        Column { identity, backends, identify, settings, traces }.open(kept, before)
    }

    /// Opens all backends as a check does, and stores that forget: for questions about the gate, not to serve it.
    pub async fn rehearse(mut self) -> Result<Gate, Error> {
        // Nobody is recognised, nothing is written down, nothing is shared, nobody is told.
        self.root.telemetry = callgate_telemetry::Config::default();
        self.root.store = callgate_store::Config { kind: Name::Memory, ..self.root.store };
        self.root.shared = callgate_store::shared::Config::default();
        (self.root.auth, self.root.audit.keep, self.root.audit.heads) = (None, None, callgate_store::Heads::default());
        let store = callgate_store::open(&store_opening(&self.root, self.section.folder())).await?;
        let shared = callgate_store::shared::open(&self.root.shared, self.section.folder()).await?;
        let kept = Kept { store, shared, key: self.key(), notices: Notices::new(), clock: Clock::System };
        let (wire, listen, folder) = (self.root.wire.clone(), self.root.listen.0, self.section.folder().to_owned());
        let column = self.column(&kept, Carried::default(), Aim::Check).await?;
        Ok(Gate::new(Parts { column, wire, listen, folder, kept }))
    }

    /// Asks the gate that runs with this configuration to read it again; says what came of it.
    pub async fn reload_running(&self) -> anyhow::Result<String> {
        let socket = self.control().context("`control.socket` is `none` in this configuration; send SIGHUP to the process instead")?;
        control::ask(&socket, &control::Request::Reload).await
    }

    /// The configuration as it was read.
    pub(crate) fn section(&self) -> &Section {
        &self.section
    }

    fn control(&self) -> Option<PathBuf> {
        match &self.root.control.socket {
            control::Socket::At(socket) => Some(self.section.folder().join(socket)),
            control::Socket::Nowhere => None,
        }
    }

    fn opening(&self, aim: Aim, key: [u8; 32]) -> Opening {
        Opening { clock: Clock::System, key, aim }
    }

    fn key(&self) -> [u8; 32] {
        key(self.root.wire.questions.secrets.first().map(|secret| secret.expose().as_str()))
    }
}

impl fmt::Debug for Configuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Configuration").field("name", &self.root.name).finish_non_exhaustive()
    }
}

/// Who recognises callers. Connects to nothing.
fn recognise(auth: &Auth, root: &Root, folder: &Path, store: &Arc<dyn Store>) -> Result<Arc<dyn Identify>, Error> {
    let client = || callgate_egress::Client::new(&root.egress, folder).map_err(callgate_identity::Error::from);
    let egress = auth.asks().then(client).transpose()?;
    let keys = auth.keys.as_ref().map(|keys| api_keys(keys, root, folder, store)).transpose()?;
    let parts = callgate_identity::Parts { clock: Clock::System, egress, keys };
    Ok(Arc::new(callgate_identity::Callers::open(auth, parts)?))
}

/// Who samples calls and sends their traces, if anybody does. Connects to nothing.
fn traces(root: &Root, folder: &Path, clock: Clock) -> Result<Option<Arc<dyn Traces>>, Error> {
    let Some(config) = &root.telemetry.traces else { return Ok(None) };
    let (egress, name, version) = (&root.egress, root.name.as_str(), env!("CARGO_PKG_VERSION"));
    let exporter =
        Exporter::open(&callgate_telemetry::Opening { config, egress, folder, name, version, clock }).map_err(Error::Telemetry)?;
    Ok(Some(exporter))
}

/// A digest of what is declared about each backend. It holds secrets, so nothing but a digest is kept.
fn declared(backends: &Section) -> HashMap<BackendName, [u8; 32]> {
    let one = |(name, section): (String, Section)| {
        let mut mark = [0; 32];
        mark.copy_from_slice(digest::digest(&digest::SHA256, section.said().as_bytes()).as_ref());
        Some((BackendName::new(name).ok()?, mark))
    };
    backends.entries().into_iter().filter_map(one).collect()
}

/// The keys that were given out. Without a pepper of the operator's, there is one beside a store that is a file.
fn api_keys(config: &callgate_identity::keys::Config, root: &Root, folder: &Path, store: &Arc<dyn Store>) -> Result<ApiKeys, Error> {
    let pepper = (root.store.kind == Name::Sqlite).then(|| folder.join(&root.store.path).with_file_name(PEPPER));
    Ok(ApiKeys::open(config, store.clone(), pepper.as_deref(), Clock::System)?)
}

/// What the store is opened from.
fn store_opening<'a>(root: &'a Root, folder: &'a Path) -> callgate_store::Opening<'a> {
    let audit = &root.audit;
    let (heads, pseudonyms) = (audit.heads.clone(), audit.pseudonyms.clone());
    let upkeep = Upkeep { heads, keep: audit.keep, pseudonyms, clock: Clock::System };
    callgate_store::Opening { config: &root.store, upkeep, folder }
}

/// Limits that serve nobody, and certificates that cannot be used.
fn check_wire(root: &Root, section: &Section, problems: &mut Problems) {
    for (at, why) in root.wire.mistakes() {
        problems.push(section.problem(&format!("/wire{at}"), why));
    }
    if let Some(tls) = &root.wire.http.tls
        && let Err(error) = Tls::open(tls, section.folder())
    {
        let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
        problems.push(section.problem(&format!("/wire/http/tls/{}", error.key()), format!("{error}{cause}")));
    }
}

/// What no schema can say.
fn check(root: &Root, section: &Section, problems: &mut Problems) {
    if root.auth.is_none() && !root.listen.0.ip().is_loopback() {
        let problem =
            section.problem("/listen", format!("`{}` can be reached from other machines, and nothing says who may call", root.listen.0));
        problems.push(problem.help(format!(
            "say it under `auth`, such as `auth: {{ keys: {{}} }}`; or listen on 127.0.0.1; or leave `listen` out and start with `--insecure-listen {}`",
            root.listen.0
        )));
    }
    root.egress.check(&part(section, "egress"), problems);
    if let Some(auth) = &root.auth {
        auth.check(&part(section, "auth"), &root.egress, problems);
        let needs_pepper = !matches!(root.store.kind, Name::Sqlite | Name::Memory);
        if needs_pepper && auth.keys.as_ref().is_some_and(|keys| keys.pepper.is_none()) {
            let problem =
                section.problem("/auth/keys", "the store is no file beside which the gate could keep the secret for hashing keys");
            problems.push(problem.help("write `pepper: { file: … }` or `pepper: { env: … }`, the same for all replicas"));
        }
    }
    check_wire(root, section, problems);
    root.telemetry.check(&part(section, "telemetry"), &root.egress, problems);
    root.audit.check(&part(section, "audit"), problems);
    root.store.check(&part(section, "store"), problems);
    if root.audit.pseudonyms.is_some() && root.store.kind == Name::Memory {
        let problem = section.problem("/audit/pseudonyms", "a store in memory keeps no pseudonyms");
        problems.push(problem.help("leave them out, or write `store: { kind: sqlite }` or `postgres`"));
    }
    root.shared.check(&part(section, "shared"), problems);
    if let Err(cause) = EnvFilter::builder().parse(&root.log.level) {
        problems.push(
            section
                .problem("/log/level", format!("`{}` is no level: {cause}", root.log.level))
                .help("write `info`, or `info,callgate_backend=debug`"),
        );
    }
}

/// Where callers are told apart, everything on offer says who may.
fn unsaid(offers: &Section, problems: &mut Problems) {
    for (name, offer) in offers.entries() {
        if offer.get("allow").is_none() {
            let problem = offer.key_problem("", format!("`{name}` does not say who may, and with `auth` that is nobody"));
            problems.push(
                problem
                    .help("add `allow: read:customers` (a scope), `allow: finance` (a role), `allow: anyone`, or `allow: []` for nobody"),
            );
        }
    }
}

/// The key for what backends seal, derived from the operator's secret so that replicas agree; made up for this run without one.
fn key(secret: Option<&str>) -> [u8; 32] {
    let mut key = [0; 32];
    match secret {
        Some(secret) => {
            let derive = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
            key.copy_from_slice(hmac::sign(&derive, b"callgate backend 1 key").as_ref());
        }
        None => rand::fill(&mut key).expect("the system's random numbers do not run out"),
    }
    key
}
