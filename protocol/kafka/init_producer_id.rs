//! InitProducerId, versions 0 to 5: a producer gets the identity that makes its retries recognizable.
//!
//! 0 and 1 are alike · 2 flexible · 3 a producer may go on with its id at the next epoch · 4 fenced producers
//! get an error of their own · 5 abortable transaction errors.

use crate::kafka::ErrorCode;
use crate::wire::{Str, Wire};

/// Asks for a producer id.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
#[wire(api_key = 22, versions = "0-5", flexible = "2+")]
pub struct InitProducerIdRequest {
    pub transactional_id: Option<Str>,
    /// How long a transaction may stay open; without meaning where the id is null.
    pub transaction_timeout_ms: i32,
    /// The id to go on with; -1 for a new one.
    #[wire(versions = "3+", default = -1)]
    pub producer_id: i64,
    #[wire(versions = "3+", default = -1)]
    pub producer_epoch: i16,
}

/// A producer id and its epoch.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
#[wire(api_key = 22, versions = "0-5", flexible = "2+")]
pub struct InitProducerIdResponse {
    pub throttle_time_ms: i32,
    pub error_code: ErrorCode,
    #[wire(default = -1)]
    pub producer_id: i64,
    pub producer_epoch: i16,
}
