//! Consuming in groups: sharing, taking over, committing.

use crate::support::{Trial, create, fill, soon, values};
use anyhow::Result;
use callboard::{Client, Record};
use callboard_client::consumer::{Consumer, ConsumerBuilder, Reset};
use callboard_protocol::native::{Code, TopicPartition};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

fn member(client: &Client, topic: &str) -> ConsumerBuilder {
    client.consumer().group("readers").topics([topic]).auto_offset_reset(Reset::Earliest)
}

/// Lets consumers wait for records until they have shares of these sizes, in any order.
async fn share(consumers: &mut [&mut Consumer], sizes: &[usize]) -> Result<()> {
    let shared = async {
        loop {
            let mut found: Vec<_> = consumers.iter().map(|it| it.assignment().len()).collect();
            found.sort_unstable();
            if found == sizes {
                return Ok::<_, anyhow::Error>(());
            }
            for consumer in consumers.iter_mut() {
                let a_while = Duration::from_millis(50);
                if let Ok(record) = tokio::time::timeout(a_while, consumer.next()).await {
                    record?;
                }
            }
        }
    };
    soon(shared).await?
}

#[tokio::test]
async fn a_group_goes_on_where_it_was_committed() -> Result<()> {
    let trial = Trial::start().await?;
    for (name, client) in trial.clients().await? {
        let topic = format!("goes-on-{}", name.len());
        create(&client, &topic, 1).await?;
        fill(&client, &topic, 0, &["1", "2", "3", "4"]).await?;
        let group = format!("group-{}", name.len());
        let build =
            || client.consumer().group(&group).topics([topic.as_str()]).auto_offset_reset(Reset::Earliest);
        let mut first = build().auto_commit(None).build().await?;
        assert_eq!(values(&mut first, 2).await?, ["1", "2"], "{name}");
        first.commit().await?;
        assert_eq!(first.committed(&topic, 0).await?, Some(2), "{name}");
        assert_eq!(values(&mut first, 1).await?, ["3"], "{name}");
        // What was read after the commit is read again.
        first.close().await?;
        let mut second = build().build().await?;
        assert_eq!(values(&mut second, 1).await?, ["3"], "{name}");
        // Now what was given is committed when the consumer is closed.
        second.close().await?;
        let mut third = build().build().await?;
        assert_eq!(values(&mut third, 1).await?, ["4"], "{name}");
    }
    Ok(())
}

#[tokio::test]
async fn what_is_committed_behind_the_end_is_left_for_the_reset_policy() -> Result<()> {
    let trial = Trial::start().await?;
    for (name, client) in trial.clients().await? {
        let (topic, group) = (format!("behind-{}", name.len()), format!("far-{}", name.len()));
        create(&client, &topic, 1).await?;
        fill(&client, &topic, 0, &["1", "2"]).await?;
        let partition = TopicPartition { topic: client.admin().topic(&topic).await?.id, partition: 0 };
        client.admin().set_group_offsets(&group, [(partition, 1000)]).await?;
        let build = |reset| {
            let consumer = client.consumer().group(&group).topics([topic.as_str()]);
            consumer.auto_offset_reset(reset).auto_commit(None).build()
        };
        let mut earliest = build(Reset::Earliest).await?;
        assert_eq!(values(&mut earliest, 2).await?, ["1", "2"], "{name}");
        earliest.close().await?;
        let mut fails = build(Reset::Fail).await?;
        let error = soon(fails.next()).await?.unwrap_err();
        assert_eq!(error.code(), Some(Code::OFFSET_OUT_OF_RANGE), "{name}");
        fails.close().await?;
    }
    Ok(())
}

