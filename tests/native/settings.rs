//! What can be set of producers and consumers, by what they do then.

use crate::support::{Trial, create, fill, soon, values};
use anyhow::{Context, Result};
use callboard::{Client, Record};
use callboard_client::consumer::Reset;
use callboard_client::producer::Partitioner;
use callboard_client::{Compression, Error};
use std::time::Duration;

/// Always the last one.
#[derive(Debug)]
struct Last;

impl Partitioner for Last {
    fn partition(&mut self, _record: &Record, partitions: u32) -> u32 {
        partitions - 1
    }
}

#[tokio::test]
async fn a_partitioner_of_the_programs_own_chooses() -> Result<()> {
    let trial = Trial::start().await?;
    let client = Client::in_process(&trial.broker);
    create(&client, "orders", 3).await?;
    let producer = client.producer_builder().partitioner(Last).build();
    let keyed = |key: String| Record::to("orders").key(key).value("x");
    let receipts = producer.send_all((0..10).map(|number| keyed(number.to_string()))).await?;
    assert!(receipts.iter().all(|receipt| receipt.partition == 2), "{receipts:?}");
    let named = soon(producer.send(Record::to("orders").partition(0).value("x"))).await??;
    assert_eq!(named.partition, 0, "who names one is not asked");
    Ok(())
}

#[tokio::test]
async fn a_batch_that_unpacks_to_too_much_is_an_error_and_the_next_is_read() -> Result<()> {
    let trial = Trial::start().await?;
    for (name, client) in trial.clients().await? {
        let topic = format!("packed-{}", name.len());
        create(&client, &topic, 1).await?;
        let producer = client.producer_builder().compression(Compression::Zstd).build();
        soon(producer.send(Record::to(topic.as_str()).value(vec![0; 100_000]))).await??;
        soon(producer.send(Record::to(topic.as_str()).value("small"))).await??;
        let consumer = client.consumer().assign(&topic, 0).auto_offset_reset(Reset::Earliest);
        let mut consumer = consumer.unpacked_bytes(1000).build().await?;
        let error = soon(consumer.next()).await?.unwrap_err();
        assert!(matches!(error, Error::Protocol(_)) && error.to_string().contains(&topic), "{name}: {error}");
        assert_eq!(values(&mut consumer, 1).await?, ["small"], "{name}");
    }
    Ok(())
}

/// Waits until a group has committed that offset.
async fn committed(client: &Client, group: &str, offset: i64) -> Result<()> {
    loop {
        let offsets = client.admin().group_offsets(group).await?;
        if offsets.iter().any(|committed| committed.offset == Some(offset)) {
            return Ok(());
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_was_read_is_committed_in_the_background() -> Result<()> {
    let trial = Trial::start().await?;
    for (name, client) in trial.clients().await? {
        let (topic, group) = (format!("orders-{}", name.len()), format!("by-hand-{}", name.len()));
        create(&client, &topic, 1).await?;
        fill(&client, &topic, 0, &["1", "2"]).await?;
        let consumer = client.consumer().group(&group).topics([&topic]).auto_commit(None);
        let mut consumer = consumer.auto_offset_reset(Reset::Earliest).build().await?;
        assert_eq!(values(&mut consumer, 2).await?, ["1", "2"], "{name}");
        consumer.commit_async();
        soon(committed(&client, &group, 2)).await?.context(name)?;
    }
    Ok(())
}

#[tokio::test]
async fn what_was_read_is_committed_by_itself_while_the_next_is_awaited() -> Result<()> {
    let trial = Trial::start().await?;
    for (name, client) in trial.clients().await? {
        let (topic, group) = (format!("orders-{}", name.len()), format!("by-itself-{}", name.len()));
        create(&client, &topic, 1).await?;
        fill(&client, &topic, 0, &["1", "2"]).await?;
        let consumer = client.consumer().group(&group).topics([&topic]);
        let every = Some(Duration::from_millis(50));
        let mut consumer = consumer.auto_commit(every).auto_offset_reset(Reset::Earliest).build().await?;
        assert_eq!(values(&mut consumer, 2).await?, ["1", "2"], "{name}");
        tokio::select! {
            record = consumer.next() => panic!("{name}: {record:?}"),
            done = soon(committed(&client, &group, 2)) => done?.context(name)?,
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_member_is_known_by_what_it_joined_with() -> Result<()> {
    let trial = Trial::start().await?;
    let address = trial.broker.native_address().context("no native port")?;
    let client = Client::connect_as(address.to_string(), "till").await?;
    create(&client, "orders", 1).await?;
    fill(&client, "orders", 0, &["1", "2"]).await?;
    let build = || {
        let consumer = client.consumer().group("kitchen").topics(["orders"]).instance("one");
        consumer.assignor("range").rack("cellar").auto_offset_reset(Reset::Earliest).build()
    };
    let mut consumer = build().await?;
    assert_eq!(values(&mut consumer, 1).await?, ["1"]);
    let group = client.admin().group("kitchen").await?;
    assert_eq!(group.assignor, "range");
    let member = &group.members[0];
    assert_eq!((member.instance.as_deref(), member.client_id.as_str()), (Some("one"), "till"));
    assert_eq!(consumer.membership().map(|it| it.member).as_deref(), Some(member.member.as_str()));
    consumer.close().await?;
    let away = client.admin().group("kitchen").await?;
    assert_eq!(away.members.len(), 1, "a static member is expected back");
    assert_eq!(values(&mut build().await?, 1).await?, ["2"], "and goes on");
    Ok(())
}
