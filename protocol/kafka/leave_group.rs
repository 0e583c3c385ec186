//! LeaveGroup, versions 0 to 5: members leave their group before their session ends.
//!
//! 0 one member · 1 throttle time · 2 as 1 · 3 many members, static ones too · 4 flexible · 5 a reason.

use crate::kafka::ErrorCode;
use crate::wire::{Str, Wire};

/// Members leave.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
#[wire(api_key = 13, versions = "0-5", flexible = "4+")]
pub struct LeaveGroupRequest {
    pub group_id: Str,
    #[wire(versions = "0-2")]
    pub member_id: Str,
    #[wire(versions = "3+")]
    pub members: Vec<MemberIdentity>,
}

/// A member that leaves.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct MemberIdentity {
    pub member_id: Str,
    pub group_instance_id: Option<Str>,
    #[wire(versions = "5+", ignorable)]
    pub reason: Option<Str>,
}

/// Who has left.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
#[wire(api_key = 13, versions = "0-5", flexible = "4+")]
pub struct LeaveGroupResponse {
    #[wire(versions = "1+", ignorable)]
    pub throttle_time_ms: i32,
    pub error_code: ErrorCode,
    #[wire(versions = "3+")]
    pub members: Vec<MemberResponse>,
}

/// Whether one member has left.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct MemberResponse {
    pub member_id: Str,
    pub group_instance_id: Option<Str>,
    pub error_code: ErrorCode,
}
