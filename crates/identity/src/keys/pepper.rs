//! The secret under which keys are hashed.

use std::{
    fmt,
    fs::{self, OpenOptions},
    io::{self, Write as _},
    path::Path,
};

use aws_lc_rs::{hmac, rand};

use crate::Error;

const BYTES: usize = 32;
const SHORTEST: usize = 16;

/// The secret, ready for use.
pub(super) struct Pepper(hmac::Key);

impl Pepper {
    pub(super) fn new(secret: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }

    /// One for this process only.
    pub(super) fn passing() -> Self {
        Self::new(&random())
    }

    /// The one in the file, which is made if it is not there.
    pub(super) fn kept(path: &Path) -> Result<Self, Error> {
        let failed = |cause| Error::Pepper { path: path.to_owned(), cause };
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(failed)?;
        }
        make(path).map_err(failed)?;
        let text = read(path).map_err(failed)?;
        Ok(Self::new(text.trim_end().as_bytes()))
    }

    /// What is stored of a key.
    pub(super) fn hash(&self, key: &str) -> Vec<u8> {
        hmac::sign(&self.0, &labelled("hash", key)).as_ref().to_vec()
    }

    /// Whether `hash` is that of this key, in a time that does not depend on how much of it is right.
    pub(super) fn holds(&self, key: &str, hash: &[u8]) -> bool {
        hmac::verify(&self.0, &labelled("hash", key), hash).is_ok()
    }

    /// What shows that the open part of a key was given out here.
    pub(super) fn seal(&self, open: &str) -> [u8; 32] {
        let mut seal = [0; 32];
        seal.copy_from_slice(hmac::sign(&self.0, &labelled("seal", open)).as_ref());
        seal
    }
}

impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pepper(…)")
    }
}

/// The two uses of the secret are kept apart by what is hashed.
fn labelled(label: &str, text: &str) -> Vec<u8> {
    [b"callgate key 1 ", label.as_bytes(), b":", text.as_bytes()].concat()
}

fn random() -> [u8; BYTES] {
    let mut bytes = [0; BYTES];
    rand::fill(&mut bytes).expect("the system's random numbers do not run out");
    bytes
}

/// Makes the file whole or not at all: whoever reads it while it is made sees none.
fn make(path: &Path) -> io::Result<()> {
    if path.exists() {
        return Ok(());
    }
    let text: String = random().iter().map(|byte| format!("{byte:02x}")).chain(["\n".to_owned()]).collect();
    let draft = path.with_extension(format!("pepper.{}", std::process::id()));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&draft)?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    // A link fails where the name is taken: another process was first, and its secret is the one.
    let linked = written.and_then(|()| fs::hard_link(&draft, path));
    fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        linked => linked,
    }
}

fn read(path: &Path) -> io::Result<String> {
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::MetadataExt::mode(&fs::metadata(path)?);
        if mode & 0o007 != 0 {
            return Err(io::Error::other("it can be read by every user of this machine; `chmod 600` it"));
        }
    }
    let text = fs::read_to_string(path)?;
    if text.trim_end().len() < SHORTEST { Err(io::Error::other("it is too short for a secret")) } else { Ok(text) }
}
