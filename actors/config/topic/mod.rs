//! The configuration of one topic: what was said for it, on top of what the broker says for all.

mod compaction;
mod defaults;
mod log_files;
mod messages;
mod replication;
mod retention;
mod settings;
pub mod table;

use std::collections::BTreeMap;

pub use defaults::{Inherited, TopicDefaults};
pub use settings::{CleanupPolicy, Compression, TimestampType, TopicSettings};

use super::alteration::Texts;
use super::definition::Definition;
use super::error::ConfigError;
use super::value::Value;

/// The broker's constants for the settings that stand behind a topic's.
pub(super) mod definitions {
    pub(in crate::config) use super::compaction::*;
    pub(in crate::config) use super::log_files::*;
    pub(in crate::config) use super::messages::*;
    pub(in crate::config) use super::replication::*;
    pub(in crate::config) use super::retention::*;
}

/// The configuration of one topic.
///
/// Holds: every override is a row of [`table::ALL`] with a value that the row accepts, and
/// [`TopicConfig::settings`] is what overrides and defaults together say.
#[derive(Clone, Debug, PartialEq)]
pub struct TopicConfig {
    overrides: Texts,
    settings: TopicSettings,
}

impl TopicConfig {
    /// The configuration of a topic of which nothing was said.
    pub fn inherited(defaults: &TopicDefaults) -> Self {
        Self { overrides: Texts::new(), settings: defaults.settings().clone() }
    }

    /// Reads a topic's overrides; of a name that comes twice the last value counts.
    ///
    /// # Errors
    /// A name that no topic setting has, a missing or impossible value, or values that cannot
    /// stand together.
    pub fn parse<'a>(
        overrides: impl IntoIterator<Item = (&'a str, Option<&'a str>)>,
        defaults: &TopicDefaults,
    ) -> Result<Self, ConfigError> {
        let mut texts = Texts::new();
        for (name, value) in overrides {
            let definition = find(name)?;
            let missing = || ConfigError::NullConfig { name: name.to_owned() };
            texts.insert(definition.name, value.ok_or_else(missing)?.to_owned());
        }
        Self::from_texts(texts, defaults)
    }

    /// Reads overrides whose names are known.
    ///
    /// # Errors
    /// An impossible value, or values that cannot stand together.
    pub fn from_texts(texts: Texts, defaults: &TopicDefaults) -> Result<Self, ConfigError> {
        if texts.is_empty() {
            return Ok(Self::inherited(defaults));
        }
        let mut values = defaults.values();
        for (name, text) in &texts {
            values.insert(name, find(name)?.parse(text)?);
        }
        let settings = TopicSettings::from_values(&values)?;
        settings.check_lags(&values)?;
        Ok(Self { overrides: texts, settings })
    }

    /// Reads overrides that could be once. What cannot be any more, since other values changed, is kept
    /// and has no effect; a setting that is not known any more is not kept.
    pub fn restore<'a>(
        overrides: impl IntoIterator<Item = (&'a str, &'a str)>,
        defaults: &TopicDefaults,
    ) -> Self {
        let mut texts = Texts::new();
        let mut values = defaults.values();
        for (name, text) in overrides {
            let Ok(definition) = find(name) else { continue };
            if let Ok(value) = definition.parse(text) {
                values.insert(definition.name, value);
            }
            texts.insert(definition.name, text.to_owned());
        }
        let settings = TopicSettings::from_values(&values).unwrap_or_else(|_| defaults.settings().clone());
        Self { overrides: texts, settings }
    }

    /// What the topic's configuration comes to.
    pub fn settings(&self) -> &TopicSettings {
        &self.settings
    }

    /// What was said for this topic, as it was written.
    pub fn overrides(&self) -> &Texts {
        &self.overrides
    }

    /// What was said for this topic about the setting called `name`.
    pub fn override_of(&self, name: &str) -> Option<&str> {
        self.overrides.get(name).map(String::as_str)
    }
}

/// The setting called `name`.
///
/// # Errors
/// No topic has it.
pub fn find(name: &str) -> Result<&'static Definition, ConfigError> {
    table::find(name).ok_or_else(|| ConfigError::UnknownTopicConfig { name: name.to_owned() })
}

