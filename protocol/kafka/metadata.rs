//! Metadata, versions 0 to 13: which brokers there are, and which of them leads each partition of a topic.
//!
//! 0 names; an empty list asks for all topics · 1 null asks for all, empty for none; racks, controller,
//! internal topics · 2 cluster id · 3 throttle time · 4 the client may forbid auto-creation · 5 offline
//! replicas · 6 as 5 · 7 leader epochs · 8 authorized operations · 9 flexible · 10 topic ids in answers ·
//! 11 cluster operations moved to `DescribeCluster` · 12 topic ids in requests · 13 an error for the whole answer.

use uuid::Uuid;

use crate::kafka::ErrorCode;
use crate::wire::{Str, Wire};

/// Asks for brokers and topics.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
#[wire(api_key = 3, versions = "0-13", flexible = "9+")]
pub struct MetadataRequest {
    /// Null asks for all topics; in version 0, where it cannot be null, an empty list does.
    #[wire(nullable = "1+")]
    pub topics: Option<Vec<MetadataRequestTopic>>,
    #[wire(versions = "4+", default = true)]
    pub allow_auto_topic_creation: bool,
    #[wire(versions = "8-10")]
    pub include_cluster_authorized_operations: bool,
    #[wire(versions = "8+")]
    pub include_topic_authorized_operations: bool,
}

/// A topic by name or, from version 12, by id.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct MetadataRequestTopic {
    #[wire(versions = "10+", ignorable)]
    pub topic_id: Uuid,
    #[wire(nullable = "10+")]
    pub name: Option<Str>,
}

/// Brokers and topics.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
#[wire(api_key = 3, versions = "0-13", flexible = "9+")]
pub struct MetadataResponse {
    #[wire(versions = "3+", ignorable)]
    pub throttle_time_ms: i32,
    pub brokers: Vec<MetadataResponseBroker>,
    #[wire(versions = "2+", ignorable)]
    pub cluster_id: Option<Str>,
    #[wire(versions = "1+", default = -1, ignorable)]
    pub controller_id: i32,
    pub topics: Vec<MetadataResponseTopic>,
    /// Bits of what the client may do; `i32::MIN` when it did not ask.
    #[wire(versions = "8-10", default = i32::MIN)]
    pub cluster_authorized_operations: i32,
    #[wire(versions = "13+", ignorable)]
    pub error_code: ErrorCode,
}

/// A broker and the address at which clients reach it.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct MetadataResponseBroker {
    pub node_id: i32,
    pub host: Str,
    pub port: i32,
    #[wire(versions = "1+", ignorable)]
    pub rack: Option<Str>,
}

/// A topic and its partitions, or why there is no such topic.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct MetadataResponseTopic {
    pub error_code: ErrorCode,
    #[wire(nullable = "12+")]
    pub name: Option<Str>,
    /// All zero where the topic is not known.
    #[wire(versions = "10+", ignorable)]
    pub topic_id: Uuid,
    #[wire(versions = "1+", ignorable)]
    pub is_internal: bool,
    pub partitions: Vec<MetadataResponsePartition>,
    /// Bits of what the client may do; `i32::MIN` when it did not ask.
    #[wire(versions = "8+", default = i32::MIN)]
    pub topic_authorized_operations: i32,
}

/// A partition and where its replicas are.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct MetadataResponsePartition {
    pub error_code: ErrorCode,
    pub partition_index: i32,
    /// -1 without a leader.
    pub leader_id: i32,
    #[wire(versions = "7+", default = -1, ignorable)]
    pub leader_epoch: i32,
    pub replica_nodes: Vec<i32>,
    pub isr_nodes: Vec<i32>,
    #[wire(versions = "5+", ignorable)]
    pub offline_replicas: Vec<i32>,
}
