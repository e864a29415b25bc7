//! Reads the heads: what every backend, tool, resource and completion has, and which backend answers for it.

use callgate_config::{Mapping, Problems, Section};
use callgate_expression::{Language, Rule};
use callgate_model::{BackendName, Effect, Reference, Terms, ToolName, UriTemplate};
use serde_json::Value;

use super::{
    Input, Place, ProposerConfig, Resource, ResourceConfig, Tool, ToolConfig, ValuesConfig,
    allow::conditions,
    caching,
    config::KindConfig,
    near::{meant, nearest},
    propose::{Proposal, Proposer},
    row::{Kind, Raw, RawCompletion, RawResource, RawTool},
    terms,
};
use crate::content;

/// The shares of all backends, growing while the declaration is read.
#[derive(Debug)]
pub(crate) struct Shares<'k> {
    kinds: &'k [Kind],
    /// The language of rules.
    pub(crate) language: Language,
    /// In the order of the files.
    pub(super) raw: Vec<Raw>,
    /// Every name under `backends`, those that could not be read included.
    names: Vec<String>,
    /// Resources that no backend serves.
    pub(crate) content: Vec<content::Entry>,
    /// Who proposes values for what.
    pub(super) proposals: Vec<Proposal>,
}

impl<'k> Shares<'k> {
    pub(super) fn new(kinds: &'k [Kind]) -> Self {
        Self { kinds, language: Language::new(), raw: Vec::new(), names: Vec::new(), content: Vec::new(), proposals: Vec::new() }
    }

    /// Every tool of which enough could be read.
    pub(crate) fn tools(&self) -> impl Iterator<Item = &Tool> {
        self.raw.iter().flat_map(|raw| &raw.tools).filter_map(|tool| tool.head.as_ref())
    }

    /// One entry of `backends`.
    pub(super) fn backend(&mut self, key: &str, section: &Section, problems: &mut Problems) {
        self.names.push(key.to_owned());
        let (head, settings) = section.split(&["kind"]);
        let name = named(BackendName::new(key), section, problems);
        if key == content::NAME {
            let problem = section.key_problem("", format!("`{key}` is the name of the gate's own content"));
            problems.push(problem.help("choose another name"));
        }
        let Some(KindConfig { kind }) = head.read(problems) else { return };
        let Some(row) = self.kinds.iter().find(|row| row.name == kind) else {
            let problem = section.problem("/kind", format!("there is no kind of backend `{kind}`"));
            problems.push(meant(problem, &kind, self.kinds.iter().map(|row| row.name)));
            // What it offers is read as that of the kind that was meant, so that its own mistakes are told as well.
            let meant = nearest(&kind, &self.kinds.iter().map(|row| row.name).collect::<Vec<_>>());
            return self.add(name, meant, settings);
        };
        self.add(name, Some(row.name), settings);
    }

    fn add(&mut self, name: Option<BackendName>, kind: Option<&str>, settings: Section) {
        let row = kind.and_then(|kind| self.kinds.iter().find(|row| row.name == kind));
        let Some((name, row)) = name.zip(row) else { return };
        let (tools, resources, completions) = (Vec::new(), Vec::new(), Vec::new());
        self.raw.push(Raw { name, kind: *row, settings, tools, resources, completions });
    }

    /// One entry of `tools`.
    pub(super) fn tool(&mut self, key: &str, section: &Section, problems: &mut Problems) {
        let (head, own) = section.split(ToolConfig::KEYS);
        let name = named(ToolName::new(key), section, problems);
        let config: Option<ToolConfig> = head.read(problems);
        let backend = config.as_ref().map(|config| config.backend.clone()).or_else(|| section.text("/backend").map(ToOwned::to_owned));
        let head = config.zip(name).map(|(config, name)| tool(config, name, &self.language, section, problems));
        if let Some(raw) = backend.and_then(|backend| self.share(&backend, section, problems)) {
            raw.tools.push(RawTool { head, own, section: section.clone() });
        }
    }

    /// One entry of `resources`.
    pub(super) fn resource(&mut self, key: &str, section: &Section, problems: &mut Problems) {
        let (head, rest) = section.split(ResourceConfig::KEYS);
        let (completions, own) = rest.split(&["complete"]);
        let config: Option<ResourceConfig> = head.read(problems);
        let backend = config.as_ref().map_or_else(|| section.text("/backend").map(ToOwned::to_owned), |config| config.backend.clone());
        let place = place(key).map_err(|why| problems.push(section.key_problem("", why))).ok();
        let family = place.as_ref().and_then(Place::family).cloned();
        let head = config.zip(place).map(|(config, place)| resource(config, key, place, &self.language, section, problems));
        let Some(backend) = backend else {
            self.content.push(content::Entry { head, own, section: section.clone() });
            return;
        };
        let Some(raw) = self.share(&backend, section, problems) else { return };
        let owner = raw.name.clone();
        raw.resources.push(RawResource { head, own, section: section.clone() });
        if let Some(completions) = completions.get("complete") {
            // Says so if this is no mapping at all; the members are read one by one.
            let _: Option<Mapping<Value>> = completions.read(problems);
            self.family(&owner, key, family.as_ref(), &completions, problems);
        }
    }

    /// The completions of a family's variables.
    fn family(&mut self, owner: &BackendName, key: &str, family: Option<&UriTemplate>, complete: &Section, problems: &mut Problems) {
        for (variable, entry) in complete.entries() {
            let variables: Vec<_> = family.into_iter().flat_map(UriTemplate::variables).collect();
            if !variables.contains(&variable.as_str()) {
                let problem = entry.key_problem("", format!("`{key}` has no variable `{variable}`"));
                problems.push(meant(problem, &variable, variables.into_iter()));
            }
            self.completion(owner, Reference::Template(key.into()), &variable, &entry, problems);
        }
    }

