//! The text of a starter configuration: for each table a tool that finds one row and a tool that lists rows.

use std::{collections::HashSet, fmt::Write as _, path::Path};

use callgate_backend::sql::{Table, TableColumn};

/// More tables than this make a list of tools that no model reads; the others are named in a comment.
const MOST: usize = 40;

/// What a draft is made of.
pub(super) struct Draft<'t> {
    pub(super) name: String,
    pub(super) url: String,
    pub(super) tables: &'t [Table],
}

impl Draft<'_> {
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        let (whole, empty): (Vec<_>, Vec<_>) = self.tables.iter().partition(|table| !table.columns.is_empty());
        let (drafted, left) = whole.split_at(whole.len().min(MOST));
        let mut names = Names::default();
        self.head(&mut text);
        for table in drafted {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "\n  # {} `{}`", table.kind, table.name);
            self.one(table, &mut names, &mut text);
            self.many(table, &mut names, &mut text);
        }
        for table in left {
            let _ = writeln!(text, "  # Not drafted: {} `{}`", table.kind, table.name);
        }
        for table in empty {
            let _ = writeln!(text, "  # Not drafted: {} `{}` has no columns", table.kind, table.name);
        }
        text.push_str(TAIL);
        text
    }

    fn head(&self, text: &mut String) {
        let url = scalar(&self.url);
        let name = scalar(&self.name);
        let _ = write!(
            text,
            "# A first configuration, drafted from the tables of the database. Everything here only reads.\n\
             # Take out what callers should not see: a tool can do exactly what its statement says, and nothing else.\n\
             version: 1\nname: {name}\n\
             # instructions: Say here what the model can use this for.\n\n\
             backends:\n  main:\n    kind: sql\n    url: {url}\n\n\
             tools:"
        );
    }

    /// A tool that finds one row by its primary key.
    fn one(&self, table: &Table, names: &mut Names, text: &mut String) {
        let keys: Vec<_> = table.columns.iter().filter(|column| table.primary_key.contains(&column.name)).collect();
        if keys.is_empty() {
            return;
        }
        let mut parameters = Names::default();
        let keys: Vec<_> = keys.into_iter().map(|key| (key, parameters.take(&word(&key.name)))).collect();
        let thing = singular(&word(&table.name));
        let tool = names.take(&format!("get_{thing}"));
        let by = keys.iter().map(|(_, parameter)| parameter.as_str()).collect::<Vec<_>>().join(" and ");
        let tests = keys.iter().map(|(key, parameter)| format!("{} = :{parameter}", quoted(&key.name))).collect::<Vec<_>>().join(" AND ");
        let sql = format!("SELECT {} FROM {} WHERE {tests}", columns(table), self.quoted_table(&table.name));
        head(&tool, &format!("Retrieve one row of {} by {by}.", table.name), text);
        let _ = writeln!(text, "    input:");
        for (key, parameter) in keys {
            let _ = writeln!(text, "      {parameter}: {{ type: {} }}", kind(key));
        }
        let missing = scalar(&format!("there is no row of {} with this {by}", table.name));
        let _ = writeln!(text, "    sql: {}\n    returns: one\n    missing: {missing}", scalar(&sql));
    }

    /// A tool that lists rows.
    fn many(&self, table: &Table, names: &mut Names, text: &mut String) {
        let tool = names.take(&format!("list_{}", word(&table.name)));
        let order: Vec<_> = table.primary_key.iter().map(|key| quoted(key)).collect();
        let order = if order.is_empty() { String::new() } else { format!(" ORDER BY {}", order.join(", ")) };
        let sql = format!("SELECT {} FROM {}{order}", columns(table), self.quoted_table(&table.name));
        head(&tool, &format!("List the rows of {}, 50 at a time.", table.name), text);
        let _ = writeln!(text, "    sql: {}\n    returns: many\n    rows: 50", scalar(&sql));
    }

    /// A table as SQL. PostgreSQL's may have their schema in front.
    fn quoted_table(&self, name: &str) -> String {
        if self.url.starts_with("sqlite:") { quoted(name) } else { name.split('.').map(quoted).collect::<Vec<_>>().join(".") }
    }
}

