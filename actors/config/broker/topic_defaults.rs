//! The broker's settings that stand behind the settings of topics that say nothing themselves.

use super::super::definition::{Definition, Fallback, Importance};
use super::super::rule::Rule;
use super::super::topic::definitions as topic;
use super::super::value::Kind;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;

/// Kafka refuses a broker's retention of nothing, though a topic may have it.
const RETENTION: Rule = Rule::BetweenOr(1, i64::MAX, -1);

pub(super) const ALL: &[Definition] = &[
    topic::MAX_MESSAGE_BYTES.for_broker("message.max.bytes").importance(Importance::High),
    topic::MIN_INSYNC_REPLICAS.for_broker("min.insync.replicas").importance(Importance::High),
    topic::UNCLEAN_LEADER_ELECTION_ENABLE
        .for_broker("unclean.leader.election.enable")
        .importance(Importance::High),
    topic::COMPRESSION_TYPE.for_broker("compression.type").importance(Importance::High),
    topic::COMPRESSION_GZIP_LEVEL.for_broker("compression.gzip.level"),
    topic::COMPRESSION_LZ4_LEVEL.for_broker("compression.lz4.level"),
    topic::COMPRESSION_ZSTD_LEVEL.for_broker("compression.zstd.level"),
    topic::CLEANUP_POLICY.for_broker("log.cleanup.policy"),
    topic::RETENTION_BYTES.for_broker("log.retention.bytes").importance(Importance::High),
    topic::RETENTION_MS.for_broker("log.retention.ms").rule(RETENTION).importance(Importance::High).unset(&[
        Fallback { name: "log.retention.minutes", factor: MINUTE_MS },
        Fallback { name: "log.retention.hours", factor: HOUR_MS },
    ]),
    Definition::new("log.retention.minutes", Kind::Int, "")
        .rule(RETENTION)
        .importance(Importance::High)
        .unset(&[])
        .not_yet()
        .read_only()
        .documentation("How many minutes a record stays when log.retention.ms does not say."),
    Definition::new("log.retention.hours", Kind::Int, "168")
        .rule(RETENTION)
        .importance(Importance::High)
        .not_yet()
        .read_only()
        .documentation("How many hours a record stays when log.retention.minutes does not say."),
    topic::LOCAL_RETENTION_MS.for_broker("log.local.retention.ms"),
    topic::LOCAL_RETENTION_BYTES.for_broker("log.local.retention.bytes"),
    topic::SEGMENT_BYTES.for_broker("log.segment.bytes").importance(Importance::High),
    topic::FILE_DELETE_DELAY_MS.for_broker("log.segment.delete.delay.ms").importance(Importance::High),
    topic::SEGMENT_MS
        .for_broker("log.roll.ms")
        .importance(Importance::High)
        .unset(&[Fallback { name: "log.roll.hours", factor: HOUR_MS }]),
    Definition::new("log.roll.hours", Kind::Int, "168")
        .rule(Rule::AtLeast(1))
        .importance(Importance::High)
        .not_yet()
        .read_only()
        .documentation("After how many hours a log begins a new part when log.roll.ms does not say."),
    topic::SEGMENT_JITTER_MS
        .for_broker("log.roll.jitter.ms")
        .importance(Importance::High)
        .unset(&[Fallback { name: "log.roll.jitter.hours", factor: HOUR_MS }]),
    Definition::new("log.roll.jitter.hours", Kind::Int, "0")
        .rule(Rule::AtLeast(0))
        .importance(Importance::High)
        .not_yet()
        .read_only()
        .documentation(
            "Up to how many hours are taken off log.roll.hours by chance when log.roll.jitter.ms \
             does not say.",
        ),
    topic::SEGMENT_INDEX_BYTES.for_broker("log.index.size.max.bytes"),
    topic::INDEX_INTERVAL_BYTES.for_broker("log.index.interval.bytes"),
    topic::FLUSH_MESSAGES.for_broker("log.flush.interval.messages").importance(Importance::High),
    topic::FLUSH_MS
        .for_broker("log.flush.interval.ms")
        .importance(Importance::High)
        .unset(&[Fallback { name: "log.flush.scheduler.interval.ms", factor: 1 }]),
    topic::FLUSH_MS
        .for_broker("log.flush.scheduler.interval.ms")
        .importance(Importance::High)
        .read_only()
        .documentation("Stands behind log.flush.interval.ms, in milliseconds."),
    topic::PREALLOCATE.for_broker("log.preallocate"),
    topic::MESSAGE_TIMESTAMP_TYPE.for_broker("log.message.timestamp.type"),
    topic::MESSAGE_TIMESTAMP_BEFORE_MAX_MS.for_broker("log.message.timestamp.before.max.ms"),
    topic::MESSAGE_TIMESTAMP_AFTER_MAX_MS.for_broker("log.message.timestamp.after.max.ms"),
    topic::DELETE_RETENTION_MS.for_broker("log.cleaner.delete.retention.ms"),
    topic::MIN_COMPACTION_LAG_MS.for_broker("log.cleaner.min.compaction.lag.ms"),
    topic::MAX_COMPACTION_LAG_MS.for_broker("log.cleaner.max.compaction.lag.ms"),
    topic::MIN_CLEANABLE_DIRTY_RATIO.for_broker("log.cleaner.min.cleanable.ratio"),
];

#[cfg(test)]
mod tests {
    use super::super::find;

    #[test]
    fn a_broker_keeps_records_for_some_time_or_for_ever() {
        for name in ["log.retention.ms", "log.retention.minutes", "log.retention.hours"] {
            let definition = find(name).unwrap();
            assert!(definition.parse("0").is_err(), "{name}");
            assert!(definition.parse("1").is_ok(), "{name}");
            assert!(definition.parse("-1").is_ok(), "{name}");
        }
    }
}
