//! What can be wrong with a configuration, as sentences for the person who wrote it.

use std::fmt;

use thiserror::Error;

use super::values::Source;

/// One value that its setting cannot have.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Invalid {
    /// The setting.
    pub name: &'static str,
    /// The value as it was written; hidden when the setting is sensitive.
    pub value: String,
    /// Why it cannot be, for instance "the value must be at least 1".
    pub reason: String,
}

impl fmt::Display for Invalid {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, value, reason } = self;
        write!(formatter, "Invalid value {value} for configuration {name}: {reason}")
    }
}

/// A configuration that is refused; a Kafka client sees it as `INVALID_CONFIG`.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum ConfigError {
    /// No topic configuration has this name.
    #[error("Unknown topic config name: {name}")]
    UnknownTopicConfig {
        /// The name that was asked for.
        name: String,
    },
    /// No group configuration has this name.
    #[error("Unknown group config name: {name}")]
    UnknownGroupConfig {
        /// The name that was asked for.
        name: String,
    },
    /// No configuration of brokers has this name.
    #[error("Unknown broker config name: {name}")]
    UnknownBrokerConfig {
        /// The name that was asked for.
        name: String,
    },
    /// A configuration was given without a value.
    #[error("The config {name} needs a value, null is not one")]
    NullConfig {
        /// The configuration.
        name: String,
    },
    /// Elements for a configuration that is no list.
    #[error("Can't {operation} to key {name} because its type is not LIST.")]
    NotAList {
        /// APPEND or SUBTRACT.
        operation: &'static str,
        /// The configuration.
        name: String,
    },
    /// The broker has no setting of this name.
    #[error("unknown setting {name} ({origin})")]
    UnknownSetting {
        /// The name that was asked for.
        name: String,
        /// Who asked for it.
        origin: Source,
    },
    /// A topic's value that its configuration cannot have.
    #[error("{0}")]
    Invalid(Invalid),
    /// A broker's value that its setting cannot have.
    #[error("{invalid} ({origin})")]
    InvalidSetting {
        /// What is wrong.
        invalid: Invalid,
        /// Where the value comes from.
        origin: Source,
    },
    /// A value that no answer could tell.
    #[error("The value of {name} cannot be added because it exceeds the maximum value size of 32767 bytes.")]
    TooLong {
        /// The configuration.
        name: &'static str,
    },
    /// A value beyond another one that bounds it.
    #[error("{name} must be {relation} {bound}")]
    OutOfBounds {
        /// The setting.
        name: &'static str,
        /// How it must stand to the other.
        relation: &'static str,
        /// The setting that bounds it.
        bound: &'static str,
    },
    /// Two values that are fine alone and cannot stand together.
    #[error("{smaller} ({smaller_value}) must not be larger than {larger} ({larger_value})")]
    Conflict {
        /// The setting that must be the smaller one.
        smaller: &'static str,
        /// Its value.
        smaller_value: i64,
        /// The setting that must be the larger one.
        larger: &'static str,
        /// Its value.
        larger_value: i64,
    },
}

impl From<Invalid> for ConfigError {
    fn from(invalid: Invalid) -> Self {
        Self::Invalid(invalid)
    }
}
