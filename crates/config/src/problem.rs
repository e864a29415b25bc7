//! Mistakes in a configuration, as people read them: where, what, and what would be right.

use std::{fmt, sync::Arc};

use miette::{Diagnostic, LabeledSpan, NamedSource, SourceCode};

/// One mistake.
#[derive(Clone, Debug)]
pub struct Problem {
    spot: Option<Spot>,
    path: String,
    message: String,
    help: Option<String>,
}

/// Where a mistake is.
#[derive(Clone, Debug)]
pub(crate) struct Spot {
    pub(crate) source: Arc<NamedSource<String>>,
    pub(crate) line: u32,
    pub(crate) column: u32,
    pub(crate) start: usize,
    pub(crate) len: usize,
}

impl Problem {
    /// A mistake that has no place in a file, such as a file that is not there.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self { spot: None, path: String::new(), message: message.into(), help: None }
    }

    pub(crate) fn at(spot: Option<Spot>, path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { spot, path: path.into(), message: message.into(), help: None }
    }

    /// Adds what to do next.
    #[must_use]
    pub fn help(self, text: impl Into<String>) -> Self {
        Self { help: Some(text.into()), ..self }
    }

    /// What is wrong, without its place.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The place as `file:line:column`, if it has one.
    #[must_use]
    pub fn place(&self) -> Option<String> {
        self.spot.as_ref().map(|spot| format!("{}:{}:{}", spot.source.name(), spot.line, spot.column))
    }

    /// Where it stands in the configuration, such as `tools.get_customer.effect`.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    fn order(&self) -> (Option<(&str, u32, u32)>, &str) {
        (self.spot.as_ref().map(|spot| (spot.source.name(), spot.line, spot.column)), &self.path)
    }

    fn line(&self) -> String {
        if self.path.is_empty() { self.message.clone() } else { format!("{}: {}", self.path, self.message) }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = self.place() {
            write!(f, "{place}: ")?;
        }
        f.write_str(&self.line())?;
        self.help.as_ref().map_or(Ok(()), |help| write!(f, "\n  help: {help}"))
    }
}

/// All mistakes found so far.
#[derive(Clone, Debug, Default)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// None so far.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one.
    pub fn push(&mut self, problem: Problem) {
        self.0.push(problem);
    }

    /// There is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Each once, in the order of the files.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        let mut sorted: Vec<_> = self.0.iter().collect();
        sorted.sort_by(|a, b| a.order().cmp(&b.order()));
        sorted.dedup_by(|a, b| a.order() == b.order() && a.message == b.message);
        sorted.into_iter()
    }

    /// `value`, unless there is a mistake.
    pub fn into_result<T>(self, value: T) -> Result<T, Self> {
        if self.is_empty() { Ok(value) } else { Err(self) }
    }

    /// The same with excerpts of the files, for a terminal.
    #[must_use]
    pub fn report(self) -> miette::Report {
        let problems = self.iter().cloned().map(Excerpt).collect();
        miette::Report::new(Excerpts(problems))
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

impl Extend<Problem> for Problems {
    fn extend<I: IntoIterator<Item = Problem>>(&mut self, problems: I) {
        self.0.extend(problems);
    }
}

impl IntoIterator for Problems {
    type Item = Problem;
    type IntoIter = std::vec::IntoIter<Problem>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.iter().enumerate() {
            let newline = if index == 0 { "" } else { "\n" };
            write!(f, "{newline}{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// One mistake as `miette` shows it: the place is drawn, so it is not written.
#[derive(Debug)]
struct Excerpt(Problem);

impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.line())
    }
}

impl std::error::Error for Excerpt {}

impl Diagnostic for Excerpt {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.0.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.0.spot.as_ref().map(|spot| spot.source.as_ref() as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let spot = self.0.spot.as_ref()?;
        Some(Box::new(std::iter::once(LabeledSpan::new(None, spot.start, spot.len))))
    }
}

/// All mistakes as one report.
#[derive(Debug)]
struct Excerpts(Vec<Excerpt>);

impl fmt::Display for Excerpts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            1 => f.write_str("there is 1 mistake in the configuration"),
            count => write!(f, "there are {count} mistakes in the configuration"),
        }
    }
}

impl std::error::Error for Excerpts {}

impl Diagnostic for Excerpts {
    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        Some(Box::new(self.0.iter().map(|excerpt| excerpt as &dyn Diagnostic)))
    }
}
