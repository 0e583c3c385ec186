//! What benchmarks share.

pub mod broker;
