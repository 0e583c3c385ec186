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
    /// A topic configuration was given without a value.
    #[error("The topic config {name} needs a value, null is not one")]
    NullTopicConfig {
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
