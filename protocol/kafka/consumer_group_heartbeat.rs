//! ConsumerGroupHeartbeat, versions 0 to 1: a member of a group that the broker assigns to (KIP-848) is alive.
//!
//! 0 as it began · 1 patterns of topics, and ids that the member makes for itself.

use uuid::Uuid;

use crate::kafka::ErrorCode;
use crate::wire::{Str, Wire};

/// What a member says; what is null or -1 is as before.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
#[wire(api_key = 68, versions = "0-1", flexible = "0+")]
pub struct ConsumerGroupHeartbeatRequest {
    pub group_id: Str,
    pub member_id: Str,
    /// 0 enters, -1 leaves, -2 leaves for a while.
    pub member_epoch: i32,
    pub instance_id: Option<Str>,
    pub rack_id: Option<Str>,
    #[wire(default = -1)]
    pub rebalance_timeout_ms: i32,
    pub subscribed_topic_names: Option<Vec<Str>>,
    #[wire(versions = "1+")]
    pub subscribed_topic_regex: Option<Str>,
    pub server_assignor: Option<Str>,
    /// What the member has.
    pub topic_partitions: Option<Vec<TopicPartitions>>,
}

/// Partitions of a topic.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct TopicPartitions {
    pub topic_id: Uuid,
    pub partitions: Vec<i32>,
}

/// What a member is told.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
#[wire(api_key = 68, versions = "0-1", flexible = "0+")]
pub struct ConsumerGroupHeartbeatResponse {
    pub throttle_time_ms: i32,
    pub error_code: ErrorCode,
    pub error_message: Option<Str>,
    pub member_id: Option<Str>,
    pub member_epoch: i32,
    pub heartbeat_interval_ms: i32,
    /// Null when it is as before.
    pub assignment: Option<Assignment>,
}

/// What a member is to have.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct Assignment {
    pub topic_partitions: Vec<TopicPartitions>,
}
