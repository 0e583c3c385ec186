//! `callboard bench consume`: how fast a topic's records are read.

use super::report::Done;
use crate::cli::BenchConsume;
use crate::commands::hints::AboutTopic;
use crate::commands::output::progress;
use anyhow::{Result, ensure};
use callboard_client::Client;
use callboard_client::consumer::Reset;
use callboard_protocol::native::TopicPartition;
use callboard_protocol::native::read::Position;
use std::time::Instant;

pub(super) async fn run(client: &Client, bench: BenchConsume) -> Result<()> {
    let topic = bench.topic.as_str();
    let there = records_in(client, topic).await?;
    let wanted = bench.records.unwrap_or(there);
    ensure!(
        wanted > 0 && wanted <= there,
        "topic {topic} has {there} record(s); ask for fewer with --records, or send more with \
         `callboard bench produce --topic {topic}`"
    );
    let consumer = client.consumer().topics([topic]).auto_offset_reset(Reset::Earliest);
    let mut consumer = consumer.buffer_bytes(bench.buffer_bytes).build().await?;
    let progress = progress(wanted, "{bar:40} {pos}/{len} records, {eta}");
    let (mut records, mut bytes) = (0, 0);
    let begun = Instant::now();
    while records < wanted {
        let before = records;
        for record in consumer.next_batch().await? {
            let record = record?;
            records += 1;
            bytes +=
                [record.key(), record.value()].into_iter().flatten().map(bytes::Bytes::len).sum::<usize>();
        }
        progress.inc(records - before);
    }
    let done = Done { records, bytes: bytes as u64, took: begun.elapsed() };
    progress.finish_and_clear();
    consumer.close().await?;
    done.tell(bench.connection.json, topic, &[("consume", None)])
}

/// How many records a topic has.
async fn records_in(client: &Client, name: &str) -> Result<u64> {
    let admin = client.admin();
    let topic = admin.topic(name).await.about_topic(name)?;
    let mut records = 0;
    for partition in 0..topic.partitions {
        let of = TopicPartition { topic: topic.id, partition };
        let earliest = admin.partition_offset(of, Position::Earliest).await?;
        let latest = admin.partition_offset(of, Position::Latest).await?;
        if let (Some(earliest), Some(latest)) = (earliest, latest) {
            records += u64::try_from(latest.offset - earliest.offset).unwrap_or_default();
        }
    }
    Ok(records)
}
