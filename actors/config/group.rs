//! The configuration of one group, on top of what the broker says for all.

use std::time::Duration;

use super::alteration::Texts;
use super::definition::Definition;
use super::error::ConfigError;
use super::rule::Rule;
use super::settings::GroupSettings;
use super::value::Kind;

const ASSIGNMENT: &str = "consumer.assignment.interval.ms";
const HEARTBEAT: &str = "consumer.heartbeat.interval.ms";
const SESSION: &str = "consumer.session.timeout.ms";

/// All settings of a group, sorted by name.
pub const ALL: &[Definition] = &[
    Definition::new(ASSIGNMENT, Kind::Int, "0")
        .rule(Rule::AtLeast(0))
        .synonym("group.consumer.assignment.interval.ms")
        .documentation(
            "How many milliseconds lie at least between two assignments, while the broker assigns to \
             the group.",
        ),
    Definition::new(HEARTBEAT, Kind::Int, "5000")
        .rule(Rule::AtLeast(1))
        .synonym("group.consumer.heartbeat.interval.ms")
        .documentation("How often, in milliseconds, members speak while the broker assigns to the group."),
    Definition::new(SESSION, Kind::Int, "45000")
        .rule(Rule::AtLeast(1))
        .synonym("group.consumer.session.timeout.ms")
        .documentation(
            "After how many milliseconds without a sign of life a member is out, while the broker \
             assigns to the group.",
        ),
];

/// The setting called `name`.
///
/// # Errors
/// No group has it.
pub fn find(name: &str) -> Result<&'static Definition, ConfigError> {
    let found = ALL.iter().find(|definition| definition.name == name);
    found.ok_or_else(|| ConfigError::UnknownGroupConfig { name: name.to_owned() })
}

/// What was said for one group.
///
/// Holds: a text is the number that it says, without blanks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupConfig {
    texts: Texts,
    assignment_interval: Option<Duration>,
    heartbeat_interval: Option<Duration>,
    session_timeout: Option<Duration>,
}

impl GroupConfig {
    /// Reads what was said, within the bounds that the broker sets.
    ///
    /// # Errors
    /// An impossible value, or one beyond a bound of the broker.
    pub fn parse(texts: Texts, broker: &GroupSettings) -> Result<Self, ConfigError> {
        let mut config = Self::default();
        for (name, text) in &texts {
            config.put(find(name)?, text)?;
        }
        let bounds = &broker.consumer_bounds;
        if let Some(interval) = config.assignment_interval {
            bounds.check_assignment(ASSIGNMENT, interval)?;
        }
        let session = config.session_timeout.unwrap_or(broker.consumer_session_timeout);
        let heartbeat = config.heartbeat_interval.unwrap_or(broker.consumer_heartbeat_interval);
        bounds.check((SESSION, session), (HEARTBEAT, heartbeat))?;
        Ok(config)
    }

    /// Reads what was possible once; what is beyond a bound of the broker now counts as that bound.
    pub fn restore(configs: Vec<(String, String)>) -> Self {
        let mut config = Self::default();
        for (name, text) in configs {
            let put = find(&name).and_then(|definition| config.put(definition, &text));
            if let Err(error) = put {
                tracing::error!(name, %error, "what a client configured for a group is ignored");
            }
        }
        config
    }

    fn put(&mut self, definition: &'static Definition, text: &str) -> Result<(), ConfigError> {
        let number = definition.parse(text)?.number().unwrap_or_default();
        let time = Some(Duration::from_millis(u64::try_from(number).unwrap_or(0)));
        match definition.name {
            ASSIGNMENT => self.assignment_interval = time,
            HEARTBEAT => self.heartbeat_interval = time,
            _ => self.session_timeout = time,
        }
        self.texts.insert(definition.name, number.to_string());
        Ok(())
    }

    /// What holds for the group where that holds for all.
    #[must_use]
    pub fn apply_to(&self, mut broker: GroupSettings) -> GroupSettings {
        let bounds = broker.consumer_bounds;
        if let Some(interval) = self.assignment_interval {
            broker.assignment_interval =
                interval.min(bounds.assignment_interval_max).max(bounds.assignment_interval_min);
        }
        if let Some(interval) = self.heartbeat_interval {
            broker.consumer_heartbeat_interval =
                interval.min(bounds.heartbeat_interval_max).max(bounds.heartbeat_interval_min);
        }
        if let Some(timeout) = self.session_timeout {
            broker.consumer_session_timeout =
                timeout.min(bounds.session_timeout_max).max(bounds.session_timeout_min);
        }
        broker
    }

    /// What was said, by its names.
    pub fn texts(&self) -> &Texts {
        &self.texts
    }
}

#[cfg(test)]
mod tests {
    use super::super::settings::Settings;
    use super::*;

    #[test]
    fn what_is_beyond_a_bound_that_came_later_counts_as_the_bound_and_is_told_as_it_was() {
        let config = GroupConfig::restore(vec![
            (SESSION.to_owned(), " 3000 ".to_owned()),
            ("gone".into(), "1".into()),
        ]);
        let broker = Settings::default().groups;
        assert_eq!(config.apply_to(*broker).consumer_session_timeout, Duration::from_secs(45));
        assert_eq!(config.texts().get(SESSION).map(String::as_str), Some("3000"));
        assert!(GroupConfig::parse(config.texts().clone(), &broker).is_err());
    }
}
