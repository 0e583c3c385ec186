//! DeleteTopics, versions 1 to 6: topics are deleted, by name or by id.
//!
//! 1 throttle time · 2 as 1 · 3 deletion may be disabled · 4 flexible · 5 errors with a message · 6 topic ids.

use uuid::Uuid;

use crate::kafka::ErrorCode;
use crate::wire::{Str, Wire};

/// Topics to delete.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
#[wire(api_key = 20, versions = "1-6", flexible = "4+")]
pub struct DeleteTopicsRequest {
    #[wire(versions = "6+")]
    pub topics: Vec<DeleteTopicState>,
    #[wire(versions = "0-5", ignorable)]
    pub topic_names: Vec<Str>,
    pub timeout_ms: i32,
}

/// A topic by name or, where that is null, by id.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct DeleteTopicState {
    pub name: Option<Str>,
    pub topic_id: Uuid,
}

/// What became of each topic.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
#[wire(api_key = 20, versions = "1-6", flexible = "4+")]
pub struct DeleteTopicsResponse {
    pub throttle_time_ms: i32,
    pub responses: Vec<DeletableTopicResult>,
}

/// A topic that was deleted, or why it was not.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct DeletableTopicResult {
    #[wire(nullable = "6+")]
    pub name: Option<Str>,
    #[wire(versions = "6+", ignorable)]
    pub topic_id: Uuid,
    pub error_code: ErrorCode,
    #[wire(versions = "5+", ignorable)]
    pub error_message: Option<Str>,
}
