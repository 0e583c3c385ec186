//! Levels of isolation: whose records of transactions a consumer is given.

use crate::support::{Trial, create, fill, soon, values};
use anyhow::Result;
use bytes::Bytes;
use callboard_client::Client;
use callboard_client::admin::Position;
use callboard_client::consumer::{Consumer, IsolationLevel, Reset};
use callboard_client::transport::{Reading, Reply, Transport};
use callboard_protocol::batch::{Attributes, BATCH_HEADER_BYTES, Batch, BatchBuilder, Compression};
use callboard_protocol::batch::{NewRecord, Producing};
use callboard_protocol::native::read::{
    AbortedTransaction, Fetched, FetchedPart, OffsetsListed, ReadBatches, ReadPart, TimedOffset,
};
use callboard_protocol::native::topics::{ListedTopic, Topic, TopicsListed};
use callboard_protocol::native::{Request, Response};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use std::sync::Arc;
use tokio::sync::mpsc;
use uuid::Uuid;

const TRANSACTIONAL: i16 = 0x10;
const MARKER: i16 = 0x30;

#[tokio::test]
async fn committed_records_are_read_through_both_ways_to_a_broker() -> Result<()> {
    let trial = Trial::start().await?;
    for (name, client) in trial.clients().await? {
        let topic = format!("committed-{}", name.len());
        create(&client, &topic, 1).await?;
        fill(&client, &topic, 0, &["one", "two"]).await?;
        let committed = client.consumer().isolation_level(IsolationLevel::ReadCommitted);
        let mut consumer = committed.topics([&topic]).auto_offset_reset(Reset::Earliest).build().await?;
        assert_eq!(values(&mut consumer, 2).await?, ["one", "two"], "{name}");
        fill(&client, &topic, 0, &["three"]).await?;
        assert_eq!(values(&mut consumer, 1).await?, ["three"], "{name}: it waited");
        assert_eq!(consumer.end_offset(&topic, 0).await?, 3, "{name}");
        assert_eq!(consumer.lag(&topic, 0), Some(0), "{name}");
    }
    Ok(())
}

/// A broker with one partition, in which a transaction of producer 7 was aborted and another of
/// producer 8 is open. It answers as brokers with transactions do.
#[derive(Debug)]
struct Aborting {
    topic: Uuid,
}

impl Transport for Aborting {
    fn call(&self, request: Request, _batches: Vec<Bytes>) -> BoxFuture<'static, Reply> {
        let response = match request {
            Request::ListTopics(_) => {
                let outcome = Ok(Topic { id: self.topic, partitions: 1 });
                Response::ListTopics(TopicsListed {
                    topics: vec![ListedTopic { name: "orders".into(), outcome }],
                })
            }
            Request::ListOffsets(list) => {
                let offset = match (list.wanted[0].position, list.isolation) {
                    (Position::Latest, IsolationLevel::ReadUncommitted) => 9,
                    (Position::Latest, IsolationLevel::ReadCommitted) => 7,
                    _ => 0,
                };
                let outcomes = vec![Ok(Some(TimedOffset { offset, timestamp: -1 }))];
                Response::ListOffsets(OffsetsListed { outcomes })
            }
            other => panic!("{other:?}"),
        };
        async { Ok((response, Vec::new())) }.boxed()
    }

    fn read(&self, parts: Vec<ReadPart>, _credit: u32, isolation: IsolationLevel) -> Reading {
        let mut batches = vec![
            batch(0, 7, 0, b"", b"before"),
            batch(1, 7, TRANSACTIONAL, b"", b"aborted"),
            batch(2, 8, TRANSACTIONAL, b"", b"of another"),
            batch(3, 7, TRANSACTIONAL, b"", b"aborted too"),
            batch(4, 7, MARKER, &[0, 0, 0, 0], b""),
            batch(5, 8, MARKER, &[0, 0, 0, 1], b""),
            batch(6, 7, 0, b"", b"behind"),
        ];
        let mut aborted = vec![AbortedTransaction { producer_id: 7, first_offset: 1 }];
        if isolation == IsolationLevel::ReadUncommitted {
            batches.push(batch(7, 8, TRANSACTIONAL, b"", b"open"));
            aborted.clear();
        }
        batches.retain(|batch| batch.header.base_offset >= parts[0].offset);
        let bytes = batches.iter().map(|batch| batch.bytes.len()).sum::<usize>() as u32;
        let read = ReadBatches { log_start: 0, high_watermark: 9, last_stable: 7, bytes, aborted };
        let part = FetchedPart { partition: parts[0].partition, outcome: Ok(read) };
        let batches = batches.into_iter().map(|batch| batch.bytes).collect();
        let (pushes, inbox) = mpsc::unbounded_channel();
        pushes.send(Ok((Fetched { parts: vec![part] }, batches))).unwrap();
        Reading::new(inbox, move |_| drop(pushes.clone()))
    }
}

fn batch(offset: i64, producer: i64, flags: i16, key: &[u8], value: &[u8]) -> Batch {
    let mut builder = BatchBuilder::default();
    builder.push(NewRecord { key: Some(key), value: Some(value), ..NewRecord::default() });
    let producing = Producing { id: producer, epoch: 0, base_sequence: 0 };
    let plain = builder.seal(Compression::None, Some(producing)).unwrap();
    let mut header = plain.header;
    (header.base_offset, header.attributes) = (offset, Attributes(flags));
    Batch::seal(header, &plain.bytes[BATCH_HEADER_BYTES..])
}

async fn of_aborting(isolation: IsolationLevel) -> Result<Consumer> {
    let client = Client::over(Arc::new(Aborting { topic: Uuid::from_u128(1) }));
    let consumer = client.consumer().topics(["orders"]).auto_offset_reset(Reset::Earliest);
    Ok(consumer.isolation_level(isolation).build().await?)
}

#[tokio::test]
async fn records_of_aborted_transactions_are_left_out() -> Result<()> {
    let mut consumer = of_aborting(IsolationLevel::ReadCommitted).await?;
    assert_eq!(values(&mut consumer, 3).await?, ["before", "of another", "behind"]);
    assert_eq!((consumer.position("orders", 0), consumer.lag("orders", 0)), (Some(7), Some(0)));
    assert_eq!(consumer.end_offset("orders", 0).await?, 7);

    consumer.seek("orders", 0, 3)?;
    let record = soon(consumer.next()).await??;
    assert_eq!(record.offset(), 6, "it began within the transaction");
    Ok(())
}

#[tokio::test]
async fn all_records_but_markers_are_given_where_nothing_is_said() -> Result<()> {
    let mut consumer = of_aborting(IsolationLevel::default()).await?;
    let all = ["before", "aborted", "of another", "aborted too", "behind", "open"];
    assert_eq!(values(&mut consumer, 6).await?, all);
    assert_eq!((consumer.position("orders", 0), consumer.lag("orders", 0)), (Some(8), Some(1)));
    assert_eq!(consumer.end_offset("orders", 0).await?, 9);
    Ok(())
}
