//! Producing: order, receipts, batches, failures.

use crate::support::{Log, PATIENCE, Trial, create, reader, soon, values};
use anyhow::Result;
use callboard::{Client, Record};
use callboard_client::producer::Receipt;
use callboard_client::{Acks, Compression, Error};
use callboard_protocol::native::Code;
use futures_util::FutureExt;
use std::collections::HashMap;
use std::time::Duration;

#[tokio::test]
async fn a_record_comes_back_as_it_was_sent() -> Result<()> {
    let trial = Trial::start().await?;
    for (name, client) in trial.clients().await? {
        let topic = name.replace(' ', "-");
        let record = Record::to(topic.as_str()).key("k").value("v").timestamp(1234).header("h", "1");
        let receipt = soon(client.producer().send(record)).await??;
        assert_eq!((receipt.offset, receipt.timestamp), (0, 1234), "{name}");
        let received = soon(reader(&client, &topic).await?.next()).await??;
        assert_eq!((received.partition, received.offset()), (receipt.partition, 0), "{name}");
        assert_eq!((received.key().unwrap().as_ref(), received.timestamp()), (b"k".as_slice(), 1234));
        assert_eq!(received.value().unwrap().as_ref(), b"v", "{name}");
        let headers: Vec<_> = received.headers().map(|it| (it.name, it.value)).collect();
        assert_eq!(headers, [("h".into(), Some("1".into()))], "{name}");
    }
    Ok(())
}

#[tokio::test]
async fn every_codec_and_every_acks_is_read_back_in_order() -> Result<()> {
    let trial = Trial::start().await?;
    for (name, client) in trial.clients().await? {
        let topic = format!("codecs-{}", name.len());
        create(&client, &topic, 1).await?;
        let mut sent = Vec::new();
        for compression in
            [Compression::None, Compression::Gzip, Compression::Snappy, Compression::Lz4, Compression::Zstd]
        {
            for acks in [Acks::None, Acks::Written, Acks::Synced] {
                let producer = client.producer_builder().compression(compression).acks(acks).build();
                let texts: Vec<_> =
                    (0..50).map(|number| format!("{compression:?} {acks:?} {number}")).collect();
                let records = texts.iter().map(|text| Record::to(topic.as_str()).value(text.clone()));
                soon(producer.send_all(records)).await??;
                sent.extend(texts);
                // What nobody acknowledged is behind the next that somebody does.
                let end = Record::to(topic.as_str()).value("end");
                soon(client.producer().send(end)).await??;
                sent.push("end".to_owned());
            }
        }
        let mut consumer = reader(&client, &topic).await?;
        assert_eq!(values(&mut consumer, sent.len()).await?, sent, "{name}");
    }
    Ok(())
}

