//! The mistakes one can make in a prompt.

use std::collections::BTreeSet;

use callgate_config::{Mapping, Problems, Section, Size};
use callgate_expression::Rule;
use callgate_model::{Effect, PromptArgument, PromptName, Reference};
use serde_json::Value;

use super::{
    Prompt,
    fetch::Fetch,
    fill::{Filler, Scalar},
    template::Template,
};
use crate::{
    content::{ArgumentConfig, DataConfig, PromptConfig, file, name as content_name},
    declare::{Shares, Tool, meant, named, validator},
};

/// More calls than this for one prompt are a mistake.
const MOST_CALLS: usize = 16;

/// A template is prose; a larger file is a mistake.
const LARGEST_TEMPLATE: usize = 1 << 20;

impl Prompt {
    /// Checks one entry of `prompts`. `tools` are the names of all tools, those with mistakes included.
    pub(in crate::content) fn check(
        key: &str,
        section: &Section,
        tools: &[String],
        shares: &mut Shares<'_>,
        problems: &mut Problems,
    ) -> Option<Self> {
        let name = named(PromptName::new(key), section, problems);
        let (head, rest) = section.split(&[PromptConfig::ARGUMENTS]);
        let arguments = head.get(PromptConfig::ARGUMENTS);
        let arguments = arguments.map(|arguments| read_arguments(key, &arguments, shares, problems)).unwrap_or_default();
        let mut config: PromptConfig = rest.read(problems)?;
        section.at_least(&[("/bytes", config.bytes, Size(1))], problems);
        let allow = config.allow.take().map(|allow| allow.check(&shares.language, Rule::OF_OTHERS, section, "/allow", problems));
        let mut check = Check { section, arguments: &arguments, problems };
        check.count(config.data.len());
        let data = config.data.iter().filter_map(|(key, data)| check.fetch(key, data, tools, shares)).collect();
        let template = check.template(&config);
        let PromptConfig { title, description, .. } = config;
        let offer = callgate_model::Prompt { title, description, arguments, allow, ..callgate_model::Prompt::new(name?) };
        Some(Self { offer, data, template: template? })
    }
}

fn read_arguments(prompt: &str, section: &Section, shares: &mut Shares<'_>, problems: &mut Problems) -> Vec<PromptArgument> {
    // Says so if this is no mapping at all; the members are read one by one.
    let _: Option<Mapping<Value>> = section.read(problems);
    let mut arguments = Vec::new();
    for (name, section) in section.entries() {
        let begins = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        if !begins || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            let problem =
                section.key_problem("", format!("`{name}` cannot name an argument; use a-z A-Z 0-9 _, not beginning with a digit"));
            problems.push(problem);
        }
        let (complete, own) = section.split(&[ArgumentConfig::COMPLETE]);
        if let Some(complete) = complete.get(ArgumentConfig::COMPLETE) {
            shares.completion(&content_name(), Reference::Prompt(prompt.into()), &name, &complete, problems);
        }
        if let Some(ArgumentConfig { title, description, required }) = own.read(problems) {
            arguments.push(PromptArgument { name, title, description, required });
        }
    }
    arguments
}

/// What the parts of one prompt are checked against.
struct Check<'a> {
    section: &'a Section,
    arguments: &'a [PromptArgument],
    problems: &'a mut Problems,
}

