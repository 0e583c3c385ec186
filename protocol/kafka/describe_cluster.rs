//! DescribeCluster, versions 0 to 2: the brokers of the cluster, its controller, and what the client may do.
//!
//! 0 flexible from the start · 1 brokers or controllers may be asked for · 2 fenced brokers too.

use crate::kafka::ErrorCode;
use crate::wire::{Str, Wire};

/// Asks for the brokers of the cluster.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
#[wire(api_key = 60, versions = "0-2", flexible = "0+")]
pub struct DescribeClusterRequest {
    pub include_cluster_authorized_operations: bool,
    /// 1 brokers, 2 controllers.
    #[wire(versions = "1+", default = 1)]
    pub endpoint_type: i8,
    #[wire(versions = "2+")]
    pub include_fenced_brokers: bool,
}

/// The brokers of the cluster.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
#[wire(api_key = 60, versions = "0-2", flexible = "0+")]
pub struct DescribeClusterResponse {
    pub throttle_time_ms: i32,
    pub error_code: ErrorCode,
    pub error_message: Option<Str>,
    /// 1 brokers, 2 controllers.
    #[wire(versions = "1+", default = 1)]
    pub endpoint_type: i8,
    pub cluster_id: Str,
    #[wire(default = -1)]
    pub controller_id: i32,
    pub brokers: Vec<DescribeClusterBroker>,
    /// Bits of what the client may do; `i32::MIN` when it did not ask.
    #[wire(default = i32::MIN)]
    pub cluster_authorized_operations: i32,
}

/// A broker and the address at which clients reach it.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct DescribeClusterBroker {
    pub broker_id: i32,
    pub host: Str,
    pub port: i32,
    pub rack: Option<Str>,
    #[wire(versions = "2+")]
    pub is_fenced: bool,
}
