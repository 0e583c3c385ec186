//! ListOffsets, versions 1 to 11: which offset a partition has at a time, at its start or at its end.
//!
//! 1 one offset a partition · 2 isolation level, throttle time · 3 as 2 · 4 leader epochs · 5 an offset may be
//! not available yet · 6 flexible · 7 the largest timestamp (-3) · 8 earliest local (-4) · 9 last tiered (-5) ·
//! 10 a timeout for tiered storage · 11 earliest that still has to be tiered (-6).

use crate::kafka::ErrorCode;
use crate::wire::{Str, Wire};

/// Asks for one offset of each partition.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
#[wire(api_key = 2, versions = "1-11", flexible = "6+")]
pub struct ListOffsetsRequest {
    /// -1 for a client.
    pub replica_id: i32,
    /// 0: all records; 1: committed ones only.
    #[wire(versions = "2+")]
    pub isolation_level: i8,
    pub topics: Vec<ListOffsetsTopic>,
    #[wire(versions = "10+", ignorable)]
    pub timeout_ms: i32,
}

/// Partitions of one topic.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct ListOffsetsTopic {
    pub name: Str,
    pub partitions: Vec<ListOffsetsPartition>,
}

/// A partition and what is looked for.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct ListOffsetsPartition {
    pub partition_index: i32,
    /// The leader epoch that the client knows, for fencing; -1 for none.
    #[wire(versions = "4+", default = -1, ignorable)]
    pub current_leader_epoch: i32,
    /// In milliseconds; -1 the end, -2 the start, -3 the largest timestamp, -4 the start of what is
    /// local, -5 the end of what is tiered, -6 the start of what still has to be.
    pub timestamp: i64,
}

/// One offset of each partition.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
#[wire(api_key = 2, versions = "1-11", flexible = "6+")]
pub struct ListOffsetsResponse {
    #[wire(versions = "2+", ignorable)]
    pub throttle_time_ms: i32,
    pub topics: Vec<ListOffsetsTopicResponse>,
}

/// Offsets in one topic.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct ListOffsetsTopicResponse {
    pub name: Str,
    pub partitions: Vec<ListOffsetsPartitionResponse>,
}

/// The offset in one partition, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct ListOffsetsPartitionResponse {
    pub partition_index: i32,
    pub error_code: ErrorCode,
    #[wire(default = -1)]
    pub timestamp: i64,
    /// -1 where no record is late enough.
    #[wire(default = -1)]
    pub offset: i64,
    #[wire(versions = "4+", default = -1)]
    pub leader_epoch: i32,
}