#[tokio::test]
async fn records_of_a_partition_keep_their_order_while_many_are_in_flight() -> Result<()> {
    let trial = Trial::start().await?;
    for (name, client) in trial.clients().await? {
        let topic = format!("ordered-{}", name.len());
        create(&client, &topic, 3).await?;
        let producer = client.producer_builder().batch_records(7).build();
        let record = |number: usize| {
            Record::to(topic.as_str()).key(format!("{}", number % 10)).value(number.to_string())
        };
        let receipts = soon(producer.send_all((0..5000).map(record))).await??;
        let mut ends: HashMap<u32, i64> = HashMap::new();
        for Receipt { partition, offset, .. } in receipts {
            let end = ends.entry(partition).or_default();
            assert_eq!(offset, *end, "{name}: offsets of a partition grow by one");
            *end += 1;
        }
        let mut consumer = reader(&client, &topic).await?;
        let mut last: HashMap<bytes::Bytes, usize> = HashMap::new();
        for _ in 0..5000 {
            let record = soon(consumer.next()).await??;
            let number: usize = std::str::from_utf8(record.value().unwrap())?.parse()?;
            let before = last.insert(record.key().unwrap().clone(), number);
            assert!(before.is_none_or(|before| before + 10 == number), "{name}: {before:?} before {number}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_record_that_is_refused_harms_none_behind_it() -> Result<()> {
    let trial = Trial::start().await?;
    for (name, client) in trial.clients().await? {
        let topic = format!("refused-{}", name.len());
        create(&client, &topic, 1).await?;
        let producer = client.producer_builder().batch_records(1).build();
        let record = |value: Vec<u8>| producer.send(Record::to(topic.as_str()).value(value));
        let first = soon(record(b"first".to_vec())).await??;
        let sent: Vec<_> =
            (0..20).map(|number| record(if number == 3 { vec![0; 2 << 20] } else { vec![number] })).collect();
        let mut offsets = vec![first.offset];
        for (number, delivery) in (0..).zip(sent) {
            match soon(delivery).await? {
                Ok(receipt) => offsets.push(receipt.offset),
                Err(error) => assert_eq!((number, error.code()), (3, Some(Code::BATCH_TOO_LARGE)), "{name}"),
            }
        }
        assert_eq!(offsets, (0..20).collect::<Vec<_>>(), "{name}");
    }
    Ok(())
}

#[tokio::test]
async fn what_is_sent_outlives_a_restart_of_the_broker() -> Result<()> {
    let trial = Trial::start().await?;
    let client = Client::in_process(&trial.broker);
    create(&client, "kept", 1).await?;
    soon(client.producer().send(Record::to("kept").value("before"))).await??;
    drop(client);
    let trial = trial.restart().await?;
    for (_, client) in trial.clients().await? {
        assert_eq!(values(&mut reader(&client, "kept").await?, 1).await?, ["before"]);
    }
    Ok(())
}

#[tokio::test]
async fn what_a_full_batch_left_over_goes_when_it_has_waited() -> Result<()> {
    let trial = Trial::start().await?;
    for (name, client) in trial.clients().await? {
        let topic = name.replace(' ', "-");
        create(&client, &topic, 1).await?;
        let builder = client.producer_builder().linger(Duration::from_millis(1)).batch_bytes(1000);
        let producer = builder.build();
        let record = |size| Record::to(topic.as_str()).value(vec![b'.'; size]);
        // The first fills a batch alone, and the third does not fit beside the second.
        let sent: Vec<_> = [2000, 600, 600].map(|size| producer.send(record(size))).into();
        for (offset, delivery) in (0..).zip(sent) {
            assert_eq!(soon(delivery).await??.offset, offset, "{name}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_producer_that_is_dropped_still_delivers() -> Result<()> {
    let trial = Trial::start().await?;
    for (name, client) in trial.clients().await? {
        let topic = format!("dropped-{}", name.len());
        create(&client, &topic, 1).await?;
        let producer = client.producer_builder().linger(Duration::from_secs(600)).build();
        drop(producer.send(Record::to(topic.as_str()).value("late")));
        drop(producer);
        assert_eq!(values(&mut reader(&client, &topic).await?, 1).await?, ["late"], "{name}");
    }
    Ok(())
}

#[tokio::test]
async fn a_flush_sends_what_waits_for_company() -> Result<()> {
    let trial = Trial::start().await?;
    for (name, client) in trial.clients().await? {
        let topic = format!("flushed-{}", name.len());
        let producer = client.producer_builder().linger(Duration::from_secs(600)).build();
        let delivery = producer.send(Record::to(topic.as_str()).value("now"));
        soon(producer.flush()).await?;
        assert_eq!(futures_util::FutureExt::now_or_never(delivery).unwrap()?.offset, 0, "{name}");
        assert_eq!(producer.metrics().records_delivered, 1, "{name}");
        assert_eq!(producer.metrics().buffered_bytes, 0, "{name}");
    }
    Ok(())
}

#[tokio::test]
async fn a_full_buffer_makes_the_sender_wait_and_loses_nothing() -> Result<()> {
    let trial = Trial::start().await?;
    for (name, client) in trial.clients().await? {
        let topic = format!("bounded-{}", name.len());
        create(&client, &topic, 1).await?;
        let producer = client.producer_builder().buffer_bytes(4096).build();
        let record = |number: usize| Record::to(topic.as_str()).value(vec![number as u8; 1000]);
        let receipts = soon(producer.send_all((0..200).map(record))).await??;
        assert_eq!(receipts.len(), 200, "{name}");
        let large = Record::to(topic.as_str()).value(vec![0; 5000]);
        assert!(matches!(soon(producer.send(large)).await?, Err(Error::Invalid(_))), "{name}");
        let metrics = producer.metrics();
        assert_eq!((metrics.records_delivered, metrics.records_failed), (200, 1), "{name}");
    }
    Ok(())
}

#[tokio::test]
async fn records_that_are_dropped_before_there_was_room_are_counted() -> Result<()> {
    let trial = Trial::start().await?;
    let client = trial.tcp().await?;
    create(&client, "orders", 1).await?;
    let producer = client.producer_builder().buffer_bytes(4096).linger(PATIENCE).build();
    let record = || Record::to("orders").value(vec![0; 1000]);
    let taken = [producer.send(record()), producer.send(record()), producer.send(record())];
    let mut polled = producer.send(record());
    assert!((&mut polled).now_or_never().is_none(), "there is no room");
    let mut waits = producer.send(record());
    drop((polled, producer.send(record())));
    assert_eq!(producer.metrics().records_dropped, 2, "one was polled, the other was not");
    producer.flush().await;
    drop(taken);
    soon(waits.taken()).await??;
    producer.flush().await;
    assert_eq!(soon(waits).await??.offset, 3);
    let metrics = producer.metrics();
    assert_eq!((metrics.records_delivered, metrics.records_dropped, metrics.records_failed), (4, 2, 0));
    Ok(())
}

#[test]
fn all_that_was_not_delivered_when_the_runtime_ends_is_told_and_fails() -> Result<()> {
    let new = || tokio::runtime::Builder::new_current_thread().enable_all().build();
    let (runtime, other) = (new()?, new()?);
    let trial = other.block_on(Trial::start())?;
    let (producer, taken, waits) = runtime.block_on(async {
        let client = trial.tcp().await?;
        create(&client, "orders", 1).await?;
        let producer = client.producer_builder().buffer_bytes(4096).linger(PATIENCE).build();
        let record = || Record::to("orders").value(vec![0; 1000]);
        let taken = [producer.send(record()), producer.send(record())];
        tokio::task::yield_now().await;
        // The producer's task has not seen the third yet; there is no room for the others.
        let more = [producer.send(record()), producer.send(record()), producer.send(record())];
        anyhow::Ok((producer, taken, more))
    })?;
    let log = Log::default();
    let lines = tracing_subscriber::fmt().with_ansi(false).with_writer(log.clone());
    tracing::subscriber::with_default(lines.finish(), || drop(runtime));
    assert!(log.text().contains("known to be delivered records=5"), "{}", log.text());
    for delivery in taken.into_iter().chain(waits) {
        assert_eq!(other.block_on(soon(delivery))?, Err(Error::Closed));
    }
    let metrics = producer.metrics();
    assert_eq!((metrics.records_failed, metrics.records_dropped), (5, 0));
    Ok(())
}

#[tokio::test]
async fn a_topic_that_cannot_be_is_an_error_of_its_records() -> Result<()> {
    let trial = Trial::start_with(&[("auto.create.topics.enable", "false")]).await?;
    for (name, client) in trial.clients().await? {
        let producer = client.producer();
        let refused = soon(producer.send(Record::to("missing").value("x"))).await?.unwrap_err();
        assert_eq!(refused.code(), Some(Code::UNKNOWN_TOPIC), "{name}");
        create(&client, &format!("here-{}", name.len()), 2).await?;
        let wrong = Record::to(format!("here-{}", name.len())).partition(2).value("x");
        assert!(matches!(soon(producer.send(wrong)).await?, Err(Error::Invalid(_))), "{name}");
    }
    Ok(())
}

#[tokio::test]
async fn send_all_sends_and_awaits_what_stands_beside_a_record_that_cannot_be_sent() -> Result<()> {
    let trial = Trial::start().await?;
    for (name, client) in trial.clients().await? {
        let topic = name.replace(' ', "-");
        create(&client, &topic, 1).await?;
        let producer = client.producer_builder().buffer_bytes(1 << 20).build();
        let record = |size| Record::to(topic.as_str()).value(vec![b'.'; size]);
        let outcome = soon(producer.send_all([record(1), record(2 << 20), record(3)])).await?;
        assert!(matches!(outcome, Err(Error::Invalid(_))), "{name}: {outcome:?}");
        assert_eq!(producer.metrics().records_delivered, 2, "{name}");
    }
    Ok(())
}

#[tokio::test]
async fn records_without_keys_that_are_sent_one_by_one_are_spread() -> Result<()> {
    let trial = Trial::start().await?;
    for (name, client) in trial.clients().await? {
        let topic = name.replace(' ', "-");
        create(&client, &topic, 4).await?;
        let producer = client.producer();
        let mut partitions = std::collections::BTreeSet::new();
        for _ in 0..200 {
            let receipt = soon(producer.send(Record::to(topic.as_str()).value("x"))).await??;
            partitions.insert(receipt.partition);
        }
        assert_eq!(partitions.len(), 4, "{name}");
    }
    Ok(())
}

#[tokio::test]
async fn a_partition_that_was_added_is_found_at_once() -> Result<()> {
    let trial = Trial::start().await?;
    for (name, client) in trial.clients().await? {
        let topic = name.replace(' ', "-");
        create(&client, &topic, 1).await?;
        let producer = client.producer();
        let to = |partition| Record::to(topic.as_str()).partition(partition).value("x");
        soon(producer.send(to(0))).await??;
        assert!(matches!(soon(producer.send(to(1))).await?, Err(Error::Invalid(_))), "{name}");
        client.admin().grow_topic(&topic, 2).await?;
        assert_eq!(soon(producer.send(to(1))).await??.offset, 0, "{name}");
    }
    Ok(())
}
