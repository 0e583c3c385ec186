//! A broker in this process, and clients of it over both transports.

use anyhow::{Context, Result};
use callboard::{Broker, Client, Config, Record};
use callboard_client::admin::TopicSpec;
use callboard_client::consumer::{Consumer, Reset};
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;
use tokio::time::timeout;
use tracing_subscriber::fmt::MakeWriter;

/// How long a test waits for what must come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A broker in this process, with a folder of its own.
pub(crate) struct Trial {
    pub(crate) broker: Broker,
    pub(crate) folder: TempDir,
}

impl Trial {
    pub(crate) async fn start() -> Result<Self> {
        Self::start_with(&[]).await
    }

    pub(crate) async fn start_with(settings: &[(&str, &str)]) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let broker = Broker::spawn(config(&folder, settings)).await?;
        Ok(Self { broker, folder })
    }

    /// Stops the broker, and starts another on the same folder.
    pub(crate) async fn restart(self) -> Result<Self> {
        let Self { broker, folder } = self;
        broker.shutdown().await;
        let broker = Broker::spawn(config(&folder, &[])).await?;
        Ok(Self { broker, folder })
    }

    /// A client over each transport, by the transport's name.
    pub(crate) async fn clients(&self) -> Result<[(&'static str, Client); 2]> {
        Ok([("in process", Client::in_process(&self.broker)), ("by tcp", self.tcp().await?)])
    }

    pub(crate) async fn tcp(&self) -> Result<Client> {
        let address = self.broker.native_address().context("no native port")?;
        Ok(Client::connect(address.to_string()).await?)
    }
}

fn config(folder: &TempDir, settings: &[(&str, &str)]) -> Config {
    let config = Config::new(folder.path())
        .kafka("127.0.0.1:0")
        .set("workers", 1)
        // Members hear of changes with their heartbeats.
        .set("group.consumer.min.heartbeat.interval.ms", 100)
        .set("group.consumer.heartbeat.interval.ms", 100);
    settings.iter().fold(config, |config, (key, value)| config.set(*key, *value))
}

/// Waits for something that must come.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> Result<T> {
    timeout(PATIENCE, future).await.context("it did not come in time")
}

pub(crate) async fn create(client: &Client, topic: &str, partitions: u32) -> Result<()> {
    client.admin().create_topic(TopicSpec::new(topic).partitions(partitions)).await?;
    Ok(())
}

/// A consumer of all of a topic, from its beginning, without a group.
pub(crate) async fn reader(client: &Client, topic: &str) -> Result<Consumer> {
    let consumer = client.consumer().topics([topic]).auto_offset_reset(Reset::Earliest);
    Ok(consumer.build().await?)
}

/// Sends values to a partition, and waits for their receipts.
pub(crate) async fn fill(client: &Client, topic: &str, partition: u32, values: &[&str]) -> Result<()> {
    let record = |value: &&str| Record::to(topic).partition(partition).value((*value).to_owned());
    client.producer().send_all(values.iter().map(record)).await?;
    Ok(())
}

/// The next `count` values, as text.
pub(crate) async fn values(consumer: &mut Consumer, count: usize) -> Result<Vec<String>> {
    let mut values = Vec::new();
    while values.len() < count {
        let record = soon(consumer.next()).await??;
        values.push(String::from_utf8(record.value().context("no value")?.to_vec())?);
    }
    Ok(values)
}

/// What is logged on one thread, for `tracing_subscriber` to write to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}