impl Check<'_> {
    fn count(&mut self, calls: usize) {
        if calls > MOST_CALLS {
            self.problem("/data", format!("{calls} calls for one prompt are too many; at most {MOST_CALLS}"));
        }
    }

    /// One entry of `data`.
    fn fetch(&mut self, key: &str, data: &DataConfig, tools: &[String], shares: &Shares<'_>) -> Option<Fetch> {
        let at = format!("/data/{}", escaped(key));
        if self.argument(key).is_some() {
            self.problem(&at, format!("`{key}` is an argument of the prompt too; the template could not tell them apart"));
        }
        let Some(tool) = shares.tools().find(|tool| tool.name.as_str() == data.tool) else {
            // A tool that is there but has mistakes has been reported.
            if !tools.contains(&data.tool) {
                let problem = self.section.problem(&at, format!("there is no tool `{}`", data.tool));
                self.problems.push(meant(problem, &data.tool, tools.iter().map(String::as_str)));
            }
            return None;
        };
        if tool.effect != Effect::Read {
            self.problem(&at, format!("`{}` does not only read; asking for a prompt must change nothing", tool.name));
        }
        let arguments = match &data.arguments {
            None => self.passed_on(tool, &at),
            Some(arguments) => self.written(arguments, tool, &at),
        };
        for parameter in tool.input.parameters.iter().filter(|parameter| parameter.is_required()) {
            let filler = arguments.iter().find(|(name, _)| *name == parameter.name).map(|(_, filler)| filler);
            let optional =
                filler.and_then(|filler| filler.names().into_iter().find(|name| self.argument(name).is_some_and(|found| !found.required)));
            let (needs, tool) = (&parameter.name, &tool.name);
            match (filler, optional) {
                (None, _) => self.problem(&at, format!("`{tool}` needs `{needs}`, which nothing gives it")),
                (_, Some(optional)) => {
                    self.problem(&at, format!("`{tool}` needs `{needs}`, but the argument `{optional}` is not `required`"));
                }
                _ => {}
            }
        }
        Some(Fetch { key: key.into(), tool: data.tool.clone(), arguments })
    }

    /// The prompt's arguments that the tool knows.
    fn passed_on(&mut self, tool: &Tool, at: &str) -> Vec<(String, Filler)> {
        let mut passed = Vec::new();
        for PromptArgument { name, .. } in self.arguments {
            let Some(parameter) = tool.input.get(name) else { continue };
            let scalar = Scalar::of(&parameter.of);
            if scalar.is_none() {
                self.problem(at, format!("`{name}` is a text here, but a list or an object in `{}`", tool.name));
            }
            passed.push((name.clone(), Filler::Whole(name.clone(), scalar.unwrap_or(Scalar::Text))));
        }
        passed
    }

    /// The arguments that were written.
    fn written(&mut self, written: &Mapping<Value>, tool: &Tool, at: &str) -> Vec<(String, Filler)> {
        let mut fillers = Vec::new();
        for (name, value) in written.iter() {
            let at = format!("{at}/arguments/{}", escaped(name));
            let Some(parameter) = tool.input.get(name) else {
                let problem = self.section.problem(&at, format!("`{}` has no parameter `{name}`", tool.name));
                let names = tool.input.parameters.iter().map(|parameter| parameter.name.as_str());
                self.problems.push(meant(problem, name, names));
                continue;
            };
            match Filler::parse(value, Some(&parameter.of)) {
                Ok(filler) => {
                    self.filler(&filler, value, &parameter.schema, &at);
                    fillers.push((name.clone(), filler));
                }
                Err(why) => {
                    self.problem(&at, why);
                    // Given, if wrongly: that it is missing would be one mistake too many.
                    fillers.push((name.clone(), Filler::Literal(value.clone())));
                }
            }
        }
        fillers
    }

    /// What a filler refers to must be there; what refers to nothing must fit as it is.
    fn filler(&mut self, filler: &Filler, value: &Value, schema: &Value, at: &str) {
        let names = filler.names();
        for name in &names {
            if self.argument(name).is_some() {
                continue;
            }
            let problem = self.section.problem(at, format!("the prompt has no argument `{name}`"));
            self.problems.push(meant(problem, name, self.arguments.iter().map(|argument| argument.name.as_str())));
        }
        if names.is_empty()
            && let Ok(validator) = validator(schema)
            && let Err(why) = validator.validate(value)
        {
            let why = why.to_string();
            self.problem(at, format!("the value does not fit the parameter: {why}"));
        }
    }

    /// The template, compiled.
    fn template(&mut self, config: &PromptConfig) -> Option<Template> {
        let (source, at, place) = match (&config.template, &config.text) {
            (Some(path), None) => (self.file(path)?, "/template", path.as_str()),
            (None, Some(text)) => (text.clone(), "/text", self.section.path()),
            _ => {
                let problem = self.section.key_problem("", "say what the prompt is");
                self.problems.push(problem.help("either `template`, a file, or `text`"));
                return None;
            }
        };
        let template = match Template::compile(place, source, config.fuel, config.bytes.bytes()) {
            Ok(template) => template,
            Err(mistake) => {
                let line = mistake.line().unwrap_or(1);
                let why = mistake.detail().map_or_else(|| mistake.kind().to_string(), ToOwned::to_owned);
                self.problem(at, format!("{place}:{line}: {why}"));
                return None;
            }
        };
        let known: Vec<&str> =
            self.arguments.iter().map(|argument| argument.name.as_str()).chain(config.data.iter().map(|(key, _)| key.as_str())).collect();
        let names = template.names().into_iter().collect::<BTreeSet<_>>();
        for name in names.iter().filter(|name| !known.contains(&name.as_str())) {
            let problem = self.section.problem(at, format!("{place}: the template uses `{name}`, which is neither an argument nor `data`"));
            self.problems.push(meant(problem, name, known.iter().copied()));
        }
        Some(template)
    }

    fn file(&mut self, path: &str) -> Option<String> {
        let text = file::read(self.section.folder(), path, LARGEST_TEMPLATE).map_err(|why| why.sentence());
        let text = text.and_then(|bytes| String::from_utf8(bytes).map_err(|_| format!("`{path}` is not UTF-8 text")));
        text.map_err(|why| self.problem("/template", why)).ok()
    }

    fn argument(&self, name: &str) -> Option<&PromptArgument> {
        self.arguments.iter().find(|argument| argument.name == name)
    }

    fn problem(&mut self, at: &str, message: impl Into<String>) {
        self.problems.push(self.section.problem(at, message));
    }
}

/// A name as a step of a JSON pointer.
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
