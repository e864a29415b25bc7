//! What is read of a certificate.

use aws_lc_rs::digest::{SHA256, digest};
use jiff::Timestamp;
use x509_cert::{
    Certificate,
    der::Decode as _,
    ext::pkix::{SubjectAltName, name::GeneralName},
};

/// More alternative names than any certificate needs.
const MOST_NAMES: usize = 64;

/// The names of a certificate and when it ends.
#[derive(Debug)]
pub(super) struct Leaf {
    pub(super) subject: String,
    pub(super) uris: Vec<String>,
    pub(super) names: Vec<String>,
    pub(super) emails: Vec<String>,
    pub(super) fingerprint: String,
    pub(super) ends: Timestamp,
}

impl Leaf {
    /// Reads a certificate; `None` if it is none, or has more names than it should.
    pub(super) fn read(der: &[u8]) -> Option<Self> {
        let certificate = Certificate::from_der(der).ok()?.tbs_certificate;
        let ends = certificate.validity.not_after.to_unix_duration().as_secs();
        let fingerprint = digest(&SHA256, der).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        let mut leaf = Self {
            subject: certificate.subject.to_string(),
            uris: Vec::new(),
            names: Vec::new(),
            emails: Vec::new(),
            fingerprint,
            ends: Timestamp::from_second(i64::try_from(ends).ok()?).ok()?,
        };
        // An extension that stands there and cannot be read is no reason to look only at the rest.
        if let Some((_, SubjectAltName(names))) = certificate.get::<SubjectAltName>().ok()? {
            if names.len() > MOST_NAMES {
                return None;
            }
            names.iter().for_each(|name| leaf.add(name));
        }
        Some(leaf)
    }

    fn add(&mut self, name: &GeneralName) {
        match name {
            GeneralName::UniformResourceIdentifier(uri) => self.uris.push(uri.as_str().to_owned()),
            GeneralName::DnsName(name) => self.names.push(name.as_str().to_owned()),
            GeneralName::Rfc822Name(email) => self.emails.push(email.as_str().to_owned()),
            _ => {}
        }
    }
}
