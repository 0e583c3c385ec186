//! Brokers for tests: one line each, many in a process, with faults on demand.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let broker = callboard::testing::TestBroker::start().await?;
//! // Any Kafka client can be given this address.
//! println!("{}", broker.bootstrap_servers());
//! # broker.shutdown().await;
//! # Ok(())
//! # }
//! ```
//!
//! - [`fault`]: what can be made to go wrong, and for whom
//! - [`faulty`]: the door that does it

pub mod fault;
pub(crate) mod faulty;

pub use fault::{Effect, Fault};

use crate::broker::{Broker, StartError};
use crate::config::Config;
use callboard_client::Client;
use fault::Faults;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;

/// Where folders lie in memory, on systems that have it: a test's data need not reach a disk.
const IN_MEMORY: &str = "/dev/shm";

/// A broker for a test: on a folder that goes with it, on free ports of 127.0.0.1, with threads of its
/// own, as few as it can do with.
///
/// Dropping it stops it, and waits for that; [`TestBroker::shutdown`] does not block.
#[derive(Debug)]
pub struct TestBroker {
    broker: Broker,
    settings: Vec<(String, String)>,
    faults: Arc<Faults>,
    // Behind the broker, which is dropped first.
    folder: TempDir,
}

impl TestBroker {
    /// Starts a broker. Dropping the future stops it again.
    ///
    /// # Errors
    /// [`StartError`], also when no temporary folder can be had.
    pub async fn start() -> Result<Self, StartError> {
        Self::start_with(std::iter::empty::<(String, String)>()).await
    }

    /// Starts a broker with settings, each a key of `callboard.toml` and its value. Dropping the future stops it
    /// again.
    ///
    /// # Errors
    /// As for [`TestBroker::start`], and when there is no such setting.
    pub async fn start_with(
        settings: impl IntoIterator<Item = (impl Into<String>, impl ToString)>,
    ) -> Result<Self, StartError> {
        let settings: Vec<_> =
            settings.into_iter().map(|(key, value)| (key.into(), value.to_string())).collect();
        let folder = if Path::new(IN_MEMORY).is_dir() {
            tempfile::tempdir_in(IN_MEMORY).or_else(|_| tempfile::tempdir())
        } else {
            tempfile::tempdir()
        }?;
        let faults = Arc::new(Faults::default());
        let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let broker = spawn(&folder, &settings, &faults, anywhere, anywhere).await?;
        Ok(Self { broker, settings, faults, folder })
    }

    /// The address that Kafka clients are given, `host:port`.
    pub fn bootstrap_servers(&self) -> String {
        self.broker.kafka_address().map(|address| address.to_string()).unwrap_or_default()
    }

    /// The broker itself.
    pub fn broker(&self) -> &Broker {
        &self.broker
    }

    /// A client of it without a socket, to which no fault happens.
    pub fn client(&self) -> Client {
        Client::in_process(&self.broker)
    }

    /// Lets something go wrong, behind the faults that were asked for before.
    pub fn inject(&self, fault: Fault) {
        self.faults.add(fault);
    }

    /// How many requests a fault has happened to so far.
    pub fn faults_happened(&self) -> usize {
        self.faults.happened()
    }

    /// Ends the broker as a crash would: connections break, nothing is finished, nothing is closed;
    /// then starts it again on what is on the disk, at the same ports. When the future is dropped the broker may
    /// stay ended.
    ///
    /// # Errors
    /// [`StartError`], for instance when somebody else took a port meanwhile.
    pub async fn crash_and_restart(&mut self) -> Result<(), StartError> {
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let kafka = self.broker.kafka_address().unwrap_or(nowhere);
        let native = self.broker.native_address().unwrap_or(nowhere);
        self.broker.crash().await;
        self.broker = spawn(&self.folder, &self.settings, &self.faults, kafka, native).await?;
        Ok(())
    }

    /// Stops the broker and removes its folder. Dropping the future does so too, without waiting.
    pub async fn shutdown(self) {
        self.broker.shutdown().await;
    }
}

async fn spawn(
    folder: &TempDir,
    settings: &[(String, String)],
    faults: &Arc<Faults>,
    kafka: SocketAddr,
    native: SocketAddr,
) -> Result<Broker, StartError> {
    let config = Config::new(folder.path())
        .kafka(kafka)
        .native(native)
        .set("workers", 1)
        .set("readers", 1)
        .set("journal.segment.bytes", 16 << 20)
        // The folder is the test's own, and so is what is free there.
        .set("storage.free.bytes.min", 0);
    let config = settings.iter().fold(config, |config, (key, value)| config.set(key, value));
    Broker::spawn_faulty(config, Some(Arc::clone(faults))).await
}
