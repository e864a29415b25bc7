//! A resource of the gate's own: a text that stands in the configuration, or a file beside it.

use std::path::{Path, PathBuf};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use callgate_config::{Problems, Section};
use callgate_model::{Fault, Kind, ResourceContents, ResourceText};

use super::{ContentConfig, file, mime};
use crate::declare::{Place, Resource};

/// A resource that no backend serves, as it was declared.
#[derive(Debug)]
pub(crate) struct Entry {
    /// What every resource has, if that could be read.
    pub(crate) head: Option<Resource>,
    /// The rest.
    pub(crate) own: Section,
    /// Where it stands.
    pub(crate) section: Section,
}

/// A resource that can be read.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) head: Resource,
    pub(super) uri: String,
    pub(super) mime: String,
    source: Source,
}

#[derive(Debug)]
enum Source {
    Text(String),
    File { folder: PathBuf, path: String, bound: usize },
}

impl Held {
    pub(super) fn check(entry: Entry, problems: &mut Problems) -> Option<Self> {
        let Entry { head, own, section } = entry;
        let config: Option<ContentConfig> = own.read(problems);
        let (head, config) = head.zip(config)?;
        let Place::Fixed(uri) = &head.place else {
            let problem = section.key_problem("", "a family of resources needs a `backend` that knows its members");
            problems.push(problem);
            return None;
        };
        let ContentConfig { text, file, bytes } = config;
        let (source, by_name) = match (text, file) {
            (Some(text), None) => (Source::Text(text), "text/plain"),
            (None, Some(path)) => {
                let by_name = mime::of(&path);
                (Source::File { folder: section.folder().to_owned(), path, bound: bytes.bytes() }, by_name)
            }
            _ => {
                let problem = section.key_problem("", "say where the content is");
                problems.push(problem.help("one of `text`, `file` and `backend`"));
                return None;
            }
        };
        let mime = head.mime.clone().unwrap_or_else(|| by_name.into());
        let held = Self { uri: uri.clone(), mime, source, head };
        held.contents().map_err(|why| problems.push(section.problem("/file", why.sentence()))).ok()?;
        Some(held)
    }

    /// What reading it gives now.
    pub(super) async fn read(self: std::sync::Arc<Self>) -> Result<ResourceContents, Fault> {
        if matches!(self.source, Source::Text(_)) {
            return self.contents().map_err(|why| self.unreadable(why));
        }
        let held = self.clone();
        match tokio::task::spawn_blocking(move || held.contents()).await {
            Ok(contents) => contents.map_err(|why| self.unreadable(why)),
            Err(panic) => Err(Fault::internal(panic)),
        }
    }

    fn unreadable(&self, why: file::Error) -> Fault {
        Fault::new(Kind::Unavailable { retry_after: None }, format!("`{}` cannot be read just now", self.uri)).because(why)
    }

    fn contents(&self) -> Result<ResourceContents, file::Error> {
        let text = match &self.source {
            Source::Text(text) => ResourceText::Text(text.clone()),
            Source::File { folder, path, bound } => read(folder, path, *bound, &self.mime)?,
        };
        Ok(ResourceContents { uri: self.uri.clone(), mime: Some(self.mime.clone()), text, meta: None })
    }
}

fn read(folder: &Path, path: &str, bound: usize, mime: &str) -> Result<ResourceText, file::Error> {
    let bytes = file::read(folder, path, bound)?;
    if !mime::is_text(mime) {
        return Ok(ResourceText::Blob(STANDARD.encode(bytes)));
    }
    // Bytes that are not UTF-8 travel as bytes whatever their name promises.
    Ok(String::from_utf8(bytes).map_or_else(|bytes| ResourceText::Blob(STANDARD.encode(bytes.as_bytes())), ResourceText::Text))
}
