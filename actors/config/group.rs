//! The configuration of one group, on top of what the broker says for all.

use std::time::Duration;

use super::alteration::Texts;
use super::definition::Definition;
use super::error::ConfigError;
use super::rule::Rule;
use super::settings::GroupSettings;
use super::value::{Kind, Value};

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
        let assignment_interval = read(&texts, ASSIGNMENT)?;
        let heartbeat_interval = read(&texts, HEARTBEAT)?;
        let session_timeout = read(&texts, SESSION)?;
        if let Some(interval) = assignment_interval {
            broker.consumer_bounds.check_assignment(ASSIGNMENT, interval)?;
        }
        let config = Self { texts, assignment_interval, heartbeat_interval, session_timeout };
        let GroupSettings { consumer_session_timeout, consumer_heartbeat_interval, consumer_bounds, .. } =
            config.apply_to(*broker);
        consumer_bounds
            .check((SESSION, consumer_session_timeout), (HEARTBEAT, consumer_heartbeat_interval))?;
        Ok(config)
    }

    /// What holds for the group where that holds for all.
    #[must_use]
    pub fn apply_to(&self, mut broker: GroupSettings) -> GroupSettings {
        broker.assignment_interval = self.assignment_interval.unwrap_or(broker.assignment_interval);
        broker.consumer_session_timeout = self.session_timeout.unwrap_or(broker.consumer_session_timeout);
        broker.consumer_heartbeat_interval =
            self.heartbeat_interval.unwrap_or(broker.consumer_heartbeat_interval);
        broker
    }

    /// What was said, by its names.
    pub fn texts(&self) -> &Texts {
        &self.texts
    }
}

fn read(texts: &Texts, name: &'static str) -> Result<Option<Duration>, ConfigError> {
    let Some(text) = texts.get(name) else { return Ok(None) };
    let millis = find(name)?.parse(text)?;
    let millis = Value::number(&millis).and_then(|millis| u64::try_from(millis).ok());
    Ok(millis.map(Duration::from_millis))
}
