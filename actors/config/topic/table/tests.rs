//! Tests of the list of topic settings, and what Apache Kafka 4.3.0 was seen to have.

use super::super::super::definition::Importance;
use super::*;

/// Name, kind, default and broker's synonym of each topic setting in Kafka.
const KAFKA: &str = "\
cleanup.policy                          List    delete              log.cleanup.policy
compression.gzip.level                  Int     -1                  compression.gzip.level
compression.lz4.level                   Int     9                   compression.lz4.level
compression.type                        String  producer            compression.type
compression.zstd.level                  Int     3                   compression.zstd.level
delete.retention.ms                     Long    86400000            log.cleaner.delete.retention.ms
file.delete.delay.ms                    Long    60000               log.segment.delete.delay.ms
flush.messages                          Long    9223372036854775807 log.flush.interval.messages
flush.ms                                Long    9223372036854775807 log.flush.interval.ms
follower.replication.throttled.replicas List    empty               none
index.interval.bytes                    Int     4096                log.index.interval.bytes
leader.replication.throttled.replicas   List    empty               none
local.retention.bytes                   Long    -2                  log.local.retention.bytes
local.retention.ms                      Long    -2                  log.local.retention.ms
max.compaction.lag.ms                   Long    9223372036854775807 log.cleaner.max.compaction.lag.ms
max.message.bytes                       Int     1048588             message.max.bytes
message.timestamp.after.max.ms          Long    3600000             log.message.timestamp.after.max.ms
message.timestamp.before.max.ms         Long    9223372036854775807 log.message.timestamp.before.max.ms
message.timestamp.type                  String  CreateTime          log.message.timestamp.type
min.cleanable.dirty.ratio               Double  0.5                 log.cleaner.min.cleanable.ratio
min.compaction.lag.ms                   Long    0                   log.cleaner.min.compaction.lag.ms
min.insync.replicas                     Int     1                   min.insync.replicas
preallocate                             Boolean false               log.preallocate
remote.log.copy.disable                 Boolean false               none
remote.log.delete.on.disable            Boolean false               none
remote.storage.enable                   Boolean false               none
retention.bytes                         Long    -1                  log.retention.bytes
retention.ms                            Long    604800000           log.retention.ms
segment.bytes                           Int     1073741824          log.segment.bytes
segment.index.bytes                     Int     10485760            log.index.size.max.bytes
segment.jitter.ms                       Long    0                   log.roll.jitter.ms
segment.ms                              Long    604800000           log.roll.ms
unclean.leader.election.enable          Boolean false               unclean.leader.election.enable
";

#[test]
fn the_list_is_kafkas() {
    assert_eq!(KAFKA.lines().count(), ALL.len());
    for (ours, line) in ALL.iter().zip(KAFKA.lines()) {
        let kafka: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(ours.name, kafka[0]);
        assert_eq!(format!("{:?}", ours.kind), kafka[1], "{line}");
        let default = ours.default.unwrap();
        assert_eq!(if default.is_empty() { "empty" } else { default }, kafka[2], "{line}");
        assert_eq!(ours.broker_synonym.unwrap_or("none"), kafka[3], "{line}");
        assert_eq!(ours.importance, Importance::Medium, "{line}");
    }
}

#[test]
fn the_list_is_sorted() {
    assert!(ALL.is_sorted_by(|a, b| a.name < b.name));
}

#[test]
fn every_row_is_documented_and_has_a_default_that_it_accepts() {
    for row in ALL {
        assert!(row.documentation.ends_with('.'), "{}", row.name);
        assert!(!row.read_only && !row.sensitive, "{}", row.name);
        row.parse(row.default.unwrap()).unwrap();
    }
}

#[test]
fn a_row_is_found_by_its_whole_name() {
    assert_eq!(find("retention.ms").unwrap().name, "retention.ms");
    for name in ["", "retention", "log.retention.ms", "Retention.ms"] {
        assert!(find(name).is_none(), "{name}");
    }
}
