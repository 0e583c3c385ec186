//! Consuming without a group: positions, pauses, times, batches.

use crate::support::{Trial, create, fill, reader, soon, values};
use anyhow::Result;
use callboard::Record;
use callboard_client::Error;
use callboard_client::consumer::Reset;
use callboard_protocol::native::Code;
use futures_util::StreamExt;

#[tokio::test]
async fn a_consumer_that_waits_is_given_what_comes() -> Result<()> {
    let trial = Trial::start().await?;
    for (name, client) in trial.clients().await? {
        let topic = format!("tail-{}", name.len());
        create(&client, &topic, 2).await?;
        let mut consumer = client.consumer().topics([topic.as_str()]).build().await?;
        // By default it begins at the end, which is found when it first waits.
        let idle = tokio::time::timeout(std::time::Duration::from_millis(300), consumer.next()).await;
        assert!(idle.is_err(), "{name}");
        for round in 0..20 {
            fill(&client, &topic, round % 2, &[&format!("{round}")]).await?;
            assert_eq!(values(&mut consumer, 1).await?, [format!("{round}")], "{name}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn seeking_goes_on_from_an_offset_or_a_time() -> Result<()> {
    let trial = Trial::start().await?;
    for (name, client) in trial.clients().await? {
        let topic = format!("seek-{}", name.len());
        create(&client, &topic, 1).await?;
        let record =
            |number: i64| Record::to(topic.as_str()).timestamp(1000 + number).value(number.to_string());
        client.producer().send_all((0..10).map(record)).await?;
        let mut consumer = reader(&client, &topic).await?;
        assert_eq!(values(&mut consumer, 3).await?, ["0", "1", "2"], "{name}");
        assert_eq!(consumer.position(&topic, 0), Some(3), "{name}");
        assert_eq!(consumer.lag(&topic, 0), Some(7), "{name}");
        consumer.seek(&topic, 0, 7)?;
        assert_eq!(values(&mut consumer, 3).await?, ["7", "8", "9"], "{name}");
        consumer.seek_to_time(&topic, 0, 1005).await?;
        assert_eq!(values(&mut consumer, 1).await?, ["5"], "{name}");
        consumer.seek(&topic, 0, 1)?;
        assert_eq!(values(&mut consumer, 2).await?, ["1", "2"], "{name}");
        assert!(matches!(consumer.seek(&topic, 1, 0), Err(Error::Invalid(_))), "{name}");
    }
    Ok(())
}

#[tokio::test]
async fn a_paused_partition_gives_nothing_and_loses_nothing() -> Result<()> {
    let trial = Trial::start().await?;
    for (name, client) in trial.clients().await? {
        let topic = format!("pause-{}", name.len());
        create(&client, &topic, 2).await?;
        fill(&client, &topic, 0, &["a0", "a1", "a2"]).await?;
        let mut consumer = reader(&client, &topic).await?;
        assert_eq!(values(&mut consumer, 1).await?, ["a0"], "{name}");
        consumer.pause(&topic, 0)?;
        fill(&client, &topic, 1, &["b0", "b1"]).await?;
        assert_eq!(values(&mut consumer, 2).await?, ["b0", "b1"], "{name}");
        consumer.resume(&topic, 0)?;
        assert_eq!(values(&mut consumer, 2).await?, ["a1", "a2"], "{name}");
    }
    Ok(())
}

#[tokio::test]
async fn more_than_the_buffer_holds_is_read_whole() -> Result<()> {
    let trial = Trial::start().await?;
    for (name, client) in trial.clients().await? {
        let topic = format!("large-{}", name.len());
        create(&client, &topic, 3).await?;
        let producer = client.producer_builder().batch_bytes(4000).build();
        let record = |number: usize| {
            Record::to(topic.as_str()).partition(number as u32 % 3).value(format!("{number:0>1000}"))
        };
        producer.send_all((0..1000).map(record)).await?;
        let consumer = client.consumer().topics([topic.as_str()]).auto_offset_reset(Reset::Earliest);
        let mut consumer = consumer.buffer_bytes(10_000).build().await?;
        let mut numbers: Vec<usize> = Vec::new();
        while numbers.len() < 1000 {
            for record in soon(consumer.next_batch()).await?? {
                numbers.push(std::str::from_utf8(record?.value().unwrap())?.parse()?);
            }
        }
        numbers.sort_unstable();
        assert_eq!(numbers, (0..1000).collect::<Vec<_>>(), "{name}");
    }
    Ok(())
}

#[tokio::test]
async fn a_stream_gives_the_records() -> Result<()> {
    let trial = Trial::start().await?;
    for (name, client) in trial.clients().await? {
        let topic = format!("stream-{}", name.len());
        create(&client, &topic, 1).await?;
        fill(&client, &topic, 0, &["1", "2", "3"]).await?;
        let mut consumer = reader(&client, &topic).await?;
        let records: Vec<_> = soon(consumer.stream().take(3).collect()).await?;
        let offsets: Vec<_> = records.into_iter().map(|it| it.unwrap().offset()).collect();
        assert_eq!(offsets, [0, 1, 2], "{name}");
    }
    Ok(())
}

#[tokio::test]
async fn an_offset_that_is_not_there_is_reset_or_an_error() -> Result<()> {
    let trial = Trial::start().await?;
    for (name, client) in trial.clients().await? {
        let topic = format!("reset-{}", name.len());
        create(&client, &topic, 1).await?;
        fill(&client, &topic, 0, &["first"]).await?;
        let mut consumer = reader(&client, &topic).await?;
        assert_eq!(values(&mut consumer, 1).await?, ["first"], "{name}");
        consumer.seek(&topic, 0, 99)?;
        assert_eq!(values(&mut consumer, 1).await?, ["first"], "{name}");
        let strict = client.consumer().assign(topic.as_str(), 0).auto_offset_reset(Reset::Fail);
        let mut strict = strict.build().await?;
        assert!(matches!(soon(strict.next()).await?, Err(Error::Invalid(_))), "{name}");
    }
    Ok(())
}

#[tokio::test]
async fn a_deleted_topic_is_told_and_the_others_go_on() -> Result<()> {
    let trial = Trial::start().await?;
    for (name, client) in trial.clients().await? {
        let (gone, kept) = (format!("gone-{}", name.len()), format!("kept-{}", name.len()));
        create(&client, &gone, 1).await?;
        create(&client, &kept, 1).await?;
        let consumer = client.consumer().topics([gone.as_str(), kept.as_str()]);
        let mut consumer = consumer.auto_offset_reset(Reset::Earliest).build().await?;
        fill(&client, &gone, 0, &["x"]).await?;
        assert_eq!(values(&mut consumer, 1).await?, ["x"], "{name}");
        client.admin().delete_topic(gone.as_str()).await?;
        fill(&client, &kept, 0, &["y"]).await?;
        let mut told = None;
        let mut read = None;
        while told.is_none() || read.is_none() {
            match soon(consumer.next()).await? {
                Ok(record) => read = record.value().cloned(),
                Err(error) => told = error.code(),
            }
        }
        assert_eq!((told, read.as_deref()), (Some(Code::UNKNOWN_TOPIC), Some(b"y".as_slice())), "{name}");
    }
    Ok(())
}
