//! OffsetFetch, versions 1 to 10: a group asks how far it has read.
//!
//! 1 offsets from the broker · 2 null asks for all topics, an error for the whole answer · 3 throttle time ·
//! 4 as 3 · 5 leader epochs · 6 flexible · 7 only offsets that no open transaction may change · 8 many groups ·
//! 9 members of the newer group protocol · 10 topic ids in place of names.

use uuid::Uuid;

use crate::kafka::ErrorCode;
use crate::wire::{Str, Wire};

/// Asks for the offsets of a group or, from version 8, of several.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
#[wire(api_key = 9, versions = "1-10", flexible = "6+")]
pub struct OffsetFetchRequest {
    #[wire(versions = "0-7")]
    pub group_id: Str,
    /// Null asks for all.
    #[wire(versions = "0-7", nullable = "2+")]
    pub topics: Option<Vec<OffsetFetchRequestTopic>>,
    #[wire(versions = "8+")]
    pub groups: Vec<OffsetFetchRequestGroup>,
    #[wire(versions = "7+")]
    pub require_stable: bool,
}

/// Partitions of one topic, up to version 7.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct OffsetFetchRequestTopic {
    pub name: Str,
    pub partition_indexes: Vec<i32>,
}

/// A group, from version 8.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct OffsetFetchRequestGroup {
    pub group_id: Str,
    #[wire(versions = "9+", ignorable)]
    pub member_id: Option<Str>,
    #[wire(versions = "9+", default = -1, ignorable)]
    pub member_epoch: i32,
    /// Null asks for all.
    pub topics: Option<Vec<OffsetFetchRequestTopics>>,
}

/// Partitions of one topic, from version 8.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct OffsetFetchRequestTopics {
    #[wire(versions = "0-9", ignorable)]
    pub name: Str,
    #[wire(versions = "10+", ignorable)]
    pub topic_id: Uuid,
    pub partition_indexes: Vec<i32>,
}

/// Stored offsets.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
#[wire(api_key = 9, versions = "1-10", flexible = "6+")]
pub struct OffsetFetchResponse {
    #[wire(versions = "3+", ignorable)]
    pub throttle_time_ms: i32,
    #[wire(versions = "0-7")]
    pub topics: Vec<OffsetFetchResponseTopic>,
    #[wire(versions = "2-7", ignorable)]
    pub error_code: ErrorCode,
    #[wire(versions = "8+")]
    pub groups: Vec<OffsetFetchResponseGroup>,
}

/// Offsets in one topic, up to version 7.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct OffsetFetchResponseTopic {
    pub name: Str,
    pub partitions: Vec<OffsetFetchResponsePartition>,
}

/// The offset in one partition, up to version 7.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct OffsetFetchResponsePartition {
    pub partition_index: i32,
    /// -1 where none is stored.
    pub committed_offset: i64,
    #[wire(versions = "5+", default = -1, ignorable)]
    pub committed_leader_epoch: i32,
    pub metadata: Option<Str>,
    pub error_code: ErrorCode,
}

/// Offsets of one group, from version 8.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct OffsetFetchResponseGroup {
    pub group_id: Str,
    pub topics: Vec<OffsetFetchResponseTopics>,
    pub error_code: ErrorCode,
}

/// Offsets in one topic, from version 8.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct OffsetFetchResponseTopics {
    #[wire(versions = "0-9", ignorable)]
    pub name: Str,
    #[wire(versions = "10+", ignorable)]
    pub topic_id: Uuid,
    pub partitions: Vec<OffsetFetchResponsePartitions>,
}

/// The offset in one partition, from version 8.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct OffsetFetchResponsePartitions {
    pub partition_index: i32,
    /// -1 where none is stored.
    pub committed_offset: i64,
    #[wire(default = -1)]
    pub committed_leader_epoch: i32,
    pub metadata: Option<Str>,
    pub error_code: ErrorCode,
}
