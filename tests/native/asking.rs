//! What a consumer asks for before it reads and after: it goes wrong, comes late, or is given up.

use crate::support::{PATIENCE, create, soon};
use anyhow::Result;
use callboard::testing::{Effect, Fault, TestBroker};
use callboard::{Client, Record};
use callboard_client::consumer::{Consumer, Reset};
use callboard_protocol::native::Code;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::time::timeout;

const UNAVAILABLE: Effect = Effect::Refuse(Code::UNAVAILABLE.0 as i16);
const RECORDS: usize = 10;

/// A broker with records in a topic.
async fn start(partitions: u32, settings: &[(&str, i64)]) -> Result<TestBroker> {
    let settings = settings.iter().copied().chain([("shutdown.grace.ms", 100)]);
    let broker = TestBroker::start_with(settings).await?;
    create(&broker.client(), "orders", partitions).await?;
    let record = |number: usize| Record::to("orders").partition(number as u32 % partitions).value("x");
    broker.client().producer().send_all((0..RECORDS).map(record)).await?;
    Ok(broker)
}

async fn tcp(broker: &TestBroker) -> Result<Client> {
    Ok(Client::connect(broker.broker().native_address().unwrap().to_string()).await?)
}

async fn member(client: &Client, group: &str) -> Result<Consumer> {
    let consumer = client.consumer().group(group).topics(["orders"]).auto_offset_reset(Reset::Earliest);
    Ok(consumer.build().await?)
}

async fn committed(client: &Client, group: &str) -> Result<Option<i64>> {
    let offsets = client.admin().group_offsets(group).await?;
    Ok(offsets.first().and_then(|committed| committed.offset))
}

#[tokio::test]
async fn what_goes_wrong_once_before_a_member_reads_is_asked_again() -> Result<()> {
    for operation in ["ListTopics", "FetchOffsets", "ListOffsets", "OpenReading"] {
        for effect in [UNAVAILABLE, Effect::Close, Effect::LoseAnswer] {
            let broker = start(1, &[]).await?;
            // It knows no topic's name.
            let client = tcp(&broker).await?;
            broker.inject(Fault::new(effect).on(operation));
            let mut consumer = member(&client, "readers").await?;
            for offset in 0..RECORDS {
                assert_eq!(soon(consumer.next()).await??.offset(), offset as i64, "{operation}, {effect:?}");
            }
            assert_eq!(broker.faults_happened(), 1, "{operation}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_consumer_that_is_always_given_up_early_comes_to_read_all_the_same() -> Result<()> {
    for operation in ["ListTopics", "FetchOffsets", "ListOffsets", "OpenReading"] {
        let broker = start(1, &[]).await?;
        let client = tcp(&broker).await?;
        let late = Effect::Delay(Duration::from_millis(50));
        broker.inject(Fault::new(late).on(operation).times(1_000));
        let mut consumer = member(&client, "readers").await?;
        let (mut read, begun) = (0, Instant::now());
        while read < RECORDS {
            assert!(begun.elapsed() < PATIENCE, "{operation}");
            if let Ok(record) = timeout(Duration::from_millis(5), consumer.next()).await {
                assert_eq!(record?.offset(), read as i64);
                read += 1;
            }
        }
        assert!(broker.faults_happened() <= 3, "{operation} was asked {} times", broker.faults_happened());
    }
    Ok(())
}

#[tokio::test]
async fn a_commit_waits_for_the_one_that_is_on_its_way_and_mends_it() -> Result<()> {
    let broker = start(1, &[]).await?;
    for (way, client) in [("in process", broker.client()), ("by tcp", tcp(&broker).await?)] {
        for (number, refused) in
            [None, Some(UNAVAILABLE), Some(Effect::Refuse(Code::INVALID_REQUEST.0 as i16))]
                .into_iter()
                .enumerate()
        {
            let group = format!("{way}-{number}");
            let mut consumer = member(&client, &group).await?;
            for _ in 0..RECORDS {
                soon(consumer.next()).await??;
            }
            if let Some(effect) = refused {
                broker.inject(Fault::new(effect).on("CommitOffsets"));
            }
            consumer.commit_async();
            soon(consumer.commit()).await??;
            assert_eq!(committed(&client, &group).await?, Some(RECORDS as i64), "{group}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn closing_waits_for_a_commit_that_is_on_its_way() -> Result<()> {
    let broker = start(1, &[]).await?;
    let client = tcp(&broker).await?;
    let consumer = client.consumer().group("readers").topics(["orders"]).auto_offset_reset(Reset::Earliest);
    let mut consumer = consumer.auto_commit(None).build().await?;
    for _ in 0..RECORDS {
        soon(consumer.next()).await??;
    }
    broker.inject(Fault::new(Effect::Delay(Duration::from_millis(50))).on("CommitOffsets"));
    consumer.commit_async();
    soon(consumer.close()).await??;
    assert_eq!(committed(&client, "readers").await?, Some(RECORDS as i64));
    Ok(())
}

#[tokio::test]
async fn what_the_program_was_told_to_lose_is_not_told_again_when_all_is_lost() -> Result<()> {
    let beat =
        [("group.consumer.min.heartbeat.interval.ms", 10), ("group.consumer.heartbeat.interval.ms", 10)];
    let broker = start(2, &beat).await?;
    let client = tcp(&broker).await?;
    let told = Arc::new(Mutex::new(Vec::new()));
    let revoked = Arc::clone(&told);
    let mut first = client
        .consumer()
        .group("readers")
        .topics(["orders"])
        .auto_offset_reset(Reset::Earliest)
        .on_revoked(move |lost| revoked.lock().unwrap().extend(lost.iter().map(|lost| lost.partition)))
        .build()
        .await?;
    for _ in 0..RECORDS {
        soon(first.next()).await??;
    }
    broker.inject(Fault::new(Effect::Delay(PATIENCE)).on("CommitOffsets"));
    let _second = member(&client, "readers").await?;
    for count in [1, 2] {
        let begun = Instant::now();
        while told.lock().unwrap().len() < count {
            assert!(begun.elapsed() < PATIENCE, "{count}");
            // What it has lost and comes to have again it reads again.
            let _ = timeout(Duration::from_millis(10), first.next()).await;
        }
        broker.inject(Fault::new(Effect::Refuse(Code::UNKNOWN_MEMBER.0 as i16)).on("Beat").times(8));
    }
    let mut told = told.lock().unwrap().clone();
    told.sort_unstable();
    assert_eq!(told, [0, 1]);
    Ok(())
}

#[tokio::test]
async fn more_partitions_than_a_request_may_name_are_an_error_and_no_silence() -> Result<()> {
    let broker = start(8, &[("max.partitions.per.request", 3)]).await?;
    let client = tcp(&broker).await?;
    let alone = client.consumer().topics(["orders"]).auto_offset_reset(Reset::Earliest).build().await?;
    for mut consumer in [alone, member(&client, "far").await?, member(&broker.client(), "near").await?] {
        let error = soon(consumer.next()).await?.unwrap_err();
        assert_eq!(error.code(), Some(Code::LIMIT_REACHED), "{error}");
    }
    Ok(())
}
