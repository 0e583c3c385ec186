//! OffsetCommit, versions 2 to 10: a group stores how far it has read.
//!
//! 2 retention time · 3 throttle time · 4 as 3 · 5 no retention time · 6 leader epochs · 7 static members ·
//! 8 flexible · 9 members of the newer group protocol · 10 topic ids in place of names.

use uuid::Uuid;

use crate::kafka::ErrorCode;
use crate::wire::{Str, Wire};

/// Offsets to store.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
#[wire(api_key = 8, versions = "2-10", flexible = "8+")]
pub struct OffsetCommitRequest {
    pub group_id: Str,
    /// -1 outside of a group's membership.
    #[wire(default = -1)]
    pub generation_id_or_member_epoch: i32,
    pub member_id: Str,
    #[wire(versions = "7+")]
    pub group_instance_id: Option<Str>,
    /// -1 for the broker's default.
    #[wire(versions = "0-4", default = -1, ignorable)]
    pub retention_time_ms: i64,
    pub topics: Vec<OffsetCommitRequestTopic>,
}

/// Offsets in one topic.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct OffsetCommitRequestTopic {
    #[wire(versions = "0-9", ignorable)]
    pub name: Str,
    #[wire(versions = "10+", ignorable)]
    pub topic_id: Uuid,
    pub partitions: Vec<OffsetCommitRequestPartition>,
}

/// The offset in one partition.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct OffsetCommitRequestPartition {
    pub partition_index: i32,
    pub committed_offset: i64,
    #[wire(versions = "6+", default = -1, ignorable)]
    pub committed_leader_epoch: i32,
    pub committed_metadata: Option<Str>,
}

/// Which offsets were stored.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
#[wire(api_key = 8, versions = "2-10", flexible = "8+")]
pub struct OffsetCommitResponse {
    #[wire(versions = "3+", ignorable)]
    pub throttle_time_ms: i32,
    pub topics: Vec<OffsetCommitResponseTopic>,
}

/// Results for one topic.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct OffsetCommitResponseTopic {
    #[wire(versions = "0-9", ignorable)]
    pub name: Str,
    #[wire(versions = "10+", ignorable)]
    pub topic_id: Uuid,
    pub partitions: Vec<OffsetCommitResponsePartition>,
}

/// Whether the offset in one partition was stored.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct OffsetCommitResponsePartition {
    pub partition_index: i32,
    pub error_code: ErrorCode,
}
