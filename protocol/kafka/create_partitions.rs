//! CreatePartitions, versions 0 to 3: existing topics get more partitions.
//!
//! 0 and 1 are alike · 2 flexible · 3 throttling errors.

use crate::kafka::ErrorCode;
use crate::wire::{Str, Wire};

/// Topics that are to grow.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
#[wire(api_key = 37, versions = "0-3", flexible = "2+")]
pub struct CreatePartitionsRequest {
    pub topics: Vec<CreatePartitionsTopic>,
    pub timeout_ms: i32,
    pub validate_only: bool,
}

/// A topic that is to grow.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct CreatePartitionsTopic {
    pub name: Str,
    /// The new number of all partitions, not of those to be added.
    pub count: i32,
    /// One for each new partition; null leaves it to the broker.
    pub assignments: Option<Vec<CreatePartitionsAssignment>>,
}

/// Which brokers hold a new partition, the leader first.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct CreatePartitionsAssignment {
    pub broker_ids: Vec<i32>,
}

/// What became of each topic.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
#[wire(api_key = 37, versions = "0-3", flexible = "2+")]
pub struct CreatePartitionsResponse {
    pub throttle_time_ms: i32,
    pub results: Vec<CreatePartitionsTopicResult>,
}

/// Whether one topic grew.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct CreatePartitionsTopicResult {
    pub name: Str,
    pub error_code: ErrorCode,
    pub error_message: Option<Str>,
}
