//! Heartbeat, versions 0 to 4: a group member says that it is alive, and hears whether a rebalance has begun.
//!
//! 0 member and generation · 1 throttle time · 2 as 1 · 3 static members · 4 flexible.

use crate::kafka::ErrorCode;
use crate::wire::{Str, Wire};

/// A member is alive.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
#[wire(api_key = 12, versions = "0-4", flexible = "4+")]
pub struct HeartbeatRequest {
    pub group_id: Str,
    pub generation_id: i32,
    pub member_id: Str,
    #[wire(versions = "3+")]
    pub group_instance_id: Option<Str>,
}

/// Whether the member is still in the group, and whether it is to join again.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
#[wire(api_key = 12, versions = "0-4", flexible = "4+")]
pub struct HeartbeatResponse {
    #[wire(versions = "1+", ignorable)]
    pub throttle_time_ms: i32,
    pub error_code: ErrorCode,
}