    /// One completion of something that `owner` offers.
    pub(crate) fn completion(&mut self, owner: &BackendName, of: Reference, argument: &str, section: &Section, problems: &mut Problems) {
        let by = if section.get("values").is_some() {
            let Some(ValuesConfig { values }) = section.read(problems) else { return };
            Proposer::Values(values)
        } else {
            let (head, own) = section.split(&["backend"]);
            let Some(ProposerConfig { backend }) = head.read(problems) else { return };
            let Some(raw) = self.share(&backend, section, problems) else { return };
            raw.completions.push(RawCompletion { of: of.clone(), argument: argument.into(), own, section: section.clone() });
            Proposer::Backend(raw.name.clone())
        };
        self.proposals.push(Proposal { owner: owner.clone(), of, argument: argument.into(), by });
    }

    /// The share of the backend that `section` names at `/backend`.
    fn share(&mut self, backend: &str, section: &Section, problems: &mut Problems) -> Option<&mut Raw> {
        if !self.names.iter().any(|name| name == backend) {
            let problem = section.problem("/backend", format!("there is no backend `{backend}`"));
            problems.push(meant(problem, backend, self.names.iter().map(String::as_str)));
            // Read as one of the backend that was meant, or of the first, so that its own mistakes are told as well.
            let names: Vec<_> = self.raw.iter().map(|raw| raw.name.as_str()).collect();
            let meant = nearest(backend, &names).and_then(|meant| names.iter().position(|name| *name == meant));
            return self.raw.get_mut(meant.unwrap_or_default());
        }
        self.raw.iter_mut().find(|raw| raw.name.as_str() == backend)
    }
}

fn tool(config: ToolConfig, name: ToolName, language: &Language, section: &Section, problems: &mut Problems) -> Tool {
    let effect = Effect::from(config.effect);
    let input = Input::read(&config.input, section, problems);
    let known = |name: &str| input.get(name).is_some();
    let names = || input.parameters.iter().map(|parameter| parameter.name.as_str());
    if config.description.trim().is_empty() {
        problems.push(section.problem("/description", "the description is empty; the model chooses by it"));
    }
    if config.deadline.is_some_and(|deadline| deadline.get().is_zero()) {
        problems.push(section.problem("/deadline", "a deadline of nothing leaves no time for the call"));
    }
    for (index, word) in config.redact.iter().enumerate().filter(|(_, word)| !known(word)) {
        let problem = section.problem(&format!("/redact/{index}"), format!("there is no parameter `{word}`"));
        problems.push(meant(problem, word, names()));
    }
    let mut terms = Terms {
        cache: caching::kept(&config, &input, section, problems),
        invalidates: caching::stale(&config, &input, section, problems),
        ..terms::read(&config, effect, section, problems)
    };
    let mut updates = Vec::new();
    for (index, text) in config.updates.iter().enumerate() {
        let problem = |why: String| section.problem(&format!("/updates/{index}"), why);
        match UriTemplate::parse(text) {
            Ok(uri) => {
                let unknown = uri.variables().filter(|name| !known(name));
                problems.extend(unknown.map(|name| meant(problem(format!("there is no parameter `{name}`")), name, names())));
                updates.push(uri);
            }
            Err(why) => problems.push(problem(why.to_string())),
        }
    }
    terms.allow = config.allow.map(|allow| allow.check(language, Rule::OF_TOOLS, section, "/allow", problems));
    terms.require = conditions(config.require, language, section, problems);
    Tool {
        name,
        title: config.title,
        description: config.description,
        effect,
        idempotent: config.idempotent.unwrap_or(effect == Effect::Read),
        deadline: config.deadline.map(Into::into),
        concurrency: config.concurrency.and_then(|count| usize::try_from(count).ok()),
        redact: config.redact,
        updates,
        terms,
        input,
    }
}

fn resource(config: ResourceConfig, key: &str, place: Place, language: &Language, section: &Section, problems: &mut Problems) -> Resource {
    let ResourceConfig { name, title, description, mime, allow, .. } = config;
    let variables = if place.family().is_some() { Rule::OF_OTHERS } else { Rule::OF_RESOURCES };
    let allow = allow.map(|allow| allow.check(language, variables, section, "/allow", problems));
    Resource { place, name: name.unwrap_or_else(|| key.into()), title, description, mime, allow }
}

/// A URI, or a family of them.
fn place(key: &str) -> Result<Place, String> {
    let scheme = key.split_once(':').map_or("", |(scheme, _)| scheme);
    let begins = scheme.starts_with(|c: char| c.is_ascii_alphabetic());
    if !begins || !scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.')) {
        return Err(format!("`{key}` is not a URI; write it with a scheme, such as `docs://{key}`"));
    }
    if key.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(format!("`{}` is not a URI: it has blanks", key.escape_debug()));
    }
    let family = UriTemplate::parse(key).map_err(|why| why.to_string())?;
    Ok(if family.variables().next().is_some() { Place::Family(family) } else { Place::Fixed(key.into()) })
}

/// The name, or a problem at the entry itself.
pub(crate) fn named<N, E: ToString>(name: Result<N, E>, section: &Section, problems: &mut Problems) -> Option<N> {
    name.map_err(|why| problems.push(section.key_problem("", why.to_string()))).ok()
}
