//! Brokers for tests: what goes wrong at their doors, and what the native client makes of it.

use crate::support::{create, reader, soon, values};
use anyhow::Result;
use callboard::testing::{Effect, Fault, TestBroker};
use callboard::{Client, Record};
use callboard_client::producer::Producer;
use callboard_protocol::native::Code;
use futures_util::future::{Either, select};
use std::time::{Duration, Instant};

/// No test waits as long.
const NEVER: Duration = Duration::from_secs(3600);

/// A broker with a topic of one partition, and a client of its native port.
async fn start() -> Result<(TestBroker, Client)> {
    // An answer that comes never is not waited for.
    let broker = TestBroker::start_with([("shutdown.grace.ms", 100)]).await?;
    let client = Client::connect(broker.broker().native_address().unwrap().to_string()).await?;
    create(&client, "orders", 1).await?;
    Ok((broker, client))
}

async fn send(producer: &Producer, value: &'static str) -> Result<i64> {
    Ok(soon(producer.send(Record::to("orders").value(value))).await??.offset)
}

#[tokio::test]
async fn a_batch_that_was_refused_for_now_is_sent_again() -> Result<()> {
    let (broker, client) = start().await?;
    let producer = client.producer();
    broker.inject(Fault::new(Effect::Refuse(Code::UNAVAILABLE.0 as i16)).on("Produce").times(3));
    assert_eq!(send(&producer, "1").await?, 0);
    assert_eq!((broker.faults_happened(), producer.metrics().batches_repeated), (3, 3));
    broker.inject(Fault::new(Effect::Refuse(Code::INVALID_BATCH.0 as i16)).on("Produce"));
    assert!(send(&producer, "never").await.is_err());
    assert_eq!(send(&producer, "2").await?, 1);
    Ok(())
}

#[tokio::test]
async fn a_batch_whose_answer_was_lost_is_stored_once() -> Result<()> {
    let (broker, client) = start().await?;
    let producer = client.producer();
    for number in 0..5 {
        broker.inject(Fault::new(Effect::LoseAnswer).on("Produce"));
        assert_eq!(send(&producer, "x").await?, number, "{number}");
    }
    let mut consumer = reader(&broker.client(), "orders").await?;
    assert_eq!(values(&mut consumer, 5).await?.len(), 5);
    assert_eq!(consumer.lag("orders", 0), Some(0), "nothing is stored twice");
    Ok(())
}

