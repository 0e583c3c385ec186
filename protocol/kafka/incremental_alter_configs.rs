//! IncrementalAlterConfigs, versions 0 and 1: single settings of topics, brokers and groups are changed.
//!
//! 1 flexible.

use crate::kafka::ErrorCode;
use crate::wire::{Str, Wire};

/// Changes of resources.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
#[wire(api_key = 44, versions = "0-1", flexible = "1+")]
pub struct IncrementalAlterConfigsRequest {
    pub resources: Vec<AlterConfigsResource>,
    pub validate_only: bool,
}

/// A topic, broker or group with the changes of its settings.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct AlterConfigsResource {
    /// 2 topic, 4 broker, 8 broker logger, 16 client metrics, 32 group.
    pub resource_type: i8,
    pub resource_name: Str,
    pub configs: Vec<AlterableConfig>,
}

/// A change of one setting.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct AlterableConfig {
    pub name: Str,
    /// 0 set, 1 delete, 2 append, 3 subtract.
    pub config_operation: i8,
    pub value: Option<Str>,
}

/// What became of each resource.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
#[wire(api_key = 44, versions = "0-1", flexible = "1+")]
pub struct IncrementalAlterConfigsResponse {
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