/// All values of a topic's settings by name.
type TopicValues = BTreeMap<&'static str, Value>;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::values::Values;
    use super::*;

    fn parse(overrides: &[(&str, &str)]) -> Result<TopicConfig, ConfigError> {
        let overrides = overrides.iter().map(|(name, value)| (*name, Some(*value)));
        TopicConfig::parse(overrides, &TopicDefaults::default())
    }

    #[test]
    fn an_override_counts_and_the_rest_is_inherited() {
        let topic = parse(&[("retention.ms", "5000"), ("cleanup.policy", "compact,delete")]).unwrap();
        assert_eq!(topic.settings().retention, Some(Duration::from_secs(5)));
        assert_eq!(topic.settings().cleanup, CleanupPolicy { compact: true, delete: true });
        assert_eq!(topic.settings().message_bytes_max, 1_048_588);
        assert_eq!(topic.override_of("retention.ms"), Some("5000"));
        assert_eq!(topic.override_of("retention.bytes"), None);
    }

    #[test]
    fn overrides_are_kept_as_they_were_written_and_sorted() {
        let topic = parse(&[("segment.ms", " 7 "), ("preallocate", "TRUE")]).unwrap();
        let overrides: Vec<_> = topic.overrides().iter().collect();
        assert_eq!(overrides, [(&"preallocate", &"TRUE".to_owned()), (&"segment.ms", &" 7 ".to_owned())]);
    }

    #[test]
    fn of_a_name_that_comes_twice_the_last_value_counts() {
        let topic = parse(&[("retention.ms", "5"), ("retention.ms", "6")]).unwrap();
        assert_eq!(topic.override_of("retention.ms"), Some("6"));
    }

    #[test]
    fn an_unknown_name_is_refused() {
        for name in ["no.such", "", "message.format.version", "log.retention.ms"] {
            let said = parse(&[(name, "1")]).unwrap_err().to_string();
            assert_eq!(said, format!("Unknown topic config name: {name}"));
        }
    }

    #[test]
    fn a_missing_value_is_refused() {
        let refused = TopicConfig::parse([("retention.ms", None)], &TopicDefaults::default());
        assert_eq!(refused.unwrap_err(), ConfigError::NullConfig { name: "retention.ms".to_owned() });
    }

    #[test]
    fn an_impossible_value_is_refused_with_name_value_and_reason() {
        let said = parse(&[("segment.bytes", "100")]).unwrap_err().to_string();
        assert_eq!(
            said,
            "Invalid value 100 for configuration segment.bytes: the value must be at least 1048576"
        );
    }

    #[test]
    fn a_lag_cannot_be_longer_at_least_than_at_most() {
        let said = parse(&[("min.compaction.lag.ms", "100"), ("max.compaction.lag.ms", "50")]);
        assert_eq!(
            said.unwrap_err().to_string(),
            "min.compaction.lag.ms (100) must not be larger than max.compaction.lag.ms (50)"
        );
        parse(&[("min.compaction.lag.ms", "50"), ("max.compaction.lag.ms", "50")]).unwrap();
    }

    #[test]
    fn what_cannot_be_any_more_is_kept_and_has_no_effect() {
        let values = Values::from_pairs([("log.cleaner.min.compaction.lag.ms", "7000")]).unwrap();
        let defaults = TopicDefaults::from_values(&values).unwrap();
        let said =
            [("max.compaction.lag.ms", "5000"), ("flush.ms", "never"), ("segment.ms", "9"), ("gone", "1")];
        let topic = TopicConfig::restore(said, &defaults);
        assert_eq!(topic.settings().segment_age_max, Duration::from_millis(9));
        assert_eq!(topic.settings().compaction_lag_max, Duration::from_secs(5));
        let names: Vec<_> = topic.overrides().keys().copied().collect();
        assert_eq!(names, ["flush.ms", "max.compaction.lag.ms", "segment.ms"]);
    }

    #[test]
    fn a_topic_without_overrides_is_the_inherited_one() {
        let defaults = TopicDefaults::default();
        assert_eq!(parse(&[]).unwrap(), TopicConfig::inherited(&defaults));
    }
}
