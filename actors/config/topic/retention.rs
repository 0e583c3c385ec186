//! The topic settings that say how long records are kept.

use super::super::definition::Definition;
use super::super::rule::Rule;
use super::super::value::{Kind, Value};

pub(in crate::config) const CLEANUP_POLICY: Definition =
    Definition::new("cleanup.policy", Kind::List, "delete")
        .rule(Rule::ListOf(&["compact", "delete"]))
        .synonym("log.cleanup.policy")
        .not_yet()
        .documentation(
            "How old records leave the log: delete drops them by age and size, compact keeps the \
             last record of each key, and both may be given. An empty list keeps everything.",
        );

pub(in crate::config) const RETENTION_MS: Definition =
    Definition::new("retention.ms", Kind::Long, "604800000")
        .rule(Rule::AtLeast(-1))
        .synonym("log.retention.ms")
        .not_yet()
        .documentation(
            "How many milliseconds a record stays before the delete policy may drop it; -1 stands \
             for no limit.",
        );

pub(in crate::config) const RETENTION_BYTES: Definition =
    Definition::new("retention.bytes", Kind::Long, "-1")
        .synonym("log.retention.bytes")
        .not_yet()
        .documentation(
            "How many bytes one partition may hold before the delete policy drops its oldest \
             records; a negative number stands for no limit.",
        );

pub(in crate::config) const LOCAL_RETENTION_MS: Definition =
    Definition::new("local.retention.ms", Kind::Long, "-2")
        .rule(Rule::AtLeast(-2))
        .synonym("log.local.retention.ms")
        .not_yet()
        .documentation(
            "With tiered storage, how many milliseconds a record stays on the broker's own disk; \
             -2 takes the value of retention.ms.",
        );

pub(in crate::config) const LOCAL_RETENTION_BYTES: Definition =
    Definition::new("local.retention.bytes", Kind::Long, "-2")
        .rule(Rule::AtLeast(-2))
        .synonym("log.local.retention.bytes")
        .not_yet()
        .documentation(
            "With tiered storage, how many bytes of a partition stay on the broker's own disk; -2 \
             takes the value of retention.bytes.",
        );

/// Kafka refuses it too unless its broker was started for tiered storage.
pub(in crate::config) const REMOTE_STORAGE_ENABLE: Definition =
    Definition::new("remote.storage.enable", Kind::Boolean, "false")
        .rule(Rule::Check(no_tiered_storage))
        .documentation(
            "Whether old records move to tiered storage, which this broker does not have: only \
             false is accepted.",
        );

pub(in crate::config) const REMOTE_LOG_COPY_DISABLE: Definition =
    Definition::new("remote.log.copy.disable", Kind::Boolean, "false").not_yet().documentation(
        "Whether a topic with tiered storage stops copying to it, so that what is there can only \
         be read.",
    );

pub(in crate::config) const REMOTE_LOG_DELETE_ON_DISABLE: Definition =
    Definition::new("remote.log.delete.on.disable", Kind::Boolean, "false").not_yet().documentation(
        "Whether what a topic has in tiered storage is deleted when tiered storage is turned \
             off for it.",
    );

fn no_tiered_storage(value: &Value) -> Result<(), &'static str> {
    if *value == Value::Boolean(true) {
        return Err("this broker has no tiered storage");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_may_be_unlimited_but_not_less() {
        assert!(RETENTION_MS.parse("-1").is_ok());
        assert!(RETENTION_MS.parse("-2").is_err());
        assert!(LOCAL_RETENTION_MS.parse("-2").is_ok());
        assert!(LOCAL_RETENTION_MS.parse("-3").is_err());
    }

    #[test]
    fn any_negative_size_is_accepted() {
        assert!(RETENTION_BYTES.parse("-5").is_ok());
    }

    #[test]
    fn tiered_storage_cannot_be_turned_on() {
        assert!(REMOTE_STORAGE_ENABLE.parse("false").is_ok());
        assert!(REMOTE_STORAGE_ENABLE.parse("true").is_err());
    }
}
