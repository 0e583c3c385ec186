//! Callboard: a message broker made of actors that speaks the Kafka protocol.

pub mod cli;
pub mod config;
pub mod connection;
#[cfg(feature = "kafka")]
pub mod kafka;
pub mod limits;
pub mod listener;
pub mod logging;
pub mod server;
