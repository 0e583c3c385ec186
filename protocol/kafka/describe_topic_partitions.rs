//! DescribeTopicPartitions, version 0: the partitions of topics in pages, for clusters too large for one Metadata answer.

use uuid::Uuid;

use crate::kafka::ErrorCode;
use crate::wire::{Str, Wire};

/// Asks for a page of partitions.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
#[wire(api_key = 75, versions = "0", flexible = "0+")]
pub struct DescribeTopicPartitionsRequest {
    /// None asks for all.
    pub topics: Vec<TopicRequest>,
    #[wire(default = 2000)]
    pub response_partition_limit: i32,
    pub cursor: Option<Cursor>,
}

/// A topic by name.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct TopicRequest {
    pub name: Str,
}

/// The partition with which a page begins.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct Cursor {
    pub topic_name: Str,
    pub partition_index: i32,
}

/// A page of partitions.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
#[wire(api_key = 75, versions = "0", flexible = "0+")]
pub struct DescribeTopicPartitionsResponse {
    pub throttle_time_ms: i32,
    pub topics: Vec<DescribeTopicPartitionsResponseTopic>,
    /// Null on the last page.
    pub next_cursor: Option<Cursor>,
}

/// A topic and those of its partitions that are on this page.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct DescribeTopicPartitionsResponseTopic {
    pub error_code: ErrorCode,
    pub name: Option<Str>,
    pub topic_id: Uuid,
    pub is_internal: bool,
    pub partitions: Vec<DescribeTopicPartitionsResponsePartition>,
    /// Bits of what the client may do; `i32::MIN` when it did not ask.
    #[wire(default = i32::MIN)]
    pub topic_authorized_operations: i32,
}

/// A partition and where its replicas are.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct DescribeTopicPartitionsResponsePartition {
    pub error_code: ErrorCode,
    pub partition_index: i32,
    /// -1 without a leader.
    pub leader_id: i32,
    #[wire(default = -1)]
    pub leader_epoch: i32,
    pub replica_nodes: Vec<i32>,
    pub isr_nodes: Vec<i32>,
    pub eligible_leader_replicas: Option<Vec<i32>>,
    pub last_known_elr: Option<Vec<i32>>,
    pub offline_replicas: Vec<i32>,
}
