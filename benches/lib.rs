//! What benchmarks share.

pub mod batch;
pub mod broker;
pub mod connection;
pub mod wanted;
