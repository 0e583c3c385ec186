//! The one list of everything that can be configured for a topic, as Apache Kafka 4.3.0 has it.
//!
//! Kafka's tests-only `internal.segment.bytes` is absent on purpose.

use super::super::definition::Definition;
use super::{compaction, log_files, messages, replication, retention};

/// All settings of a topic, sorted by name.
pub const ALL: &[Definition] = &[
    retention::CLEANUP_POLICY,
    messages::COMPRESSION_GZIP_LEVEL,
    messages::COMPRESSION_LZ4_LEVEL,
    messages::COMPRESSION_TYPE,
    messages::COMPRESSION_ZSTD_LEVEL,
    compaction::DELETE_RETENTION_MS,
    log_files::FILE_DELETE_DELAY_MS,
    log_files::FLUSH_MESSAGES,
    log_files::FLUSH_MS,
    replication::FOLLOWER_THROTTLED_REPLICAS,
    log_files::INDEX_INTERVAL_BYTES,
    replication::LEADER_THROTTLED_REPLICAS,
    retention::LOCAL_RETENTION_BYTES,
    retention::LOCAL_RETENTION_MS,
    compaction::MAX_COMPACTION_LAG_MS,
    messages::MAX_MESSAGE_BYTES,
    messages::MESSAGE_TIMESTAMP_AFTER_MAX_MS,
    messages::MESSAGE_TIMESTAMP_BEFORE_MAX_MS,
    messages::MESSAGE_TIMESTAMP_TYPE,
    compaction::MIN_CLEANABLE_DIRTY_RATIO,
    compaction::MIN_COMPACTION_LAG_MS,
    replication::MIN_INSYNC_REPLICAS,
    log_files::PREALLOCATE,
    retention::REMOTE_LOG_COPY_DISABLE,
    retention::REMOTE_LOG_DELETE_ON_DISABLE,
    retention::REMOTE_STORAGE_ENABLE,
    retention::RETENTION_BYTES,
    retention::RETENTION_MS,
    log_files::SEGMENT_BYTES,
    log_files::SEGMENT_INDEX_BYTES,
    log_files::SEGMENT_JITTER_MS,
    log_files::SEGMENT_MS,
    replication::UNCLEAN_LEADER_ELECTION_ENABLE,
];

/// The setting called `name`, if a topic has it.
pub fn find(name: &str) -> Option<&'static Definition> {
    let place = ALL.binary_search_by(|definition| definition.name.cmp(name)).ok()?;
    ALL.get(place)
}

#[cfg(test)]
mod tests;
