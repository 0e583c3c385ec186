//! Reads settings from a TOML file, in which dotted keys, quoted keys and tables mean the same.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use callboard_actors::config::{Definition, Kind, Source};
use toml::{Table, Value};

use super::assignment::{Assignment, find};
use super::error::LoadError;

/// The settings in a file that must be there.
pub(super) fn read(path: &Path) -> Result<Vec<Assignment>, LoadError> {
    match std::fs::read_to_string(path) {
        Ok(text) => parse(&text, path),
        Err(error) => Err(LoadError::File { path: path.to_owned(), error }),
    }
}

/// The settings in a file, none when it is not there.
pub(super) fn read_if_there(path: &Path) -> Result<Vec<Assignment>, LoadError> {
    match read(path) {
        Err(LoadError::File { error, .. }) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        result => result,
    }
}

fn parse(text: &str, path: &Path) -> Result<Vec<Assignment>, LoadError> {
    let mut found = Vec::new();
    flatten("", parse_table(text, path)?, &mut found);
    let source = Source::File(path.to_owned());
    let mut seen = BTreeSet::new();
    let mut assignments = Vec::new();
    for (key, value) in found {
        let definition = find(&key, &source)?;
        if !seen.insert(definition.name) {
            return Err(LoadError::Twice { key: definition.name, origin: source });
        }
        let text = text_of(definition, &value, &source)?;
        assignments.push(Assignment::check(definition, text, source.clone())?);
    }
    Ok(assignments)
}

/// `max.connections` and `max.connections.per.ip` are two settings, and to TOML a number and a
/// table of one name. So where a file is refused, it is read once more with its bare keys quoted.
fn parse_table(text: &str, path: &Path) -> Result<Table, LoadError> {
    let error = match text.parse::<Table>() {
        Ok(table) => return Ok(table),
        Err(error) => error,
    };
    let quoted: Vec<String> = text.lines().map(quote_key).collect();
    quoted.join("\n").parse().map_err(|_| syntax_error(&error, text, path))
}

fn syntax_error(error: &toml::de::Error, text: &str, path: &Path) -> LoadError {
    let before = text.bytes().take(error.span().map_or(0, |span| span.start));
    LoadError::Syntax {
        path: path.to_owned(),
        line: before.filter(|byte| *byte == b'\n').count() + 1,
        reason: error.message().replace('\n', ", "),
    }
}

fn quote_key(line: &str) -> String {
    let Some((key, value)) = line.split_once('=') else {
        return line.to_owned();
    };
    let bare = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '.';
    let key = key.trim();
    if key.is_empty() || !key.chars().all(bare) {
        return line.to_owned();
    }
    format!("\"{key}\" ={value}")
}

/// Lists every value with the whole of its key.
fn flatten(prefix: &str, table: Table, found: &mut Vec<(String, Value)>) {
    for (key, value) in table {
        let key = if prefix.is_empty() { key } else { format!("{prefix}.{key}") };
        if let Value::Table(inner) = value {
            flatten(&key, inner, found);
        } else {
            found.push((key, value));
        }
    }
}

/// The value as text, if it is of the TOML type that the setting takes.
///
/// Text is let through for every setting, because the value is read from text next.
fn text_of(definition: &'static Definition, value: &Value, source: &Source) -> Result<String, LoadError> {
    let text = match (definition.kind, value) {
        (_, Value::String(text)) => Some(text.clone()),
        (Kind::Boolean, Value::Boolean(boolean)) => Some(boolean.to_string()),
        (Kind::Int | Kind::Long | Kind::Double, Value::Integer(number)) => Some(number.to_string()),
        (Kind::Double, Value::Float(number)) => Some(number.to_string()),
        (Kind::List, Value::Array(elements)) => list(elements),
        (
            Kind::Boolean
            | Kind::Int
            | Kind::Long
            | Kind::Double
            | Kind::String
            | Kind::List
            | Kind::Class
            | Kind::Password,
            _,
        ) => None,
    };
    text.ok_or_else(|| LoadError::WrongType {
        key: definition.name,
        expected: expected(definition.kind),
        found: value.type_str(),
        origin: source.clone(),
    })
}

fn list(elements: &[Value]) -> Option<String> {
    let texts: Option<Vec<&str>> = elements.iter().map(Value::as_str).collect();
    texts.map(|texts| texts.join(","))
}

fn expected(kind: Kind) -> &'static str {
    match kind {
        Kind::Boolean => "true or false",
        Kind::Int | Kind::Long => "a whole number",
        Kind::Double => "a number",
        Kind::String | Kind::Class | Kind::Password => "text in quotes",
        Kind::List => "a list of texts",
    }
}

#[cfg(test)]
mod tests;
