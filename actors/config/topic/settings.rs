//! What the configuration of a topic comes to, as plain typed fields.

use std::time::Duration;

use super::super::error::ConfigError;
use super::super::value::Value;
use super::TopicValues;

/// Whose clock a record's timestamp is from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TimestampType {
    /// The producer's.
    CreateTime,
    /// The broker's, put in when the batch is appended.
    LogAppendTime,
}

/// How old records leave the log; neither means that they stay.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CleanupPolicy {
    /// The last record of each key stays.
    pub compact: bool,
    /// Age and size drop records.
    pub delete: bool,
}

/// The compression that a topic's batches are stored with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Compression {
    /// Whatever the producer chose.
    Producer,
    /// None.
    Uncompressed,
    /// gzip at a level, -1 for its own default.
    Gzip(i32),
    /// snappy.
    Snappy,
    /// lz4 at a level.
    Lz4(i32),
    /// zstd at a level.
    Zstd(i32),
}

/// The settings of one topic. `None` stands for no limit.
#[derive(Clone, Debug, PartialEq)]
pub struct TopicSettings {
    /// The largest batch, in bytes as it was sent.
    pub message_bytes_max: u32,
    /// Whose clock timestamps are from.
    pub timestamp_type: TimestampType,
    /// How far a producer's timestamp may lie before the broker's clock.
    pub timestamp_before_max: Duration,
    /// How far a producer's timestamp may lie after the broker's clock.
    pub timestamp_after_max: Duration,
    /// Replicas that must have a record for acks=all; at least 1.
    pub insync_replicas_min: u32,
    /// How old records leave the log.
    pub cleanup: CleanupPolicy,
    /// How long a record stays.
    pub retention: Option<Duration>,
    /// How many bytes a partition may hold.
    pub retention_bytes: Option<u64>,
    /// How many bytes a part of the log holds; at least 1 MiB.
    pub segment_bytes: u32,
    /// After how long a new part of the log begins.
    pub segment_age_max: Duration,
    /// How long a deleted key is remembered by compaction.
    pub delete_retention: Duration,
    /// How long a record is safe from compaction.
    pub compaction_lag_min: Duration,
    /// How long a record may stay without compaction.
    pub compaction_lag_max: Duration,
    /// The share of new records, 0 to 1, that makes compaction worth while.
    pub cleanable_ratio_min: f64,
    /// The compression that batches are stored with.
    pub compression: Compression,
}

impl TopicSettings {
    /// Reads the fields out of all of a topic's values.
    pub(super) fn from_values(values: &TopicValues) -> Result<Self, ConfigError> {
        Ok(Self {
            message_bytes_max: number(values, "max.message.bytes")? as u32,
            timestamp_type: timestamp_type(values)?,
            timestamp_before_max: duration(values, "message.timestamp.before.max.ms")?,
            timestamp_after_max: duration(values, "message.timestamp.after.max.ms")?,
            insync_replicas_min: number(values, "min.insync.replicas")? as u32,
            cleanup: cleanup(values)?,
            retention: limit(number(values, "retention.ms")?).map(Duration::from_millis),
            retention_bytes: limit(number(values, "retention.bytes")?),
            segment_bytes: number(values, "segment.bytes")? as u32,
            segment_age_max: duration(values, "segment.ms")?,
            delete_retention: duration(values, "delete.retention.ms")?,
            compaction_lag_min: duration(values, "min.compaction.lag.ms")?,
            compaction_lag_max: duration(values, "max.compaction.lag.ms")?,
            cleanable_ratio_min: ratio(values, "min.cleanable.dirty.ratio")?,
            compression: compression(values)?,
        })
    }

    /// A lag cannot be longer at least than at most.
    pub(super) fn check_lags(&self, values: &TopicValues) -> Result<(), ConfigError> {
        if self.compaction_lag_min <= self.compaction_lag_max {
            return Ok(());
        }
        let (smaller, larger) = ("min.compaction.lag.ms", "max.compaction.lag.ms");
        Err(ConfigError::Conflict {
            smaller,
            smaller_value: number(values, smaller)?,
            larger,
            larger_value: number(values, larger)?,
        })
    }
}

/// The limit that a number states, a negative one stating that there is none.
fn limit(number: i64) -> Option<u64> {
    u64::try_from(number).ok()
}

fn number(values: &TopicValues, name: &str) -> Result<i64, ConfigError> {
    value(values, name, Value::number)
}

fn duration(values: &TopicValues, name: &str) -> Result<Duration, ConfigError> {
    number(values, name).map(|millis| Duration::from_millis(limit(millis).unwrap_or(0)))
}

