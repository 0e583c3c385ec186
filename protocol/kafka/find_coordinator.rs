//! FindCoordinator, versions 0 to 6: which broker coordinates a group, a transactional id or a share group.
//!
//! 0 groups only · 1 kinds of keys, throttle time · 2 as 1 · 3 flexible · 4 many keys at once · 5 abortable
//! transaction errors · 6 share groups.

use crate::kafka::ErrorCode;
use crate::wire::{Str, Wire};

/// Asks who coordinates a key or, from version 4, several.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
#[wire(api_key = 10, versions = "0-6", flexible = "3+")]
pub struct FindCoordinatorRequest {
    #[wire(versions = "0-3")]
    pub key: Str,
    /// 0 group, 1 transactional id, 2 share group partition.
    #[wire(versions = "1+")]
    pub key_type: i8,
    #[wire(versions = "4+")]
    pub coordinator_keys: Vec<Str>,
}

/// Who coordinates: one answer up to version 3, then a list.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
#[wire(api_key = 10, versions = "0-6", flexible = "3+")]
pub struct FindCoordinatorResponse {
    #[wire(versions = "1+", ignorable)]
    pub throttle_time_ms: i32,
    #[wire(versions = "0-3")]
    pub error_code: ErrorCode,
    #[wire(versions = "1-3", ignorable)]
    pub error_message: Option<Str>,
    #[wire(versions = "0-3")]
    pub node_id: i32,
    #[wire(versions = "0-3")]
    pub host: Str,
    #[wire(versions = "0-3")]
    pub port: i32,
    #[wire(versions = "4+")]
    pub coordinators: Vec<Coordinator>,
}

/// Who coordinates one key.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct Coordinator {
    pub key: Str,
    pub node_id: i32,
    pub host: Str,
    pub port: i32,
    pub error_code: ErrorCode,
    pub error_message: Option<Str>,
}
