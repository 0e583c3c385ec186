//! What benchmarks share.

pub mod batch;
pub mod broker;
pub mod commits;
pub mod connection;
pub mod members;
pub mod produce;
pub mod report;
pub mod wanted;
