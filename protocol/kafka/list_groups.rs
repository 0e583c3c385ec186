//! ListGroups, versions 0 to 5: the groups that this broker coordinates.
//!
//! 0 all groups · 1 throttle time · 2 as 1 · 3 flexible · 4 by state · 5 by type.

use crate::kafka::ErrorCode;
use crate::wire::{Str, Wire};

/// Asks for groups; empty filters let all through.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
#[wire(api_key = 16, versions = "0-5", flexible = "3+")]
pub struct ListGroupsRequest {
    #[wire(versions = "4+")]
    pub states_filter: Vec<Str>,
    #[wire(versions = "5+")]
    pub types_filter: Vec<Str>,
}

/// The groups.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
#[wire(api_key = 16, versions = "0-5", flexible = "3+")]
pub struct ListGroupsResponse {
    #[wire(versions = "1+", ignorable)]
    pub throttle_time_ms: i32,
    pub error_code: ErrorCode,
    pub groups: Vec<ListedGroup>,
}

/// One group.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct ListedGroup {
    pub group_id: Str,
    pub protocol_type: Str,
    #[wire(versions = "4+", ignorable)]
    pub group_state: Str,
    #[wire(versions = "5+", ignorable)]
    pub group_type: Str,
}