#[tokio::test]
async fn members_of_both_transports_share_the_partitions_and_take_over() -> Result<()> {
    let trial = Trial::start().await?;
    let [(_, local), (_, remote)] = trial.clients().await?;
    create(&local, "shared", 4).await?;
    let told = Arc::new(Mutex::new(Vec::new()));
    let (given, taken) = (Arc::clone(&told), Arc::clone(&told));
    let mut first = member(&local, "shared")
        .on_assigned(move |partitions| given.lock().unwrap().push(partitions.len() as i32))
        .on_revoked(move |partitions| taken.lock().unwrap().push(-(partitions.len() as i32)))
        .build()
        .await?;
    share(&mut [&mut first], &[4]).await?;
    let mut second = member(&remote, "shared").build().await?;
    share(&mut [&mut first, &mut second], &[2, 2]).await?;
    assert_eq!(*told.lock().unwrap(), [4, -2]);
    let both: BTreeSet<_> = [first.assignment(), second.assignment()].concat().into_iter().collect();
    assert_eq!(both.len(), 4, "each partition has one owner");
    for partition in 0..4 {
        fill(&local, "shared", partition, &["x"]).await?;
    }
    assert_eq!(values(&mut first, 2).await?, ["x", "x"]);
    assert_eq!(values(&mut second, 2).await?, ["x", "x"]);
    second.close().await?;
    share(&mut [&mut first], &[4]).await?;
    for partition in 0..4 {
        fill(&local, "shared", partition, &["y"]).await?;
    }
    assert_eq!(values(&mut first, 4).await?, ["y", "y", "y", "y"], "nothing that was committed comes again");
    Ok(())
}

#[tokio::test]
async fn a_member_that_does_not_give_up_what_it_has_is_out_after_its_rebalance_timeout() -> Result<()> {
    let trial = Trial::start().await?;
    for (name, client) in trial.clients().await? {
        let topic = format!("kept-{}", name.len());
        create(&client, &topic, 2).await?;
        let build = || member(&client, &topic).group(&topic);
        let mut first = build().rebalance_timeout(Duration::from_millis(200)).build().await?;
        share(&mut [&mut first], &[2]).await?;
        // The first says that it is there, and hears of nothing, because it does not ask for records.
        let mut second = build().build().await?;
        share(&mut [&mut second], &[1]).await?;
        assert_eq!(first.assignment().len(), 2, "{name}");
    }
    Ok(())
}

#[tokio::test]
async fn a_consumer_that_is_dropped_leaves_its_group() -> Result<()> {
    let trial = Trial::start().await?;
    for (name, client) in trial.clients().await? {
        let topic = format!("left-{}", name.len());
        create(&client, &topic, 2).await?;
        let mut first = member(&client, &topic).build().await?;
        let mut second = member(&client, &topic).build().await?;
        share(&mut [&mut first, &mut second], &[1, 1]).await?;
        drop(second);
        share(&mut [&mut first], &[2]).await?;
        first.close().await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_new_topic_that_the_pattern_matches_is_read() -> Result<()> {
    let trial = Trial::start().await?;
    for (name, client) in trial.clients().await? {
        let prefix = format!("logs-{}", name.len());
        let consumer = client.consumer().group(&prefix).pattern(format!("{prefix}\\..*"));
        let mut consumer = consumer.auto_offset_reset(Reset::Earliest).build().await?;
        client.producer().send(Record::to(format!("{prefix}.one")).value("1")).await?;
        assert_eq!(values(&mut consumer, 1).await?, ["1"], "{name}");
        client.producer().send(Record::to(format!("{prefix}.two")).value("2")).await?;
        assert_eq!(values(&mut consumer, 1).await?, ["2"], "{name}");
    }
    Ok(())
}

#[tokio::test]
async fn a_record_at_a_time_is_committed_without_being_a_member() -> Result<()> {
    let trial = Trial::start().await?;
    for (name, client) in trial.clients().await? {
        let (topic, group) = (format!("each-{}", name.len()), format!("outside-{}", name.len()));
        create(&client, &topic, 1).await?;
        fill(&client, &topic, 0, &["1", "2"]).await?;
        let build =
            || client.consumer().group(&group).assign(topic.as_str(), 0).auto_offset_reset(Reset::Earliest);
        let mut consumer = build().auto_commit(None).build().await?;
        let record = soon(consumer.next()).await??;
        consumer.commit_record(&record).await?;
        let offsets = client.admin().group_offsets(&group).await?;
        assert_eq!(offsets.iter().map(|it| it.offset).collect::<Vec<_>>(), [Some(1)], "{name}");
        assert_eq!(values(&mut build().build().await?, 1).await?, ["2"], "{name}");
    }
    Ok(())
}
