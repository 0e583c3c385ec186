//! Fetch, versions 4 to 18: a client, or a following replica, reads record batches of partitions.
//!
//! 4 isolation level, aborted transactions · 5 log start offset · 6 storage errors · 7 fetch sessions ·
//! 8 as 7 · 9 leader epochs · 10 zstd · 11 rack, preferred replica · 12 flexible, last fetched epoch and
//! divergence · 13 topic ids in place of names · 14 tiered storage errors · 15 a follower's state is tagged ·
//! 16 the answer may name the new leader's address · 17 a follower's directory · 18 a follower's high watermark.

use uuid::Uuid;

use crate::kafka::ErrorCode;
use crate::wire::{Records, Str, Wire};

/// Asks for records of partitions, or for what is new in those of a fetch session.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
#[wire(api_key = 1, versions = "4-18", flexible = "12+")]
pub struct FetchRequest {
    #[wire(tag = 0, versions = "12+", ignorable)]
    pub cluster_id: Option<Str>,
    /// -1 for a consumer.
    #[wire(versions = "0-14", default = -1)]
    pub replica_id: i32,
    #[wire(tag = 1, versions = "15+")]
    pub replica_state: ReplicaState,
    pub max_wait_ms: i32,
    /// The answer waits for as much as this, but not longer than `max_wait_ms`.
    pub min_bytes: i32,
    /// For the whole answer; the first batch is sent whole even when it is larger.
    #[wire(default = i32::MAX)]
    pub max_bytes: i32,
    /// 0: all records; 1: committed ones only.
    pub isolation_level: i8,
    /// 0 outside of a session.
    #[wire(versions = "7+", ignorable)]
    pub session_id: i32,
    /// -1 ends a session or does without, 0 begins one, above 0 continues it.
    #[wire(versions = "7+", default = -1, ignorable)]
    pub session_epoch: i32,
    /// In a session that goes on, only what is new or has changed.
    pub topics: Vec<FetchTopic>,
    #[wire(versions = "7+")]
    pub forgotten_topics_data: Vec<ForgottenTopic>,
    #[wire(versions = "11+", ignorable)]
    pub rack_id: Str,
}

/// Who a following replica is.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct ReplicaState {
    /// -1 for a consumer.
    #[wire(default = -1)]
    pub replica_id: i32,
    #[wire(default = -1)]
    pub replica_epoch: i64,
}

/// A topic to read.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct FetchTopic {
    #[wire(versions = "0-12", ignorable)]
    pub topic: Str,
    #[wire(versions = "13+", ignorable)]
    pub topic_id: Uuid,
    pub partitions: Vec<FetchPartition>,
}

/// A partition to read, and from where.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct FetchPartition {
    pub partition: i32,
    /// The leader epoch that the reader knows, for fencing; -1 for none.
    #[wire(versions = "9+", default = -1, ignorable)]
    pub current_leader_epoch: i32,
    pub fetch_offset: i64,
    /// The leader epoch of the last record that the reader has; -1 for none.
    #[wire(versions = "12+", default = -1)]
    pub last_fetched_epoch: i32,
    /// A follower's own; -1 from consumers.
    #[wire(versions = "5+", default = -1, ignorable)]
    pub log_start_offset: i64,
    /// The first batch is sent whole even when it is larger.
    pub partition_max_bytes: i32,
    #[wire(tag = 0, versions = "17+", ignorable)]
    pub replica_directory_id: Uuid,
    /// A follower's own; `i64::MAX` where it does not tell.
    #[wire(tag = 1, versions = "18+", default = i64::MAX, ignorable)]
    pub high_watermark: i64,
}

/// Partitions that leave the fetch session.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct ForgottenTopic {
    #[wire(versions = "0-12", ignorable)]
    pub topic: Str,
    #[wire(versions = "13+", ignorable)]
    pub topic_id: Uuid,
    pub partitions: Vec<i32>,
}

/// Records, or why there are none.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
#[wire(api_key = 1, versions = "4-18", flexible = "12+")]
pub struct FetchResponse {
    pub throttle_time_ms: i32,
    #[wire(versions = "7+", ignorable)]
    pub error_code: ErrorCode,
    /// 0 where there is no session.
    #[wire(versions = "7+")]
    pub session_id: i32,
    pub responses: Vec<FetchableTopicResponse>,
    #[wire(tag = 0, versions = "16+")]
    pub node_endpoints: Vec<NodeEndpoint>,
}

/// Records of one topic.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct FetchableTopicResponse {
    #[wire(versions = "0-12", ignorable)]
    pub topic: Str,
    #[wire(versions = "13+", ignorable)]
    pub topic_id: Uuid,
    pub partitions: Vec<PartitionData>,
}

/// Records of one partition, and where its log begins and ends.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct PartitionData {
    pub partition_index: i32,
    pub error_code: ErrorCode,
    pub high_watermark: i64,
    /// Below it every transaction is decided; -1 with an error.
    #[wire(default = -1)]
    pub last_stable_offset: i64,
    #[wire(versions = "5+", default = -1, ignorable)]
    pub log_start_offset: i64,
    /// Told when the reader's log and this one have parted.
    #[wire(tag = 0, versions = "12+")]
    pub diverging_epoch: EpochEndOffset,
    #[wire(tag = 1, versions = "12+")]
    pub current_leader: LeaderIdAndEpoch,
    #[wire(tag = 2, versions = "12+")]
    pub snapshot_id: SnapshotId,
    /// Told when only committed records were asked for.
    pub aborted_transactions: Option<Vec<AbortedTransaction>>,
    /// A replica that the reader should turn to; -1 for none.
    #[wire(versions = "11+", default = -1)]
    pub preferred_read_replica: i32,
    pub records: Option<Records>,
}

/// The last point at which the log and the reader agree.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct EpochEndOffset {
    #[wire(default = -1)]
    pub epoch: i32,
    /// -1 for an unknown epoch.
    #[wire(default = -1)]
    pub end_offset: i64,
}

/// The leader to turn to, where this broker is not it.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct LeaderIdAndEpoch {
    #[wire(default = -1)]
    pub leader_id: i32,
    #[wire(default = -1)]
    pub leader_epoch: i32,
}

/// The snapshot that a follower is to read in place of the log.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct SnapshotId {
    #[wire(default = -1)]
    pub end_offset: i64,
    #[wire(default = -1)]
    pub epoch: i32,
}

/// A transaction whose records the reader is to drop.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct AbortedTransaction {
    pub producer_id: i64,
    pub first_offset: i64,
}

/// The address of a leader that a partition names.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct NodeEndpoint {
    pub node_id: i32,
    pub host: Str,
    pub port: i32,
    pub rack: Option<Str>,
}
