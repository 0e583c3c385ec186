//! CreateTopics, versions 2 to 7: new topics.
//!
//! 2 errors with a message, throttle time · 3 as 2 · 4 partition count and replication factor may be left to
//! the broker (-1) · 5 flexible, the answer has the configuration · 6 throttling errors · 7 the answer has the topic id.

use uuid::Uuid;

use crate::kafka::ErrorCode;
use crate::wire::{Str, Wire};

/// Topics to create.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
#[wire(api_key = 19, versions = "2-7", flexible = "5+")]
pub struct CreateTopicsRequest {
    pub topics: Vec<CreatableTopic>,
    #[wire(default = 60000)]
    pub timeout_ms: i32,
    pub validate_only: bool,
}

/// A topic to create.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct CreatableTopic {
    pub name: Str,
    /// -1 for the broker's default, or where `assignments` says it.
    pub num_partitions: i32,
    /// -1 for the broker's default, or where `assignments` says it.
    pub replication_factor: i16,
    pub assignments: Vec<CreatableReplicaAssignment>,
    pub configs: Vec<CreatableTopicConfig>,
}

/// Which brokers hold a partition, where the client chooses them.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct CreatableReplicaAssignment {
    pub partition_index: i32,
    pub broker_ids: Vec<i32>,
}

/// A setting of the new topic.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct CreatableTopicConfig {
    pub name: Str,
    pub value: Option<Str>,
}

/// What became of each topic.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
#[wire(api_key = 19, versions = "2-7", flexible = "5+")]
pub struct CreateTopicsResponse {
    pub throttle_time_ms: i32,
    pub topics: Vec<CreatableTopicResult>,
}

/// A topic as it was created, or why it was not.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct CreatableTopicResult {
    pub name: Str,
    #[wire(versions = "7+", ignorable)]
    pub topic_id: Uuid,
    pub error_code: ErrorCode,
    pub error_message: Option<Str>,
    /// Why the configuration is not told.
    #[wire(tag = 0, versions = "5+", ignorable)]
    pub topic_config_error_code: ErrorCode,
    #[wire(versions = "5+", default = -1, ignorable)]
    pub num_partitions: i32,
    #[wire(versions = "5+", default = -1, ignorable)]
    pub replication_factor: i16,
    #[wire(versions = "5+", ignorable)]
    pub configs: Option<Vec<CreatableTopicConfigs>>,
}

/// A setting of the topic as it was created.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct CreatableTopicConfigs {
    pub name: Str,
    pub value: Option<Str>,
    pub read_only: bool,
    /// As in `DescribeConfigs`.
    #[wire(default = -1)]
    pub config_source: i8,
    pub is_sensitive: bool,
}
