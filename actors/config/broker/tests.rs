//! Tests of the list of broker settings, and what Apache Kafka 4.3.0 was seen to have.

use std::collections::BTreeSet;

use super::super::topic;
use super::*;

/// Name, kind, default, importance and changeability of each setting in Kafka that is here too.
const KAFKA: &str = "\
auto.create.topics.enable                 Boolean true                High   fixed
broker.rack                               String  null                Medium fixed
compression.gzip.level                    Int     -1                  Medium dynamic
compression.lz4.level                     Int     9                   Medium dynamic
compression.type                          String  producer            High   dynamic
compression.zstd.level                    Int     3                   Medium dynamic
connections.max.idle.ms                   Long    600000              Medium fixed
default.replication.factor                Int     1                   Medium fixed
delete.topic.enable                       Boolean true                High   fixed
fetch.max.bytes                           Int     57671680            Medium fixed
group.consumer.assignment.interval.ms     Int     1000                Medium dynamic
group.consumer.heartbeat.interval.ms      Int     5000                Medium fixed
group.consumer.max.assignment.interval.ms Int     15000               Medium fixed
group.consumer.max.heartbeat.interval.ms  Int     15000               Medium fixed
group.consumer.max.session.timeout.ms     Int     60000               Medium fixed
group.consumer.max.size                   Int     2147483647          Medium fixed
group.consumer.min.assignment.interval.ms Int     0                   Medium fixed
group.consumer.min.heartbeat.interval.ms  Int     5000                Medium fixed
group.consumer.min.session.timeout.ms     Int     45000               Medium fixed
group.consumer.session.timeout.ms         Int     45000               Medium fixed
group.initial.rebalance.delay.ms          Int     3000                Medium fixed
group.max.session.timeout.ms              Int     1800000             Medium fixed
group.max.size                            Int     2147483647          Medium fixed
group.min.session.timeout.ms              Int     6000                Medium fixed
log.cleaner.backoff.ms                    Long    15000               Medium dynamic
log.cleaner.delete.retention.ms           Long    86400000            Medium dynamic
log.cleaner.max.compaction.lag.ms         Long    9223372036854775807 Medium dynamic
log.cleaner.min.cleanable.ratio           Double  0.5                 Medium dynamic
log.cleaner.min.compaction.lag.ms         Long    0                   Medium dynamic
log.cleanup.policy                        List    delete              Medium dynamic
log.flush.interval.messages               Long    9223372036854775807 High   dynamic
log.flush.interval.ms                     Long    null                High   dynamic
log.flush.scheduler.interval.ms           Long    9223372036854775807 High   fixed
log.index.interval.bytes                  Int     4096                Medium dynamic
log.index.size.max.bytes                  Int     10485760            Medium dynamic
log.local.retention.bytes                 Long    -2                  Medium dynamic
log.local.retention.ms                    Long    -2                  Medium dynamic
log.message.timestamp.after.max.ms        Long    3600000             Medium dynamic
log.message.timestamp.before.max.ms       Long    9223372036854775807 Medium dynamic
log.message.timestamp.type                String  CreateTime          Medium dynamic
log.preallocate                           Boolean false               Medium dynamic
log.retention.bytes                       Long    -1                  High   dynamic
log.retention.check.interval.ms           Long    300000              Medium fixed
log.retention.hours                       Int     168                 High   fixed
log.retention.minutes                     Int     null                High   fixed
log.retention.ms                          Long    null                High   dynamic
log.roll.hours                            Int     168                 High   fixed
log.roll.jitter.hours                     Int     0                   High   fixed
log.roll.jitter.ms                        Long    null                High   dynamic
log.roll.ms                               Long    null                High   dynamic
log.segment.bytes                         Int     1073741824          High   dynamic
log.segment.delete.delay.ms               Long    60000               High   dynamic
max.connections                           Int     2147483647          Medium dynamic
max.connections.per.ip                    Int     2147483647          Medium dynamic
max.incremental.fetch.session.cache.slots Int     1000                Medium fixed
message.max.bytes                         Int     1048588             High   dynamic
min.insync.replicas                       Int     1                   High   dynamic
node.id                                   Int     null                High   fixed
num.partitions                            Int     1                   Medium fixed
offset.metadata.max.bytes                 Int     4096                High   fixed
offsets.retention.check.interval.ms       Long    600000              High   fixed
offsets.retention.minutes                 Int     10080               High   fixed
producer.id.expiration.ms                 Int     86400000            Low    dynamic
queued.max.request.bytes                  Long    -1                  Medium fixed
socket.request.max.bytes                  Int     104857600           High   fixed
unclean.leader.election.enable            Boolean false               High   dynamic
";

/// The settings whose default differs from Kafka's: Kafka has 1 partition, no bound on connections
/// or bytes, no number for a broker that is not given one, and lets groups wait.
const OWN_DEFAULTS: [&str; 6] = [
    "num.partitions",
    "max.connections",
    "queued.max.request.bytes",
    "node.id",
    "group.initial.rebalance.delay.ms",
    "group.consumer.assignment.interval.ms",
];

#[test]
fn no_setting_is_there_twice() {
    let names: BTreeSet<_> = all().map(|definition| definition.name).collect();
    assert_eq!(names.len(), all().count());
}

#[test]
fn names_are_lower_case_words_with_dots() {
    for definition in all().chain(topic::table::ALL) {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '.';
        assert!(definition.name.chars().all(plain), "{}", definition.name);
    }
}

#[test]
fn every_row_is_documented_and_accepts_its_default() {
    for definition in all() {
        assert!(definition.documentation.ends_with('.'), "{}", definition.name);
        if let Some(default) = definition.default {
            definition.parse(default).unwrap();
        }
    }
}

#[test]
fn fallbacks_are_settings_without_fallbacks_of_their_own() {
    for fallback in all().flat_map(|definition| definition.fallbacks) {
        assert!(find(fallback.name).unwrap().fallbacks.is_empty(), "{}", fallback.name);
    }
}
#[test]
fn what_kafka_has_too_is_as_in_kafka() {
    for line in KAFKA.lines() {
        let kafka: Vec<&str> = line.split_whitespace().collect();
        let ours = find(kafka[0]).unwrap();
        assert_eq!(format!("{:?}", ours.kind), kafka[1], "{line}");
        let same_default = ours.default.unwrap_or("null") == kafka[2];
        assert_eq!(same_default, !OWN_DEFAULTS.contains(&kafka[0]), "{line}");
        assert_eq!(format!("{:?}", ours.importance), kafka[3], "{line}");
        assert_eq!(ours.read_only, kafka[4] == "fixed", "{line}");
    }
}
