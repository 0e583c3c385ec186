//! What the broker says for all topics that say nothing themselves.

use std::collections::BTreeMap;

use super::super::definition::Definition;
use super::super::error::ConfigError;
use super::super::value::Value;
use super::super::values::Values;
use super::settings::TopicSettings;
use super::{TopicValues, table};

/// One topic setting as the broker has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Inherited {
    /// The value as text.
    pub text: String,
    /// The value.
    pub value: Value,
    /// The broker's setting that was set and gives the value; `None` for the built-in default.
    pub set_by: Option<&'static str>,
}

/// The broker's values of all topic settings.
///
/// Holds: there is one for every row of [`table::ALL`].
#[derive(Clone, Debug, PartialEq)]
pub struct TopicDefaults {
    inherited: BTreeMap<&'static str, Inherited>,
    settings: TopicSettings,
}

impl TopicDefaults {
    /// Takes them from the broker's values: from the synonym of a topic's setting or what stands
    /// behind it, else from the topic table.
    ///
    /// # Errors
    /// A value that fits the broker's setting and not the topic's, or two that cannot stand
    /// together.
    pub fn from_values(values: &Values) -> Result<Self, ConfigError> {
        let mut inherited = BTreeMap::new();
        for definition in table::ALL {
            inherited.insert(definition.name, inherit(definition, values)?);
        }
        let all = values_of(&inherited);
        let settings = TopicSettings::from_values(&all)?;
        settings.check_lags(&all)?;
        Ok(Self { inherited, settings })
    }

    /// What a topic without overrides comes to.
    pub fn settings(&self) -> &TopicSettings {
        &self.settings
    }

    /// The broker's value of the topic setting called `name`.
    pub fn get(&self, name: &str) -> Option<&Inherited> {
        self.inherited.get(name)
    }

    pub(super) fn values(&self) -> TopicValues {
        values_of(&self.inherited)
    }
}

impl Default for TopicDefaults {
    fn default() -> Self {
        match Self::from_values(&Values::default()) {
            Ok(defaults) => defaults,
            Err(error) => unreachable!("the tables contradict themselves: {error}"),
        }
    }
}

fn values_of(inherited: &BTreeMap<&'static str, Inherited>) -> TopicValues {
    inherited.iter().map(|(name, inherited)| (*name, inherited.value.clone())).collect()
}

fn inherit(definition: &Definition, values: &Values) -> Result<Inherited, ConfigError> {
    let set = definition.broker_synonym.and_then(|synonym| values.set_text(synonym));
    let Some((text, entry)) = set else {
        let text = definition.default.unwrap_or_default();
        let value = definition.parse(text)?;
        return Ok(Inherited { text: text.to_owned(), value, set_by: None });
    };
    let value = definition
        .parse(&text)
        .map_err(|invalid| ConfigError::InvalidSetting { invalid, origin: entry.source.clone() })?;
    Ok(Inherited { text, value, set_by: Some(entry.definition.name) })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn defaults(pairs: &[(&str, &str)]) -> Result<TopicDefaults, ConfigError> {
        TopicDefaults::from_values(&Values::from_pairs(pairs.iter().copied())?)
    }

    #[test]
    fn a_synonym_gives_the_value() {
        let defaults = defaults(&[("message.max.bytes", "2000")]).unwrap();
        assert_eq!(defaults.settings().message_bytes_max, 2000);
        let inherited = defaults.get("max.message.bytes").unwrap();
        assert_eq!((inherited.text.as_str(), inherited.set_by), ("2000", Some("message.max.bytes")));
    }

    #[test]
    fn hours_and_minutes_stand_behind_milliseconds() {
        let hours = defaults(&[("log.retention.hours", "2")]).unwrap();
        assert_eq!(hours.settings().retention, Some(Duration::from_secs(2 * 3600)));
        let inherited = hours.get("retention.ms").unwrap();
        assert_eq!(inherited.text, "7200000");
        assert_eq!(inherited.set_by, Some("log.retention.hours"));

        let minutes = [("log.retention.minutes", "3"), ("log.retention.hours", "2")];
        let minutes = defaults(&minutes).unwrap();
        assert_eq!(minutes.settings().retention, Some(Duration::from_secs(180)));

        let millis = [("log.retention.minutes", "3"), ("log.retention.ms", "4")];
        let millis = defaults(&millis).unwrap();
        assert_eq!(millis.settings().retention, Some(Duration::from_millis(4)));
    }

    #[test]
    fn a_coarse_unlimited_is_unlimited() {
        let hours = defaults(&[("log.retention.hours", "-1")]).unwrap();
        assert_eq!(hours.settings().retention, None);
    }

    #[test]
    fn the_most_hours_are_counted_in_milliseconds() {
        let hours = defaults(&[("log.roll.hours", "2147483647")]).unwrap();
        assert_eq!(hours.get("segment.ms").unwrap().text, "7730941129200000");
    }

    #[test]
    fn lags_that_contradict_are_refused() {
        let lags = defaults(&[
            ("log.cleaner.max.compaction.lag.ms", "5"),
            ("log.cleaner.min.compaction.lag.ms", "6"),
        ]);
        assert!(matches!(lags, Err(ConfigError::Conflict { .. })));
    }

    #[test]
    fn every_synonym_is_a_setting_of_the_broker_with_the_same_default() {
        for definition in table::ALL {
            let Some(synonym) = definition.broker_synonym else {
                continue;
            };
            let broker = super::super::super::broker::find(synonym).unwrap();
            if let Some(default) = broker.default {
                assert_eq!(Some(default), definition.default, "{synonym}");
            } else {
                assert!(!broker.fallbacks.is_empty(), "{synonym}");
            }
        }
    }
}
