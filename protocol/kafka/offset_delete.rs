//! OffsetDelete, version 0: a group forgets how far it has read in some partitions.

use crate::kafka::ErrorCode;
use crate::wire::{Str, Wire};

/// Offsets to forget.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
#[wire(api_key = 47, versions = "0")]
pub struct OffsetDeleteRequest {
    pub group_id: Str,
    pub topics: Vec<OffsetDeleteRequestTopic>,
}

/// Partitions of one topic.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct OffsetDeleteRequestTopic {
    pub name: Str,
    pub partitions: Vec<OffsetDeleteRequestPartition>,
}

/// A partition.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct OffsetDeleteRequestPartition {
    pub partition_index: i32,
}

/// Which offsets were forgotten.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
#[wire(api_key = 47, versions = "0")]
pub struct OffsetDeleteResponse {
    pub error_code: ErrorCode,
    pub throttle_time_ms: i32,
    pub topics: Vec<OffsetDeleteResponseTopic>,
}

/// Results for one topic.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct OffsetDeleteResponseTopic {
    pub name: Str,
    pub partitions: Vec<OffsetDeleteResponsePartition>,
}

/// Whether the offset in one partition was forgotten.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct OffsetDeleteResponsePartition {
    pub partition_index: i32,
    pub error_code: ErrorCode,
}
