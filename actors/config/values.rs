//! The broker's settings as text, each with the place that its value came from.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use super::broker;
use super::definition::Definition;
use super::error::ConfigError;
use super::value::Value;

/// Where a setting's value came from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Source {
    /// The table.
    Default,
    /// A configuration file.
    File(PathBuf),
    /// The environment variable of this name.
    Environment(String),
    /// The command-line flag of this name.
    Flag(String),
    /// The program that the broker runs in.
    Program,
    /// A client, for all brokers, while they ran.
    Cluster,
    /// A client, for this broker, while it ran.
    Node,
}

impl Source {
    /// Whether a client may have changed it a moment ago.
    const fn is_dynamic(&self) -> bool {
        matches!(self, Self::Cluster | Self::Node)
    }
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => write!(formatter, "default"),
            Self::File(path) => write!(formatter, "file {}", path.display()),
            Self::Environment(variable) => write!(formatter, "environment {variable}"),
            Self::Flag(flag) => write!(formatter, "flag {flag}"),
            Self::Program => write!(formatter, "program"),
            Self::Cluster => write!(formatter, "client, for all brokers"),
            Self::Node => write!(formatter, "client, for this broker"),
        }
    }
}

/// The value of one setting.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The setting.
    pub definition: &'static Definition,
    /// The value as it was written; `None` when the setting is not set and has no default.
    pub text: Option<String>,
    /// The value, there whenever the text is.
    pub value: Option<Value>,
    /// Where it came from.
    pub source: Source,
    /// What was set in other places and counts when this is taken back, the nearest first.
    pub behind: Vec<(String, Source)>,
}

/// The values of all settings of the broker.
///
/// Holds: there is an entry for every row of the broker's table, and its value keeps the row's rule.
#[derive(Clone, Debug)]
pub struct Values {
    entries: BTreeMap<&'static str, Entry>,
}

impl Default for Values {
    fn default() -> Self {
        let entries = broker::all().map(|definition| (definition.name, default_entry(definition)));
        Self { entries: entries.collect() }
    }
}

fn default_entry(definition: &'static Definition) -> Entry {
    Entry {
        definition,
        text: definition.default.map(str::to_owned),
        value: definition.default.and_then(|text| definition.parse(text).ok()),
        source: Source::Default,
        behind: Vec::new(),
    }
}

impl Values {
    /// The defaults with some settings changed by the program that the broker runs in.
    ///
    /// # Errors
    /// As [`Values::set`].
    pub fn from_pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, ConfigError> {
        let mut values = Self::default();
        for (name, text) in pairs {
            values.set(name, text, Source::Program)?;
        }
        Ok(values)
    }

    /// Gives the setting called `name` the value `text`, which counts from now on.
    ///
    /// # Errors
    /// There is no such setting, or it cannot have this value; the setting is then unchanged.
    pub fn set(&mut self, name: &str, text: &str, source: Source) -> Result<(), ConfigError> {
        let Some(entry) = self.entries.get_mut(name) else {
            return Err(ConfigError::UnknownSetting { name: name.to_owned(), origin: source });
        };
        match entry.definition.parse(text) {
            Ok(value) => {
                let was = entry.text.replace(text.to_owned());
                entry.value = Some(value);
                // What stood before a start is one place; clients come on top of it.
                let is_on_top = source.is_dynamic();
                let below = std::mem::replace(&mut entry.source, source);
                if let Some(was) = was.filter(|_| is_on_top && below != Source::Default) {
                    entry.behind.insert(0, (was, below));
                }
                Ok(())
            }
            Err(invalid) => Err(ConfigError::InvalidSetting { invalid, origin: source }),
        }
    }

    /// The entry of the setting called `name`.
    pub fn get(&self, name: &str) -> Option<&Entry> {
        self.entries.get(name)
    }

    /// All entries, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }

    /// The text that was set (by anybody, so not a default) for the setting called `name`, or for
    /// the first of its fallbacks that was set, in the units of `name`; and the entry that was set.
    pub fn set_text(&self, name: &str) -> Option<(String, &Entry)> {
        let entry = self.get(name)?;
        if entry.source != Source::Default {
            return Some((entry.text.clone()?, entry));
        }
        entry.definition.fallbacks.iter().find_map(|fallback| {
            let coarse = self.get(fallback.name)?;
            if coarse.source == Source::Default {
                return None;
            }
            let number = coarse.value.as_ref().and_then(Value::number)?;
            let scaled = if number < 0 { -1 } else { number.saturating_mul(fallback.factor) };
            Some((scaled.to_string(), coarse))
        })
    }

    pub(super) fn number(&self, name: &str) -> i64 {
        self.typed(name, Value::number)
    }

    pub(super) fn boolean(&self, name: &str) -> bool {
        self.typed(name, |value| match value {
            Value::Boolean(boolean) => Some(*boolean),
            Value::Int(_) | Value::Long(_) | Value::Double(_) | Value::Text(_) | Value::List(_) => None,
        })
    }

    pub(super) fn text(&self, name: &str) -> &str {
        self.optional_text(name).unwrap_or_default()
    }

    pub(super) fn optional_text(&self, name: &str) -> Option<&str> {
        match self.get(name).and_then(|entry| entry.value.as_ref())? {
            Value::Text(text) => Some(text),
            Value::Boolean(_) | Value::Int(_) | Value::Long(_) | Value::Double(_) | Value::List(_) => None,
        }
    }

    fn typed<T>(&self, name: &str, read: impl Fn(&Value) -> Option<T>) -> T {
        let value = self.get(name).and_then(|entry| entry.value.as_ref()).and_then(read);
        value.unwrap_or_else(|| unreachable!("the table has no {name} of the kind that is read"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_kept_with_its_source() {
        let mut values = Values::default();
        let file = Source::File(PathBuf::from("callboard.toml"));
        values.set("num.partitions", "8", file.clone()).unwrap();
        let entry = values.get("num.partitions").unwrap();
        assert_eq!(entry.text.as_deref(), Some("8"));
        assert_eq!(entry.value, Some(Value::Int(8)));
        assert_eq!(entry.source, file);
    }

    #[test]
    fn what_is_not_set_has_its_default() {
        let values = Values::default();
        assert_eq!(values.get("num.partitions").unwrap().text.as_deref(), Some("4"));
        assert_eq!(values.get("num.partitions").unwrap().source, Source::Default);
        assert_eq!(values.get("broker.rack").unwrap().text, None);
    }

    #[test]
    fn an_unknown_setting_is_refused_with_its_source() {
        let refused = Values::from_pairs([("num.partition", "8")]).unwrap_err();
        assert_eq!(refused.to_string(), "unknown setting num.partition (program)");
    }

    #[test]
    fn an_impossible_value_is_refused_and_changes_nothing() {
        let mut values = Values::default();
        let variable = Source::Environment("CALLBOARD_NUM_PARTITIONS".to_owned());
        let refused = values.set("num.partitions", "0", variable).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "Invalid value 0 for configuration num.partitions: the value must be at least 1 \
             (environment CALLBOARD_NUM_PARTITIONS)"
        );
        assert_eq!(values.number("num.partitions"), 4);
    }

    #[test]
    fn entries_come_sorted() {
        assert!(Values::default().iter().is_sorted_by(|a, b| a.definition.name < b.definition.name));
    }
}
