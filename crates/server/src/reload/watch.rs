//! When a configuration is read again: SIGHUP, and files that look different.
//!
//! Files are looked at every so often instead of asking the system to tell: that also works where files are mounted over a network, or
//! are links that are exchanged as a whole (as Kubernetes does with a ConfigMap). A change counts when two looks in a row agree on it,
//! so that a file that is being written is not read half.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use callgate_config::Span;
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::time::{MissedTickBehavior, interval};

use super::Reloader;

/// What a configuration is made of, besides YAML: statements, templates, texts.
const TEXTS: [&str; 10] = ["yaml", "yml", "md", "txt", "sql", "json", "csv", "html", "j2", "pem"];
/// How deep folders are looked into, and how many files at most; beyond that, send SIGHUP.
const DEEPEST: usize = 8;
const MOST: usize = 4096;

/// When the configuration is read again while the gate is served. SIGHUP and `callgate reload` always work.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Watch {
    /// How often the files of the configuration are looked at; default `2s`. `0s`: never. A change is taken when two looks agree.
    pub(crate) every: Span,
}

impl Default for Watch {
    fn default() -> Self {
        Self { every: Span::seconds(2) }
    }
}

/// What the files look like. A file that appears, vanishes, grows, shrinks, is written or replaced changes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Look(Vec<(PathBuf, u64, Option<SystemTime>)>);

impl Look {
    /// A folder that cannot be read looks as if it were empty; reading the configuration will say why.
    pub(crate) fn at(path: &Path) -> Self {
        let mut files = Vec::new();
        if path.is_dir() {
            // What could be seen counts.
            let _ = gather(path, DEEPEST, &mut files);
        } else if let Ok(about) = fs::metadata(path) {
            files.push((path.to_owned(), about.len(), about.modified().ok()));
        }
        files.sort();
        Self(files)
    }
}

fn gather(folder: &Path, deeper: usize, files: &mut Vec<(PathBuf, u64, Option<SystemTime>)>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let is_hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        // A link is what it leads to.
        let Ok(about) = fs::metadata(&path) else { continue };
        if is_hidden || files.len() >= MOST {
        } else if about.is_dir() && deeper > 0 {
            gather(&path, deeper - 1, files)?;
        } else if path.extension().is_some_and(|extension| TEXTS.iter().any(|text| extension == *text)) {
            files.push((path, about.len(), about.modified().ok()));
        }
    }
    Ok(())
}

/// Looks that follow each other.
#[derive(Debug)]
struct Watcher {
    /// What the configuration in place was read from, or what was last refused.
    taken: Look,
    last: Look,
}

impl Watcher {
    fn new(look: Look) -> Self {
        Self { taken: look.clone(), last: look }
    }

    /// Whether there is something new to read: it differs from what was taken, and no longer from the look before.
    fn sees(&mut self, look: Look) -> bool {
        let is_calm = look == self.last;
        self.last = look;
        let is_new = is_calm && self.last != self.taken;
        if is_new {
            self.taken = self.last.clone();
        }
        is_new
    }
}

impl Reloader {
    /// Reads the configuration again whenever its files look different from `first`, forever; `every` zero: never.
    pub(crate) async fn watch(self, every: Duration, first: Look) {
        if every.is_zero() {
            return;
        }
        let mut watcher = Watcher::new(first);
        let mut ticks = interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let path = self.path().to_owned();
            let Ok(look) = tokio::task::spawn_blocking(move || Look::at(&path)).await else { continue };
            if watcher.sees(look) {
                // What is wrong has been logged; the next change is another try.
                let _ = self.reload("a file has changed").await;
            }
        }
    }

    /// Reads the configuration again at each SIGHUP, forever. Signals that come while it is being read are one.
    #[cfg(unix)]
    pub(crate) async fn heed_hangups(self) {
        use tokio::signal::unix::{SignalKind, signal};
        let Ok(mut hangups) = signal(SignalKind::hangup()) else { return };
        while hangups.recv().await.is_some() {
            let _ = self.reload("SIGHUP").await;
        }
    }

    /// There are no such signals here.
    #[cfg(not(unix))]
    pub(crate) async fn heed_hangups(self) {}
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::{Look, Watcher};

    /// Each figure is the length of the one file; a star marks the looks after which the configuration is read.
    fn check(looks: &[u64], expected: &[bool]) {
        let look = |len: &u64| Look(vec![(PathBuf::from("gate.yaml"), *len, None)]);
        let mut watcher = Watcher::new(look(&looks[0]));
        let seen: Vec<_> = looks.iter().map(|len| watcher.sees(look(len))).collect();
        assert_eq!(seen, expected, "{looks:?}");
    }

    #[test]
    fn nothing_changes() {
        check(&[1, 1, 1], &[false, false, false]);
    }

    #[test]
    fn a_change_is_taken_once_when_it_is_calm() {
        check(&[1, 2, 2, 2], &[false, false, true, false]);
    }

    #[test]
    fn a_file_that_is_being_written_is_left_alone() {
        check(&[1, 2, 3, 4, 4], &[false, false, false, false, true]);
    }

    #[test]
    fn a_change_that_was_taken_back_is_none() {
        check(&[1, 2, 1, 1], &[false, false, false, false]);
    }
}
