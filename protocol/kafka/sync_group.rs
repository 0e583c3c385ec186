//! SyncGroup, versions 0 to 5: the group's leader hands in the assignment, and every member gets its part.
//!
//! 0 assignments · 1 throttle time · 2 as 1 · 3 static members · 4 flexible · 5 protocol type and name are checked.

use bytes::Bytes;

use crate::kafka::ErrorCode;
use crate::wire::{Str, Wire};

/// A member asks for its assignment; the leader brings those of all.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
#[wire(api_key = 14, versions = "0-5", flexible = "4+")]
pub struct SyncGroupRequest {
    pub group_id: Str,
    pub generation_id: i32,
    pub member_id: Str,
    #[wire(versions = "3+")]
    pub group_instance_id: Option<Str>,
    #[wire(versions = "5+", ignorable)]
    pub protocol_type: Option<Str>,
    #[wire(versions = "5+", ignorable)]
    pub protocol_name: Option<Str>,
    pub assignments: Vec<SyncGroupRequestAssignment>,
}

/// What one member is to read.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct SyncGroupRequestAssignment {
    pub member_id: Str,
    /// Opaque here: partitions.
    pub assignment: Bytes,
}

/// What this member is to read.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
#[wire(api_key = 14, versions = "0-5", flexible = "4+")]
pub struct SyncGroupResponse {
    #[wire(versions = "1+", ignorable)]
    pub throttle_time_ms: i32,
    pub error_code: ErrorCode,
    #[wire(versions = "5+", ignorable)]
    pub protocol_type: Option<Str>,
    #[wire(versions = "5+", ignorable)]
    pub protocol_name: Option<Str>,
    pub assignment: Bytes,
}
