//! What benchmarks share.

pub mod batch;
pub mod broker;
pub mod connection;
pub mod produce;
pub mod report;
pub mod wanted;
