//! ListConfigResources, versions 0 and 1: the resources that have settings.
//!
//! 0 client metrics only · 1 by type.

use crate::kafka::ErrorCode;
use crate::wire::{Str, Wire};

/// Asks for resources.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
#[wire(api_key = 74, versions = "0-1", flexible = "0+")]
pub struct ListConfigResourcesRequest {
    /// 2 topic, 4 broker, 8 broker logger, 16 client metrics, 32 group; empty asks for all.
    #[wire(versions = "1+")]
    pub resource_types: Vec<i8>,
}

/// The resources.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
#[wire(api_key = 74, versions = "0-1", flexible = "0+")]
pub struct ListConfigResourcesResponse {
    pub throttle_time_ms: i32,
    pub error_code: ErrorCode,
    pub config_resources: Vec<ConfigResource>,
}

/// One resource.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct ConfigResource {
    pub resource_name: Str,
    /// As in the request.
    #[wire(versions = "1+", default = 16, ignorable)]
    pub resource_type: i8,
}