const TAIL: &str = r#"
  # A tool that writes looks like this. Several `steps` run in one transaction.
  #
  # create_note:
  #   backend: main
  #   description: Add a note.
  #   effect: write
  #   input:
  #     text: { type: string, maxLength: 1000, description: What to note. }
  #   generate:
  #     id: { id: note_ }
  #   sql: INSERT INTO notes (id, text) VALUES (:id, :text) RETURNING id, text
  #   returns: one

resources:
  # What the tables look like, read from the live database.
  "database://schema/{table}":
    backend: main
    schema: true
    description: The columns, keys and indexes of a table.
"#;

/// Names that have been given to tools.
#[derive(Default)]
struct Names(HashSet<String>);

impl Names {
    fn take(&mut self, wish: &str) -> String {
        let mut name = wish.to_owned();
        let mut number = 1;
        while !self.0.insert(name.clone()) {
            number += 1;
            name = format!("{wish}_{number}");
        }
        name
    }
}

fn head(tool: &str, description: &str, text: &mut String) {
    let _ = writeln!(text, "  {tool}:\n    backend: main\n    description: {}\n    effect: read", scalar(description));
}

fn columns(table: &Table) -> String {
    table.columns.iter().map(|column| quoted(&column.name)).collect::<Vec<_>>().join(", ")
}

/// The JSON type of the parameter for a column.
fn kind(column: &TableColumn) -> &'static str {
    let of = column.of.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| of.contains(word));
    match () {
        () if has(&["interval", "point"]) => "string",
        () if has(&["bool"]) => "boolean",
        () if has(&["int", "serial"]) => "integer",
        () if has(&["real", "floa", "doub"]) => "number",
        () => "string",
    }
}

/// An identifier as SQL: bare where that is safe and means the same on both engines.
fn quoted(name: &str) -> String {
    let plain = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && !RESERVED.split_whitespace().any(|word| word == name);
    if plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

/// Words that cannot stand bare as the name of a column or table, on one of the engines or in a tool that reads.
const RESERVED: &str = "
    all analyse analyze and any array as asc asymmetric attach authorization between binary both by call case cast check collate
    column commit concurrently constraint copy create cross current_catalog current_date current_role current_schema current_time
    current_timestamp current_user default deferrable delete desc distinct do drop else end escape except exists false fetch for
    foreign freeze from full glob grant group having if ilike in index indexed initially inner insert intersect into is isnull
    join key lateral leading left like limit localtime localtimestamp match merge natural not notnull null offset on only or order
    outer overlaps placing pragma primary raise references regexp replace returning right select session_user set similar some
    symmetric table tablesample then to trailing transaction true truncate union unique update user using vacuum values variadic
    verbose when where window with
";

/// A name for a tool or parameter.
fn word(name: &str) -> String {
    let word: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect();
    let parts: Vec<_> = word.split('_').filter(|part| !part.is_empty()).collect();
    let word: String = parts.join("_").chars().take(100).collect();
    match word.chars().next() {
        None => "unnamed".to_owned(),
        Some(first) if first.is_ascii_digit() => format!("n{word}"),
        Some(_) => word,
    }
}

fn singular(word: &str) -> String {
    match word {
        _ if word.ends_with("ies") && word.len() > 4 => format!("{}y", &word[..word.len() - 3]),
        _ if word.ends_with("ss") || !word.ends_with('s') || word.len() < 3 => word.to_owned(),
        _ => word[..word.len() - 1].to_owned(),
    }
}

/// A text as YAML: plain where nobody could misread it, in quotes otherwise.
fn scalar(text: &str) -> String {
    let plain = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '$')
        && !matches!(text, "true" | "false" | "null")
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.ends_with(':')
        && text.chars().all(|c| !c.is_control());
    if plain { text.to_owned() } else { serde_json::Value::from(text).to_string() }
}

/// A name for the gate: that of the file or database.
pub(super) fn name(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or(url);
    let last = url.strip_prefix("sqlite:").map_or_else(
        || url.rsplit('/').next().unwrap_or_default().to_owned(),
        |path| Path::new(path).file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default(),
    );
    word(&last)
}

/// A URL that can be written down: a password stays in the environment.
pub(super) fn without_password(url: &str) -> String {
    let authority = url.split_once("://").map(|(_, rest)| rest.split('/').next().unwrap_or(rest));
    let secret =
        authority.and_then(|authority| authority.rsplit_once('@')).is_some_and(|(user, _)| user.contains(':')) || url.contains("password=");
    if secret { "${DATABASE_URL}".to_owned() } else { url.to_owned() }
}
