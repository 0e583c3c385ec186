//! DescribeConfigs, versions 1 to 4: the configuration of topics, brokers and groups, and where each value comes from.
//!
//! 1 sources and synonyms · 2 as 1 · 3 types and documentation · 4 flexible.

use crate::kafka::ErrorCode;
use crate::wire::{Str, Wire};

/// Asks for the configuration of resources.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
#[wire(api_key = 32, versions = "1-4", flexible = "4+")]
pub struct DescribeConfigsRequest {
    pub resources: Vec<DescribeConfigsResource>,
    pub include_synonyms: bool,
    #[wire(versions = "3+")]
    pub include_documentation: bool,
}

/// A topic, broker or group.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct DescribeConfigsResource {
    /// 2 topic, 4 broker, 8 broker logger, 16 client metrics, 32 group.
    pub resource_type: i8,
    pub resource_name: Str,
    /// Null asks for all.
    pub configuration_keys: Option<Vec<Str>>,
}

/// The configuration of each resource.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
#[wire(api_key = 32, versions = "1-4", flexible = "4+")]
pub struct DescribeConfigsResponse {
    pub throttle_time_ms: i32,
    pub results: Vec<DescribeConfigsResult>,
}

/// The configuration of one resource, or why it is not told.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct DescribeConfigsResult {
    pub error_code: ErrorCode,
    pub error_message: Option<Str>,
    pub resource_type: i8,
    pub resource_name: Str,
    pub configs: Vec<DescribeConfigsResourceResult>,
}

/// One setting.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct DescribeConfigsResourceResult {
    pub name: Str,
    /// Null where there is none, or where it is sensitive.
    pub value: Option<Str>,
    pub read_only: bool,
    /// 1 topic, 2 dynamic broker, 3 dynamic default of all brokers, 4 static broker, 5 default,
    /// 6 dynamic broker logger, 7 client metrics, 8 group.
    #[wire(default = -1)]
    pub config_source: i8,
    pub is_sensitive: bool,
    pub synonyms: Vec<DescribeConfigsSynonym>,
    /// 1 boolean, 2 string, 3 int, 4 short, 5 long, 6 double, 7 list, 8 class, 9 password.
    #[wire(versions = "3+", ignorable)]
    pub config_type: i8,
    #[wire(versions = "3+", ignorable)]
    pub documentation: Option<Str>,
}

/// A place where the setting has a value; the first one counts.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct DescribeConfigsSynonym {
    pub name: Str,
    pub value: Option<Str>,
    /// As `config_source`.
    pub source: i8,
}
