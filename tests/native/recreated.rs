//! Topics that are deleted and made again under the same name, while they are written and read.

use crate::support::{Trial, create, fill, reader, soon, values};
use anyhow::Result;
use callboard::{Client, Record};
use callboard_client::Error;
use callboard_client::consumer::Reset;
use callboard_client::producer::{Delivery, Receipt};
use callboard_protocol::native::Code;
use std::time::Duration;

/// A broker that makes no topics by itself.
async fn start() -> Result<(Trial, Client)> {
    let trial = Trial::start_with(&[("auto.create.topics.enable", "false")]).await?;
    // It knows nothing of what other clients do.
    let admin = Client::in_process(&trial.broker);
    create(&admin, "orders", 1).await?;
    Ok((trial, admin))
}

async fn recreate(admin: &Client, partitions: u32) -> Result<()> {
    admin.admin().delete_topic("orders").await?;
    create(admin, "orders", partitions).await
}

async fn receipts(deliveries: Vec<Delivery>) -> Result<Vec<Receipt>> {
    let mut receipts = Vec::new();
    for delivery in deliveries {
        receipts.push(soon(delivery).await??);
    }
    Ok(receipts)
}

#[tokio::test]
async fn records_in_flight_go_to_the_new_topic_in_their_order() -> Result<()> {
    let (trial, admin) = start().await?;
    for (name, client) in trial.clients().await? {
        for is_idempotent in [true, false] {
            let producer = client.producer_builder().batch_records(1).idempotent(is_idempotent).build();
            // Its numbers in the topic are beyond those with which a new one begins.
            producer.send_all((0..10).map(|_| Record::to("orders").value("old"))).await?;
            recreate(&admin, 1).await?;
            let send = |number: i32| producer.send(Record::to("orders").value(number.to_string()));
            let receipts = receipts((0..20).map(send).collect()).await?;
            let offsets: Vec<_> = receipts.iter().map(|receipt| receipt.offset).collect();
            assert!(offsets.iter().copied().eq(0..20), "{name}: {offsets:?}");
            let expected: Vec<_> = (0..20).map(|number| number.to_string()).collect();
            assert_eq!(values(&mut reader(&admin, "orders").await?, 20).await?, expected, "{name}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn records_wait_for_a_topic_that_is_made_again_later() -> Result<()> {
    let (trial, admin) = start().await?;
    let producer = trial.tcp().await?.producer();
    soon(producer.send(Record::to("orders").value("old"))).await??;
    admin.admin().delete_topic("orders").await?;
    let waiting = producer.send(Record::to("orders").value("new"));
    // A batch is taken back when the broker has refused it.
    soon(async {
        while producer.metrics().batches_repeated == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await?;
    create(&admin, "orders", 1).await?;
    assert_eq!(soon(waiting).await??.offset, 0);
    Ok(())
}

#[tokio::test]
async fn records_fail_when_no_topic_comes_in_time() -> Result<()> {
    let (trial, admin) = start().await?;
    let builder = trial.tcp().await?.producer_builder();
    let producer = builder.delivery_timeout(Duration::from_millis(300)).build();
    soon(producer.send(Record::to("orders").value("old"))).await??;
    admin.admin().delete_topic("orders").await?;
    let late = soon(producer.send(Record::to("orders").value("new"))).await?.unwrap_err();
    assert_eq!(late.code(), Some(Code::UNKNOWN_TOPIC));
    soon(producer.flush()).await?;
    assert_eq!(producer.metrics().buffered_bytes, 0);
    Ok(())
}

#[tokio::test]
async fn records_of_a_partition_that_the_new_topic_lacks_fail() -> Result<()> {
    let (trial, admin) = start().await?;
    recreate(&admin, 2).await?;
    let producer = trial.tcp().await?.producer();
    let record = |partition| Record::to("orders").partition(partition).value("x");
    producer.send_all([record(0), record(1)]).await?;
    recreate(&admin, 1).await?;
    let (kept, lost) = (producer.send(record(0)), producer.send(record(1)));
    assert_eq!(soon(kept).await??.offset, 0);
    assert!(soon(lost).await?.unwrap_err().to_string().contains("no partition 1"));
    Ok(())
}

#[tokio::test]
async fn an_assigned_partition_is_read_on_in_the_new_topic() -> Result<()> {
    let (trial, admin) = start().await?;
    for (name, client) in trial.clients().await? {
        let consumer = client.consumer().assign("orders", 0).auto_offset_reset(Reset::Earliest);
        let mut consumer = consumer.build().await?;
        fill(&admin, "orders", 0, &["old", "older"]).await?;
        assert_eq!(values(&mut consumer, 2).await?, ["old", "older"], "{name}");
        admin.admin().delete_topic("orders").await?;
        let told = soon(consumer.next()).await?.unwrap_err();
        let expected = Error::TopicDeleted { topic: "orders".to_owned(), partition: 0 };
        assert_eq!((&told, told.is_retriable()), (&expected, false), "{name}");
        create(&admin, "orders", 1).await?;
        fill(&admin, "orders", 0, &["new", "newer", "newest"]).await?;
        assert_eq!(values(&mut consumer, 3).await?, ["new", "newer", "newest"], "{name}: from its beginning");
        assert_eq!(consumer.position("orders", 0), Some(3), "{name}");
        recreate(&admin, 1).await?;
    }
    Ok(())
}

#[tokio::test]
async fn who_says_where_to_begin_by_hand_is_not_taken_elsewhere() -> Result<()> {
    let (trial, admin) = start().await?;
    let consumer = trial.tcp().await?.consumer().assign("orders", 0).auto_offset_reset(Reset::Fail);
    let mut consumer = consumer.build().await?;
    consumer.seek("orders", 0, 0)?;
    fill(&admin, "orders", 0, &["old"]).await?;
    assert_eq!(values(&mut consumer, 1).await?, ["old"]);
    recreate(&admin, 1).await?;
    assert!(matches!(soon(consumer.next()).await?, Err(Error::TopicDeleted { .. })));
    assert!(consumer.assignment().is_empty());
    Ok(())
}

#[tokio::test]
async fn a_member_reads_on_in_the_new_topic() -> Result<()> {
    let (trial, admin) = start().await?;
    let consumer = trial.tcp().await?.consumer().group("kitchen").topics(["orders"]);
    let mut consumer = consumer.auto_offset_reset(Reset::Earliest).build().await?;
    fill(&admin, "orders", 0, &["old"]).await?;
    assert_eq!(values(&mut consumer, 1).await?, ["old"]);
    recreate(&admin, 1).await?;
    fill(&admin, "orders", 0, &["new"]).await?;
    let read = loop {
        match soon(consumer.next()).await? {
            Ok(record) => break record,
            Err(error) => assert!(matches!(error, Error::TopicDeleted { .. }), "{error}"),
        }
    };
    assert_eq!(read.value().map(|value| &value[..]), Some(&b"new"[..]));
    Ok(())
}
