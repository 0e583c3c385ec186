//! What a subscription keeps in memory, which is measured in a process that does nothing else: so this
//! folder has one test.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use actix::prelude::*;
use anyhow::{Context as _, Result, ensure};
use callboard::client::admin::TopicSpec;
use callboard::client::consumer::Batch;
use callboard::subscribe::{Again, Records};
use callboard::{Broker, Client, Config, Record};
use std::fs;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout;

const RECORDS: u64 = 1_000_000;
const PARTITIONS: usize = 4;
const VALUE_BYTES: usize = 100;
/// How much the process may grow while it reads: the 8 MiB of batches that may wait for an actor, as much
/// again on its way to them, and twice that for what allocators do not give back at once. Without the
/// bound on what waits it grows by all records, which are more than three times this.
const GROWTH_BYTES_MAX: u64 = 32 << 20;

/// Sees that records come in order, each once, and tells how many there were.
struct Reader {
    next: [u64; PARTITIONS],
    seen: mpsc::UnboundedSender<Result<u64>>,
}

impl Actor for Reader {
    type Context = Context<Self>;
}

impl Handler<Records> for Reader {
    type Result = Result<(), Again>;

    fn handle(&mut self, Records { batch, .. }: Records, _ctx: &mut Context<Self>) -> Self::Result {
        let seen = self.see(batch);
        self.seen.send(seen).map_err(|_| Again)
    }
}

impl Reader {
    fn see(&mut self, batch: Batch) -> Result<u64> {
        let next = &mut self.next[batch.partition as usize];
        let before = *next;
        for record in batch {
            let record = record?;
            let number = record.value().and_then(|value| value.first_chunk().copied());
            let number = number.map(u64::from_be_bytes);
            ensure!(number == Some(*next), "{number:?} in the place of {next} in {}", record.partition);
            *next += 1;
        }
        Ok(*next - before)
    }
}

/// Writes the records, each partition's numbered from 0, through a small buffer.
async fn fill(client: &Client) -> Result<()> {
    client.admin().create_topic(TopicSpec::new("many").partitions(PARTITIONS as u32)).await?;
    let producer = client.producer_builder().buffer_bytes(1 << 20).linger(Duration::from_millis(1)).build();
    for number in 0..RECORDS / PARTITIONS as u64 {
        let mut value = [b'.'; VALUE_BYTES];
        value[..8].copy_from_slice(&number.to_be_bytes());
        let value = bytes::Bytes::copy_from_slice(&value);
        for partition in 0..PARTITIONS {
            let record = Record::to("many").partition(partition as u32).value(value.clone());
            producer.send(record).taken().await?;
        }
    }
    producer.flush().await;
    ensure!(producer.metrics().records_delivered == RECORDS, "{:?}", producer.metrics());
    Ok(())
}

/// A line of what the system says of this process, in bytes.
fn status(name: &str) -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)).context("no such line")?;
    let kib: u64 = line.trim_start_matches(':').trim().trim_end_matches("kB").trim().parse()?;
    Ok(kib * 1024)
}

/// Lets the system count the most memory from now on.
fn forget_peak() -> Result<()> {
    Ok(fs::write("/proc/self/clear_refs", "5")?)
}

#[actix::test]
async fn a_million_records_pass_through_a_subscription_in_bounded_memory() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let config = Config::new(folder.path()).without_ports().set("storage.free.bytes.min", 0);
    let broker = Broker::start(config).await?;
    let client = Client::in_process(&broker);
    fill(&client).await?;
    forget_peak()?;
    let before = status("VmRSS")?;
    let (seen, mut inbox) = mpsc::unbounded_channel();
    let reader = Reader { next: [0; PARTITIONS], seen }.start();
    let subscription = broker.subscribe("group", ["many"], reader.recipient()).await?;
    let mut count = 0;
    while count < RECORDS {
        count += timeout(Duration::from_secs(30), inbox.recv()).await?.context("the reader is gone")??;
    }
    assert_eq!(count, RECORDS);
    let growth = status("VmHWM")?.saturating_sub(before);
    assert!(growth < GROWTH_BYTES_MAX, "{growth} bytes more than the {before} before");
    subscription.stop().await;
    broker.shutdown().await;
    Ok(())
}
