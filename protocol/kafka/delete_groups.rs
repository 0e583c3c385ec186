//! DeleteGroups, versions 0 to 2: empty groups and their offsets are deleted.
//!
//! 0 and 1 are alike · 2 flexible.

use crate::kafka::ErrorCode;
use crate::wire::{Str, Wire};

/// Groups to delete.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
#[wire(api_key = 42, versions = "0-2", flexible = "2+")]
pub struct DeleteGroupsRequest {
    pub groups_names: Vec<Str>,
}

/// What became of each group.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
#[wire(api_key = 42, versions = "0-2", flexible = "2+")]
pub struct DeleteGroupsResponse {
    pub throttle_time_ms: i32,
    pub results: Vec<DeletableGroupResult>,
}

/// Whether one group was deleted.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct DeletableGroupResult {
    pub group_id: Str,
    pub error_code: ErrorCode,
}
