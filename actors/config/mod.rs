//! The typed tables of all settings: what may be configured for a topic, a group or the broker, and what each value means.
//!
//! A table row is a [`Definition`]: name, kind, default, rule and documentation of one setting.
//! [`Values`] holds the broker's settings as text with the place each came from, [`Settings`] the
//! same as plain typed fields; [`TopicConfig`] is the configuration of one topic on top of
//! [`TopicDefaults`], the broker's values for topics that say nothing themselves. What clients
//! change while the broker runs is an [`Alteration`]; it ends up in a [`TopicConfig`] or in the
//! [`Overrides`] that the settings are made of.
//! Nothing here reads a file, a variable or a flag.

mod alteration;
pub mod broker;
mod definition;
mod describe;
mod error;
pub mod group;
mod overrides;
mod rule;
mod settings;
pub mod topic;
mod value;
mod values;

pub use alteration::{Alteration, Edit, Texts};
pub use definition::{Definition, Effect, Fallback, Importance};
pub use describe::{
    Described, Origin, Synonym, describe_broker, describe_cluster, describe_group, describe_topic,
};
pub use error::{ConfigError, Invalid};
pub use group::GroupConfig;
pub use overrides::Overrides;
pub use rule::Rule;
pub use settings::{
    AdvertisedAddress, ConnectionLimits, ConsumerBounds, FetchLimits, GroupSettings, LogFormat, LogSettings,
    Migration, NativeAddress, Settings, StorageSettings, ThreadSettings, TopicRules,
};
pub use topic::{CleanupPolicy, Compression, TimestampType, TopicConfig, TopicDefaults, TopicSettings};
pub use value::{Kind, Value};
pub use values::{Entry, Source, Values};
