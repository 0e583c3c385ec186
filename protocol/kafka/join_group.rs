//! JoinGroup, versions 0 to 9: a consumer enters its group, or stays in it through a rebalance.
//!
//! 0 session timeout · 1 rebalance timeout · 2 throttle time · 3 as 2 · 4 a new member is given its id first and
//! joins again · 5 static members · 6 flexible · 7 protocol type in the answer · 8 a reason · 9 the leader may be
//! told to keep the assignment.

use bytes::Bytes;

use crate::kafka::ErrorCode;
use crate::wire::{Str, Wire};

/// A member enters the group.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
#[wire(api_key = 11, versions = "0-9", flexible = "6+")]
pub struct JoinGroupRequest {
    pub group_id: Str,
    /// Without a heartbeat for so long, the member is out.
    pub session_timeout_ms: i32,
    /// How long the group waits for the member to join again; -1: the session timeout.
    #[wire(versions = "1+", default = -1, ignorable)]
    pub rebalance_timeout_ms: i32,
    /// Empty on the first try.
    pub member_id: Str,
    /// The name that a static member keeps over restarts.
    #[wire(versions = "5+")]
    pub group_instance_id: Option<Str>,
    pub protocol_type: Str,
    /// The one that the member likes best comes first.
    pub protocols: Vec<JoinGroupRequestProtocol>,
    #[wire(versions = "8+", ignorable)]
    pub reason: Option<Str>,
}

/// A way of assigning partitions that the member understands.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct JoinGroupRequestProtocol {
    pub name: Str,
    /// Opaque here: what the member subscribes to.
    pub metadata: Bytes,
}

/// The new generation of the group.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
#[wire(api_key = 11, versions = "0-9", flexible = "6+")]
pub struct JoinGroupResponse {
    #[wire(versions = "2+", ignorable)]
    pub throttle_time_ms: i32,
    pub error_code: ErrorCode,
    #[wire(default = -1)]
    pub generation_id: i32,
    #[wire(versions = "7+", ignorable)]
    pub protocol_type: Option<Str>,
    #[wire(nullable = "7+")]
    pub protocol_name: Option<Str>,
    pub leader: Str,
    #[wire(versions = "9+")]
    pub skip_assignment: bool,
    pub member_id: Str,
    pub members: Vec<JoinGroupResponseMember>,
}

/// A member of the group, told to its leader only.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct JoinGroupResponseMember {
    pub member_id: Str,
    #[wire(versions = "5+", ignorable)]
    pub group_instance_id: Option<Str>,
    pub metadata: Bytes,
}
