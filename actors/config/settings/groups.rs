//! The settings of groups of consumers, and the bounds that some keep to each other.

use std::time::Duration;

use super::super::error::ConfigError;
use super::super::values::Values;
use super::{check_order, count, duration, size};

/// How groups of consumers are kept.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct GroupSettings {
    /// How long an empty group waits for more members before its first assignment.
    pub initial_rebalance_delay: Duration,
    /// The shortest session timeout, in milliseconds.
    pub session_timeout_min_ms: i64,
    /// The longest session timeout, in milliseconds.
    pub session_timeout_max_ms: i64,
    /// Members of one group.
    pub members_max: usize,
    /// Groups of the broker.
    pub groups_max: usize,
    /// How long a member may be silent in a group that the broker assigns to.
    pub consumer_session_timeout: Duration,
    /// How often it is to speak there.
    pub consumer_heartbeat_interval: Duration,
    /// Between what those two may be set to, for a group.
    pub consumer_bounds: ConsumerBounds,
    /// Whether groups with members become groups of the other protocol.
    pub migration: Migration,
    /// Members of such a group.
    pub consumer_members_max: usize,
    /// Time between two assignments of such a group.
    pub assignment_interval: Duration,
    /// Characters, as UTF-16 counts them, that a client may write beside an offset.
    pub offset_metadata_max: usize,
    /// After how long an offset of no interest is forgotten.
    pub offset_retention: Duration,
    /// Time between two looks for such offsets.
    pub offset_check_interval: Duration,
}

/// Which groups with members become groups of the other protocol when members of it come.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Migration {
    /// A classic group becomes one that the broker assigns to with the first member that wants it.
    pub upgrade: bool,
    /// A group that the broker assigns to becomes a classic one when only members of that are left.
    pub downgrade: bool,
}

/// Between what the times of members may lie that a broker assigns to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ConsumerBounds {
    /// The shortest session timeout.
    pub session_timeout_min: Duration,
    /// The longest session timeout.
    pub session_timeout_max: Duration,
    /// The shortest time between two heartbeats.
    pub heartbeat_interval_min: Duration,
    /// The longest time between two heartbeats.
    pub heartbeat_interval_max: Duration,
    /// The shortest time between two assignments.
    pub assignment_interval_min: Duration,
    /// The longest time between two assignments.
    pub assignment_interval_max: Duration,
}

impl ConsumerBounds {
    /// Whether the two times are within the bounds, and not too close to each other: who speaks more
    /// seldom than it may be silent is never there.
    ///
    /// # Errors
    /// [`ConfigError::OutOfBounds`] for the settings of those names.
    pub(in crate::config) fn check(
        &self,
        (session, session_timeout): (&'static str, Duration),
        (heartbeat, heartbeat_interval): (&'static str, Duration),
    ) -> Result<(), ConfigError> {
        let refuse = |name, relation, bound| Err(ConfigError::OutOfBounds { name, relation, bound });
        if heartbeat_interval < self.heartbeat_interval_min {
            return refuse(heartbeat, AT_LEAST, "group.consumer.min.heartbeat.interval.ms");
        }
        if heartbeat_interval > self.heartbeat_interval_max {
            return refuse(heartbeat, AT_MOST, "group.consumer.max.heartbeat.interval.ms");
        }
        if session_timeout < self.session_timeout_min {
            return refuse(session, AT_LEAST, "group.consumer.min.session.timeout.ms");
        }
        if session_timeout > self.session_timeout_max {
            return refuse(session, AT_MOST, "group.consumer.max.session.timeout.ms");
        }
        if session_timeout <= heartbeat_interval {
            return refuse(session, "greater than", heartbeat);
        }
        Ok(())
    }

    /// Whether the time between two assignments is within the bounds.
    ///
    /// # Errors
    /// [`ConfigError::OutOfBounds`] for the setting of that name.
    pub(in crate::config) fn check_assignment(
        &self,
        name: &'static str,
        interval: Duration,
    ) -> Result<(), ConfigError> {
        let refuse = |relation, bound| Err(ConfigError::OutOfBounds { name, relation, bound });
        if interval < self.assignment_interval_min {
            return refuse(AT_LEAST, "group.consumer.min.assignment.interval.ms");
        }
        if interval > self.assignment_interval_max {
            return refuse(AT_MOST, "group.consumer.max.assignment.interval.ms");
        }
        Ok(())
    }
}

const AT_LEAST: &str = "greater than or equal to";
const AT_MOST: &str = "less than or equal to";

fn migration(values: &Values) -> Migration {
    let policy = values.text("group.consumer.migration.policy").to_ascii_lowercase();
    let both = policy == "bidirectional";
    Migration { upgrade: both || policy == "upgrade", downgrade: both || policy == "downgrade" }
}

/// Reads them out of the broker's values.
pub(super) fn read(values: &Values) -> Result<GroupSettings, ConfigError> {
    let (interval, session) = ("group.consumer.heartbeat.interval.ms", "group.consumer.session.timeout.ms");
    let consumer_bounds = ConsumerBounds {
        session_timeout_min: duration(values, "group.consumer.min.session.timeout.ms"),
        session_timeout_max: duration(values, "group.consumer.max.session.timeout.ms"),
        heartbeat_interval_min: duration(values, "group.consumer.min.heartbeat.interval.ms"),
        heartbeat_interval_max: duration(values, "group.consumer.max.heartbeat.interval.ms"),
        assignment_interval_min: duration(values, "group.consumer.min.assignment.interval.ms"),
        assignment_interval_max: duration(values, "group.consumer.max.assignment.interval.ms"),
    };
    let consumer_session_timeout = duration(values, session);
    let consumer_heartbeat_interval = duration(values, interval);
    let assignment = "group.consumer.assignment.interval.ms";
    let assignment_interval = duration(values, assignment);
    consumer_bounds.check_assignment(assignment, assignment_interval)?;
    consumer_bounds.check((session, consumer_session_timeout), (interval, consumer_heartbeat_interval))?;
    check_order(values, "group.min.session.timeout.ms", "group.max.session.timeout.ms")?;
    Ok(GroupSettings {
        initial_rebalance_delay: duration(values, "group.initial.rebalance.delay.ms"),
        session_timeout_min_ms: values.number("group.min.session.timeout.ms"),
        session_timeout_max_ms: values.number("group.max.session.timeout.ms"),
        members_max: size(values, "group.max.size"),
        groups_max: size(values, "max.groups"),
        consumer_session_timeout,
        consumer_heartbeat_interval,
        consumer_bounds,
        migration: migration(values),
        consumer_members_max: size(values, "group.consumer.max.size"),
        assignment_interval,
        offset_metadata_max: size(values, "offset.metadata.max.bytes"),
        offset_retention: Duration::from_secs(count(values, "offsets.retention.minutes") * 60),
        offset_check_interval: duration(values, "offsets.retention.check.interval.ms"),
    })
}
