//! AlterConfigs, versions 0 to 2: all settings of topics, brokers and groups are replaced.
//!
//! 0 and 1 are alike · 2 flexible.

use crate::kafka::ErrorCode;
use crate::wire::{Str, Wire};

/// New settings of resources; what is not named goes back to its default.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
#[wire(api_key = 33, versions = "0-2", flexible = "2+")]
pub struct AlterConfigsRequest {
    pub resources: Vec<AlterConfigsResource>,
    pub validate_only: bool,
}

/// A topic, broker or group with its settings.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct AlterConfigsResource {
    /// 2 topic, 4 broker, 8 broker logger, 16 client metrics, 32 group.
    pub resource_type: i8,
    pub resource_name: Str,
    pub configs: Vec<AlterableConfig>,
}

/// One setting.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct AlterableConfig {
    pub name: Str,
    pub value: Option<Str>,
}

/// What became of each resource.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
#[wire(api_key = 33, versions = "0-2", flexible = "2+")]
pub struct AlterConfigsResponse {
    pub throttle_time_ms: i32,
    pub responses: Vec<AlterConfigsResourceResponse>,
}

/// Whether one resource was changed.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct AlterConfigsResourceResponse {
    pub error_code: ErrorCode,
    pub error_message: Option<Str>,
    pub resource_type: i8,
    pub resource_name: Str,
}
