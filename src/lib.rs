//! Callboard: a message broker made of actors that speaks the Kafka protocol, and that runs inside
//! your program as well as by itself.
//!
//! ```standalone_crate
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # std::env::set_current_dir(&folder)?;
//! let broker = callboard::Broker::spawn(callboard::Config::new("./data").without_ports()).await?;
//! let client = callboard::Client::in_process(&broker);
//! client.producer().send(callboard::Record::to("orders").key("ada").value("one teapot")).await?;
//! let kitchen = client.consumer().group("kitchen").topics(["orders"]);
//! let mut consumer = kitchen.auto_offset_reset(callboard::client::consumer::Reset::Earliest).build().await?;
//! let record = consumer.next().await?;
//! # assert_eq!(record.value().map(|value| &value[..]), Some(&b"one teapot"[..]));
//! # broker.shutdown().await;
//! # Ok(())
//! # }
//! ```

mod broker;
pub mod config;
pub mod keyspace;
mod listener;
mod pace;
pub mod snapshot;
pub mod subscribe;
pub mod testing;
pub mod unit;

// For the program, the tests and the fuzz targets of this package. Others find no promise here: it changes
// as the broker does.
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod cli;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod commands;
#[doc(hidden)]
pub mod connection;
#[cfg(feature = "kafka")]
#[doc(hidden)]
pub mod kafka;
#[doc(hidden)]
pub mod limits;
#[doc(hidden)]
pub mod logging;
#[doc(hidden)]
pub mod native;

pub use broker::{Broker, StartError};
pub use callboard_client::{self as client, Client, Record};
pub use config::Config;
pub use keyspace::Keyspace;
pub use snapshot::Snapshot;
pub use unit::Unit;
