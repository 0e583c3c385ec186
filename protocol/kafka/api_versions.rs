//! ApiVersions, versions 0 to 4: a client asks which operations the broker offers, in which versions.
//!
//! 0 asks and answers with a list · 1 throttle time · 2 as 1 · 3 flexible, the client names its software,
//! features · 4 as 3, and a feature's lowest version may be 0.
//! The header of the answer never has tagged fields.

use crate::kafka::ErrorCode;
use crate::wire::{Str, Wire};

/// Asks what the broker offers.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
#[wire(api_key = 18, versions = "0-4", flexible = "3+")]
pub struct ApiVersionsRequest {
    #[wire(versions = "3+", ignorable)]
    pub client_software_name: Str,
    #[wire(versions = "3+", ignorable)]
    pub client_software_version: Str,
}

/// What the broker offers.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
#[wire(api_key = 18, versions = "0-4", flexible = "3+")]
pub struct ApiVersionsResponse {
    pub error_code: ErrorCode,
    pub api_keys: Vec<ApiVersion>,
    #[wire(versions = "1+", ignorable)]
    pub throttle_time_ms: i32,
    #[wire(tag = 0, versions = "3+", ignorable)]
    pub supported_features: Vec<SupportedFeatureKey>,
    /// Grows with each change of the features; -1 for unknown.
    #[wire(tag = 1, versions = "3+", default = -1, ignorable)]
    pub finalized_features_epoch: i64,
    #[wire(tag = 2, versions = "3+", ignorable)]
    pub finalized_features: Vec<FinalizedFeatureKey>,
    #[wire(tag = 3, versions = "3+", ignorable)]
    pub zk_migration_ready: bool,
}

/// One operation and the range of its versions, both ends included.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct ApiVersion {
    pub api_key: i16,
    pub min_version: i16,
    pub max_version: i16,
}

/// A feature that this broker could use, and in which versions.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct SupportedFeatureKey {
    pub name: Str,
    pub min_version: i16,
    pub max_version: i16,
}

/// A feature that the cluster uses, and in which versions.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct FinalizedFeatureKey {
    pub name: Str,
    pub max_version_level: i16,
    pub min_version_level: i16,
}
