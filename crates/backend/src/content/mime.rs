//! Media types: which one a file has by its name, and which ones are text.

/// Extensions and their media types.
const TYPES: &[(&str, &str)] = &[
    ("css", "text/css"),
    ("csv", "text/csv"),
    ("gif", "image/gif"),
    ("htm", "text/html"),
    ("html", "text/html"),
    ("jpeg", "image/jpeg"),
    ("jpg", "image/jpeg"),
    ("json", "application/json"),
    ("md", "text/markdown"),
    ("mp3", "audio/mpeg"),
    ("pdf", "application/pdf"),
    ("png", "image/png"),
    ("sql", "application/sql"),
    ("svg", "image/svg+xml"),
    ("toml", "application/toml"),
    ("txt", "text/plain"),
    ("wav", "audio/wav"),
    ("webp", "image/webp"),
    ("xml", "application/xml"),
    ("yaml", "application/yaml"),
    ("yml", "application/yaml"),
];

/// Media types outside `text/` that are text all the same.
const TEXTS: &[&str] = &["application/json", "application/sql", "application/toml", "application/xml", "application/yaml"];

/// The media type of a file by its name; bytes if nothing is known.
pub(super) fn of(path: &str) -> &'static str {
    let extension = path.rsplit_once('.').map_or("", |(_, extension)| extension).to_ascii_lowercase();
    TYPES.iter().find(|(known, _)| *known == extension).map_or("application/octet-stream", |(_, mime)| mime)
}

/// The media type says that the content is text.
pub(super) fn is_text(mime: &str) -> bool {
    let bare = mime.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    bare.starts_with("text/") || TEXTS.contains(&bare.as_str()) || bare.ends_with("+json") || bare.ends_with("+xml")
}