fn ratio(values: &TopicValues, name: &str) -> Result<f64, ConfigError> {
    value(values, name, |value| match value {
        Value::Double(ratio) => Some(*ratio),
        Value::Boolean(_) | Value::Int(_) | Value::Long(_) | Value::Text(_) | Value::List(_) => None,
    })
}

fn text(values: &TopicValues, name: &str) -> Result<String, ConfigError> {
    value(values, name, |value| match value {
        Value::Text(text) => Some(text.clone()),
        Value::Boolean(_) | Value::Int(_) | Value::Long(_) | Value::Double(_) | Value::List(_) => None,
    })
}

fn timestamp_type(values: &TopicValues) -> Result<TimestampType, ConfigError> {
    let name = text(values, "message.timestamp.type")?;
    Ok(if name == "LogAppendTime" { TimestampType::LogAppendTime } else { TimestampType::CreateTime })
}

fn cleanup(values: &TopicValues) -> Result<CleanupPolicy, ConfigError> {
    let has = |list: &[String], word: &str| list.iter().any(|element| element == word);
    value(values, "cleanup.policy", |value| match value {
        Value::List(list) => {
            Some(CleanupPolicy { compact: has(list, "compact"), delete: has(list, "delete") })
        }
        Value::Boolean(_) | Value::Int(_) | Value::Long(_) | Value::Double(_) | Value::Text(_) => None,
    })
}

fn compression(values: &TopicValues) -> Result<Compression, ConfigError> {
    let level = |name| number(values, name).map(|level| level as i32);
    Ok(match text(values, "compression.type")?.as_str() {
        "uncompressed" => Compression::Uncompressed,
        "gzip" => Compression::Gzip(level("compression.gzip.level")?),
        "snappy" => Compression::Snappy,
        "lz4" => Compression::Lz4(level("compression.lz4.level")?),
        "zstd" => Compression::Zstd(level("compression.zstd.level")?),
        _ => Compression::Producer,
    })
}

/// The value called `name`, which the table makes sure is there and of the kind that `read` reads.
fn value<T>(values: &TopicValues, name: &str, read: impl Fn(&Value) -> Option<T>) -> Result<T, ConfigError> {
    let unknown = || ConfigError::UnknownTopicConfig { name: name.to_owned() };
    values.get(name).and_then(read).ok_or_else(unknown)
}

#[cfg(test)]
mod tests {
    use super::super::{TopicConfig, TopicDefaults};
    use super::*;

    fn settings(overrides: &[(&str, &str)]) -> TopicSettings {
        let overrides = overrides.iter().map(|(name, value)| (*name, Some(*value)));
        let topic = TopicConfig::parse(overrides, &TopicDefaults::default()).unwrap();
        topic.settings().clone()
    }

    #[test]
    fn a_negative_limit_is_none() {
        let settings = settings(&[("retention.ms", "-1"), ("retention.bytes", "-5")]);
        assert_eq!(settings.retention, None);
        assert_eq!(settings.retention_bytes, None);
    }

    #[test]
    fn the_timestamp_type_is_one_of_two() {
        let own = settings(&[("message.timestamp.type", "LogAppendTime")]);
        assert_eq!(own.timestamp_type, TimestampType::LogAppendTime);
        assert_eq!(settings(&[]).timestamp_type, TimestampType::CreateTime);
    }

    #[test]
    fn compression_carries_its_level() {
        let zstd = settings(&[("compression.type", "zstd"), ("compression.zstd.level", "-7")]);
        assert_eq!(zstd.compression, Compression::Zstd(-7));
        assert_eq!(settings(&[]).compression, Compression::Producer);
        let gzip = settings(&[("compression.type", " gzip ")]);
        assert_eq!(gzip.compression, Compression::Gzip(-1));
    }

    #[test]
    fn an_empty_policy_keeps_everything() {
        let none = CleanupPolicy { compact: false, delete: false };
        assert_eq!(settings(&[("cleanup.policy", "")]).cleanup, none);
    }

    #[test]
    fn the_defaults_are_kafkas() {
        let settings = settings(&[]);
        assert_eq!(settings.retention, Some(Duration::from_secs(168 * 3600)));
        assert_eq!(settings.segment_bytes, 1 << 30);
        assert_eq!(settings.timestamp_after_max, Duration::from_secs(3600));
        assert_eq!(settings.insync_replicas_min, 1);
        assert_eq!(settings.cleanup, CleanupPolicy { compact: false, delete: true });
    }
}
