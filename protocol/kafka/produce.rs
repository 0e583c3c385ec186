//! Produce, versions 3 to 13: a client writes record batches to partitions.
//!
//! 3 transactional id, record format 2 · 4 storage errors · 5 log start offset · 6 as 5 · 7 zstd · 8 errors of
//! single records · 9 flexible · 10 the answer may name the new leader · 11 abortable transaction errors ·
//! 12 writing adds the partition to the transaction · 13 topic ids in place of names.

use uuid::Uuid;

use crate::kafka::ErrorCode;
use crate::wire::{Records, Str, Wire};

/// Record batches for partitions of one or more topics.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
#[wire(api_key = 0, versions = "3-13", flexible = "9+")]
pub struct ProduceRequest {
    pub transactional_id: Option<Str>,
    /// 0: no answer; 1: when the leader has it; -1: when all in-sync replicas have it.
    pub acks: i16,
    pub timeout_ms: i32,
    pub topic_data: Vec<TopicProduceData>,
}

/// The batches for one topic.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct TopicProduceData {
    #[wire(versions = "0-12", ignorable)]
    pub name: Str,
    #[wire(versions = "13+", ignorable)]
    pub topic_id: Uuid,
    pub partition_data: Vec<PartitionProduceData>,
}

/// The batches for one partition.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct PartitionProduceData {
    pub index: i32,
    /// One record batch, unless the client is wrong.
    pub records: Option<Records>,
}

/// What became of each batch; not sent at all when `acks` was 0.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
#[wire(api_key = 0, versions = "3-13", flexible = "9+")]
pub struct ProduceResponse {
    pub responses: Vec<TopicProduceResponse>,
    pub throttle_time_ms: i32,
    #[wire(tag = 0, versions = "10+")]
    pub node_endpoints: Vec<NodeEndpoint>,
}

/// What became of the batches of one topic.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct TopicProduceResponse {
    #[wire(versions = "0-12", ignorable)]
    pub name: Str,
    #[wire(versions = "13+", ignorable)]
    pub topic_id: Uuid,
    pub partition_responses: Vec<PartitionProduceResponse>,
}

/// What became of the batch of one partition.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct PartitionProduceResponse {
    pub index: i32,
    pub error_code: ErrorCode,
    /// The offset that the first record got; -1 with an error.
    pub base_offset: i64,
    /// The time that the broker gave the batch; -1 where producers give times.
    #[wire(default = -1)]
    pub log_append_time_ms: i64,
    #[wire(versions = "5+", default = -1, ignorable)]
    pub log_start_offset: i64,
    #[wire(versions = "8+", ignorable)]
    pub record_errors: Vec<BatchIndexAndErrorMessage>,
    #[wire(versions = "8+", ignorable)]
    pub error_message: Option<Str>,
    #[wire(tag = 0, versions = "10+")]
    pub current_leader: LeaderIdAndEpoch,
}

/// A record because of which its batch was refused.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct BatchIndexAndErrorMessage {
    /// The place of the record in its batch, from 0.
    pub batch_index: i32,
    pub batch_index_error_message: Option<Str>,
}

/// The leader to turn to, where this broker is not it.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct LeaderIdAndEpoch {
    #[wire(default = -1)]
    pub leader_id: i32,
    #[wire(default = -1)]
    pub leader_epoch: i32,
}

/// The address of a leader that a partition names.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct NodeEndpoint {
    pub node_id: i32,
    pub host: Str,
    pub port: i32,
    pub rack: Option<Str>,
}
