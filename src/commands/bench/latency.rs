//! `callboard bench latency`: how long one record takes on an idle way, to its receipt and to a reader.

use super::report::{Done, Latencies};
use super::values::Values;
use super::{acks, topic, undelivered};
use crate::cli::BenchLatency;
use crate::commands::output::progress;
use anyhow::Result;
use callboard_client::producer::Producer;
use callboard_client::{Client, Consumer, Record};
use callboard_protocol::native::TopicPartition;
use callboard_protocol::native::read::Position;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Records that are sent before it counts, so that connections and actors are there.
const WARMUP_RECORDS: u64 = 20;
/// All records go to one partition: one is on its way at a time.
const PARTITION: u32 = 0;

pub(super) async fn run(client: &Client, bench: BenchLatency) -> Result<()> {
    let BenchLatency { load, records, .. } = &bench;
    let topic = topic(client, load).await?;
    let name = Arc::<str>::from(load.topic.as_str());
    let of = TopicPartition { topic: topic.id, partition: PARTITION };
    let end = client.admin().partition_offset(of, Position::Latest).await?.map_or(0, |end| end.offset);
    let mut consumer = client.consumer().assign(&*name, PARTITION).build().await?;
    consumer.seek(&name, PARTITION, end)?;
    let producer = client.producer_builder().acks(acks(load.acks)).build();
    let mut way = Way { name: Arc::clone(&name), producer, consumer, values: Values::new(load.size) };
    for _ in 0..WARMUP_RECORDS {
        way.pass().await?;
    }
    let (mut receipts, mut reads) = (Latencies::new()?, Latencies::new()?);
    let progress = progress(*records, "{bar:40} {pos}/{len} records, {eta}");
    let begun = Instant::now();
    for _ in 0..*records {
        let (receipt, read) = way.pass().await?;
        receipts.note(receipt);
        reads.note(read);
        progress.inc(1);
    }
    let done = Done { records: *records, bytes: records * u64::from(load.size), took: begun.elapsed() };
    progress.finish_and_clear();
    way.consumer.close().await?;
    let figures = [("latency to receipt", Some(receipts)), ("latency to reader", Some(reads))];
    done.tell(bench.connection.json, &name, &figures)
}

/// From a producer to a consumer.
struct Way {
    name: Arc<str>,
    producer: Producer,
    consumer: Consumer,
    values: Values,
}

impl Way {
    /// Sends a record. Answers how long its receipt took, and how long its reader.
    async fn pass(&mut self) -> Result<(Duration, Duration)> {
        let Self { name, producer, consumer, values } = self;
        let record = Record::to(Arc::clone(name)).partition(PARTITION).value(values.next());
        let sent = Instant::now();
        let delivery = producer.send(record);
        let receipt = async { delivery.await.map(|receipt| (receipt.offset, sent.elapsed())) };
        let read = async { consumer.next().await.map(|record| (record.offset(), sent.elapsed())) };
        // What is not delivered is never read.
        let both = tokio::try_join!(receipt, read);
        let ((offset, receipt), (mut found, mut read)) = both.map_err(|error| undelivered(error, name))?;
        // Others may send to the topic too.
        while found < offset {
            found = consumer.next().await?.offset();
            read = sent.elapsed();
        }
        Ok((receipt, read))
    }
}
