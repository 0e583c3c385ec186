//! Callboard: a message broker made of actors that speaks the Kafka protocol.

mod broker;
pub mod cli;
pub mod config;
pub mod connection;
#[cfg(feature = "kafka")]
pub mod kafka;
pub mod limits;
pub mod listener;
pub mod logging;
pub mod native;

pub use broker::{Broker, StartError};
pub use callboard_client::{Client, Record};
pub use config::Config;
