//! OffsetForLeaderEpoch, versions 2 to 4: where a leader epoch ended, so that a reader notices that the log was cut.
//!
//! 2 the reader's own leader epoch, for fencing · 3 replica id · 4 flexible.

use crate::kafka::ErrorCode;
use crate::wire::{Str, Wire};

/// Asks where leader epochs ended.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
#[wire(api_key = 23, versions = "2-4", flexible = "4+")]
pub struct OffsetForLeaderEpochRequest {
    /// -1 for a consumer; -2 for one that may see beyond the high watermark.
    #[wire(versions = "3+", default = -2, ignorable)]
    pub replica_id: i32,
    pub topics: Vec<OffsetForLeaderTopic>,
}

/// Partitions of one topic.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct OffsetForLeaderTopic {
    pub topic: Str,
    pub partitions: Vec<OffsetForLeaderPartition>,
}

/// A partition and the epoch asked for.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct OffsetForLeaderPartition {
    pub partition: i32,
    /// The leader epoch that the reader knows, for fencing; -1 for none.
    #[wire(default = -1)]
    pub current_leader_epoch: i32,
    pub leader_epoch: i32,
}

/// Where leader epochs ended.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
#[wire(api_key = 23, versions = "2-4", flexible = "4+")]
pub struct OffsetForLeaderEpochResponse {
    pub throttle_time_ms: i32,
    pub topics: Vec<OffsetForLeaderTopicResult>,
}

/// The answers for one topic.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct OffsetForLeaderTopicResult {
    pub topic: Str,
    pub partitions: Vec<EpochEndOffset>,
}

/// Where the epoch ended in one partition.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct EpochEndOffset {
    pub error_code: ErrorCode,
    pub partition: i32,
    #[wire(default = -1)]
    pub leader_epoch: i32,
    /// -1 for an unknown epoch.
    #[wire(default = -1)]
    pub end_offset: i64,
}
