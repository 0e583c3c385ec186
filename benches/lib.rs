//! What benchmarks share.

pub mod broker;
pub mod connection;
