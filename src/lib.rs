//! Callboard: a message broker made of actors that speaks the Kafka protocol, and that runs inside
//! your program as well as by itself.
//!
//! ```
//! use callboard::{Broker, Client, Config, Record};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let folder = folder.path();
//! let broker = Broker::spawn(Config::new(folder).without_ports()).await?;
//! let client = Client::in_process(&broker);
//! client.producer().send(Record::to("orders").key("ada").value("one teapot")).await?;
//! let mut consumer = client.consumer().assign("orders", 0).build().await?;
//! # drop(consumer.position("orders", 0));
//! # broker.shutdown().await;
//! # Ok(())
//! # }
//! ```

mod broker;
#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "cli")]
pub mod commands;
pub mod config;
pub mod connection;
#[cfg(feature = "kafka")]
pub mod kafka;
pub mod keyspace;
pub mod limits;
pub mod listener;
pub mod logging;
pub mod native;
pub mod snapshot;
pub mod subscribe;
pub mod testing;
pub mod unit;

pub use broker::{Broker, StartError};
pub use callboard_client::{self as client, Client, Record};
pub use config::Config;
pub use keyspace::Keyspace;
pub use snapshot::Snapshot;
pub use unit::Unit;