#[tokio::test]
async fn many_batches_in_flight_keep_their_order_through_losses() -> Result<()> {
    let (broker, client) = start().await?;
    let (first, most) = (Duration::from_millis(1), Duration::from_millis(10));
    let producer = client.producer_builder().batch_records(3).backoff(first, most).build();
    let record = |number: i32| Record::to("orders").value(number.to_string());
    let mut deliveries = Vec::new();
    for number in 0..500 {
        if number % 50 == 0 {
            broker.inject(Fault::new(Effect::LoseAnswer).on("Produce"));
            broker.inject(Fault::new(Effect::Close).on("Produce"));
        }
        let mut delivery = producer.send(record(number));
        delivery.taken().await?;
        deliveries.push(delivery);
        if number % 10 == 0 {
            tokio::task::yield_now().await;
        }
    }
    for (number, delivery) in (0..).zip(deliveries) {
        assert_eq!(soon(delivery).await??.offset, number);
    }
    assert!(broker.faults_happened() > 0);
    let read = values(&mut reader(&broker.client(), "orders").await?, 500).await?;
    assert_eq!(read, (0..500).map(|number| number.to_string()).collect::<Vec<_>>());
    Ok(())
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_repeated_and_stored_once() -> Result<()> {
    let (broker, client) = start().await?;
    let producer = client.producer_builder().request_timeout(Duration::from_millis(50)).build();
    broker.inject(Fault::new(Effect::Delay(NEVER)).on("Produce"));
    assert_eq!(send(&producer, "1").await?, 0);
    assert!(producer.metrics().batches_repeated > 0);
    assert_eq!(send(&producer, "2").await?, 1);
    Ok(())
}

#[tokio::test]
async fn only_so_many_batches_of_a_partition_are_in_flight() -> Result<()> {
    let (broker, client) = start().await?;
    let late = Duration::from_millis(50);
    for (in_flight, delay, is_overtaken) in [(1, late, false), (2, NEVER, true)] {
        let producer = client.producer_builder().batch_records(1).in_flight(in_flight).build();
        // Only one goes before it is known that any arrives.
        send(&producer, "first").await?;
        broker.inject(Fault::new(Effect::Delay(delay)).on("Produce"));
        let [delayed, behind] = ["delayed", "behind"].map(|it| producer.send(Record::to("orders").value(it)));
        let answered = soon(select(delayed, behind)).await?;
        assert_eq!(matches!(answered, Either::Right(_)), is_overtaken, "{in_flight} in flight");
    }
    Ok(())
}

#[tokio::test]
async fn a_late_refusal_of_a_deleted_topic_does_not_touch_what_goes_to_the_next_of_its_name() -> Result<()> {
    let (broker, client) = start().await?;
    let producer = client.producer();
    let record = |partition, value: &'static str| Record::to("twice").partition(partition).value(value);
    create(&client, "twice", 2).await?;
    for partition in 0..2 {
        soon(producer.send(record(partition, "first"))).await??;
    }
    // Another client, of which the producer hears nothing.
    let other = Client::in_process(broker.broker());
    other.admin().delete_topic("twice").await?;
    create(&other, "twice", 2).await?;
    broker.inject(Fault::new(Effect::Delay(Duration::from_millis(300))).on("Produce"));
    let mut late = producer.send(record(0, "late"));
    late.taken().await?;
    assert_eq!(soon(producer.send(record(1, "refused"))).await??.offset, 0);
    let mut behind = producer.send(record(0, "behind"));
    behind.taken().await?;
    assert_eq!((soon(late).await??.offset, soon(behind).await??.offset), (0, 1));
    assert_eq!(soon(producer.send(record(1, "second"))).await??.offset, 1);
    Ok(())
}

#[tokio::test]
async fn an_answer_that_is_late_is_awaited_and_a_closed_connection_made_anew() -> Result<()> {
    let (broker, client) = start().await?;
    let late = Duration::from_millis(100);
    broker.inject(Fault::new(Effect::Delay(late)).on("DescribeCluster"));
    let begun = Instant::now();
    soon(client.admin().cluster()).await??;
    assert!(begun.elapsed() >= late);
    broker.inject(Fault::new(Effect::Close).on("DescribeCluster"));
    assert!(soon(client.admin().cluster()).await?.unwrap_err().is_retriable());
    soon(client.admin().cluster()).await??;
    Ok(())
}

#[tokio::test]
async fn a_crash_loses_nothing_that_was_acknowledged_and_clients_go_on() -> Result<()> {
    let (mut broker, client) = start().await?;
    let producer = client.producer();
    let mut consumer = reader(&client, "orders").await?;
    for round in 0..3 {
        assert_eq!(send(&producer, "x").await?, round);
        assert_eq!(soon(consumer.next()).await??.offset(), round);
        broker.crash_and_restart().await?;
    }
    assert_eq!(send(&producer, "x").await?, 3);
    assert_eq!(soon(consumer.next()).await??.offset(), 3);
    Ok(())
}

#[tokio::test]
async fn many_brokers_live_in_one_process() -> Result<()> {
    let mut brokers = Vec::new();
    for _ in 0..20 {
        brokers.push(TestBroker::start_with([("num.partitions", 1)]).await?);
    }
    for (number, broker) in brokers.iter().enumerate() {
        let client = broker.client();
        assert_eq!(client.admin().topics().await?.len(), 0, "{number}: each has its own");
        assert_eq!(send(&client.producer(), "x").await?, 0);
    }
    for broker in brokers {
        soon(broker.shutdown()).await?;
    }
    Ok(())
}
