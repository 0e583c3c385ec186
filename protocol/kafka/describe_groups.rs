//! DescribeGroups, versions 0 to 6: state and members of groups of the classic protocol.
//!
//! 0 members and their assignment · 1 throttle time · 2 as 1 · 3 authorized operations · 4 static members ·
//! 5 flexible · 6 an unknown group is an error, with a message.

use bytes::Bytes;

use crate::kafka::ErrorCode;
use crate::wire::{Str, Wire};

/// Asks for groups by name.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
#[wire(api_key = 15, versions = "0-6", flexible = "5+")]
pub struct DescribeGroupsRequest {
    pub groups: Vec<Str>,
    #[wire(versions = "3+")]
    pub include_authorized_operations: bool,
}

/// Groups and their members.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
#[wire(api_key = 15, versions = "0-6", flexible = "5+")]
pub struct DescribeGroupsResponse {
    #[wire(versions = "1+", ignorable)]
    pub throttle_time_ms: i32,
    pub groups: Vec<DescribedGroup>,
}

/// One group.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct DescribedGroup {
    pub error_code: ErrorCode,
    #[wire(versions = "6+")]
    pub error_message: Option<Str>,
    pub group_id: Str,
    pub group_state: Str,
    pub protocol_type: Str,
    /// The assignment protocol that was chosen; empty unless the group is stable.
    pub protocol_data: Str,
    pub members: Vec<DescribedGroupMember>,
    /// Bits of what the client may do; `i32::MIN` when it did not ask.
    #[wire(versions = "3+", default = i32::MIN)]
    pub authorized_operations: i32,
}

/// One member.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct DescribedGroupMember {
    pub member_id: Str,
    #[wire(versions = "4+", ignorable)]
    pub group_instance_id: Option<Str>,
    pub client_id: Str,
    pub client_host: Str,
    pub member_metadata: Bytes,
    pub member_assignment: Bytes,
}
