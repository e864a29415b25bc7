//! Which files make up a configuration, and their text.

use std::{
    fs::{self, File},
    io::Read as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use miette::NamedSource;

use crate::Problem;

/// More than any hand writes; a file beyond it is the wrong file.
const LONGEST_FILE: u64 = 4 * 1024 * 1024;
const MOST_FILES: usize = 256;

/// The folder of the configuration, and its files in the order of their names.
pub(super) fn find(path: &Path) -> Result<(PathBuf, Vec<PathBuf>), Problem> {
    let unreadable = |cause: std::io::Error| {
        Problem::new(format!("cannot read `{}`: {cause}", path.display()))
            .help("give the path of a YAML file, or of a folder that holds them")
    };
    if !fs::metadata(path).map_err(unreadable)?.is_dir() {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        return Ok((folder.to_owned(), vec![path.to_owned()]));
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(path).map_err(unreadable)? {
        let file = entry.map_err(unreadable)?.path();
        let yaml = file.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
        if yaml && file.is_file() {
            files.push(file);
        }
    }
    if files.is_empty() {
        let message = format!("there is no `.yaml` file in `{}`", path.display());
        return Err(Problem::new(message).help("`callgate init DATABASE_URL` writes a first one"));
    }
    if files.len() > MOST_FILES {
        return Err(Problem::new(format!("`{}` holds {} YAML files; {MOST_FILES} are the most", path.display(), files.len())));
    }
    files.sort();
    Ok((path.to_owned(), files))
}

/// The text of one file under the name that messages use.
pub(super) fn read(path: &Path) -> Result<Arc<NamedSource<String>>, Problem> {
    let name = path.strip_prefix("./").unwrap_or(path).display().to_string();
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(LONGEST_FILE + 1).read_to_string(&mut text));
    read.map_err(|cause| Problem::new(format!("cannot read `{name}`: {cause}")))?;
    if text.len() as u64 > LONGEST_FILE {
        return Err(Problem::new(format!("`{name}` is longer than {} MiB", LONGEST_FILE >> 20))
            .help("split it, or move content into files of its own"));
    }
    Ok(Arc::new(NamedSource::new(name, text)))
}
