//! What a broker still knows after it was killed or stopped, and what its clients notice.

use crate::batch::{batch, stored};
use crate::client::Client;
use crate::own_broker;
use crate::topic::{LATEST, Topic, only_partition};
use callboard_protocol::kafka::ErrorCode;
use callboard_protocol::kafka::fetch::{FetchRequest, FetchResponse};
use callboard_protocol::kafka::metadata::{MetadataRequest, MetadataResponse};
use callboard_protocol::kafka::offset_for_leader_epoch::{
    OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse, OffsetForLeaderPartition, OffsetForLeaderTopic,
};
use callboard_protocol::kafka::produce::ProduceResponse;

/// The offset at which an epoch of partition 0 ended, and the epoch that was meant.
fn epoch_end(topic: &Topic, client: &mut Client, epoch: i32, current: i32) -> (ErrorCode, i32, i64) {
    let partition =
        OffsetForLeaderPartition { partition: 0, current_leader_epoch: current, leader_epoch: epoch };
    let topic = OffsetForLeaderTopic { topic: topic.name.clone(), partitions: vec![partition] };
    let request = OffsetForLeaderEpochRequest { replica_id: -1, topics: vec![topic] };
    let answer: OffsetForLeaderEpochResponse = client.call(4, &request);
    let end = &answer.topics[0].partitions[0];
    (end.error_code, end.leader_epoch, end.end_offset)
}

#[test]
fn what_was_acknowledged_survives_a_kill() {
    let Some(mut broker) = own_broker(&[]) else { return };
    let mut client = Client::connect(&broker);
    let topic = Topic::create_with(&mut client, 2, &[("max.message.bytes", "1000")]);
    for number in 0..100 {
        let value = format!("value {number}");
        client.send(9, &topic.produce_request([1, -1][number % 2], &[(0, batch(&[&value]).bytes())]));
    }
    for _ in 0..100 {
        client.receive::<ProduceResponse>(9);
    }
    broker.kill().unwrap();
    broker.restart().unwrap();
    let mut client = Client::connect(&broker);
    let read = topic.batches(&mut client, 0);
    let expected = (0..100).map(|number| batch(&[&format!("value {number}")]).bytes().slice(61..));
    assert!(read.iter().map(|batch| batch.records.clone()).eq(expected));
    let answer: MetadataResponse = client.call(12, &MetadataRequest::default());
    let known =
        answer.topics.iter().map(|topic| (topic.name.clone(), topic.topic_id, topic.partitions.len()));
    assert_eq!(known.collect::<Vec<_>>(), [(Some(topic.name.clone()), topic.id, 2)]);
    let large = batch(&[&"x".repeat(2000)]);
    assert_eq!(topic.produce(&mut client, 0, &large).error_code, ErrorCode::MESSAGE_TOO_LARGE);
    assert_eq!(topic.produce(&mut client, 0, &batch(&["next"])).base_offset, 100);
}

#[test]
fn a_broker_that_is_asked_to_stop_answers_what_has_begun_and_keeps_all() {
    let Some(mut broker) = own_broker(&[]) else { return };
    let mut client = Client::connect(&broker);
    let topic = Topic::create(&mut client, 1);
    topic.produce(&mut client, 0, &batch(&["a", "b"]));
    broker.stop().unwrap();
    client.assert_closed("the broker has stopped");
    broker.restart().unwrap();
    assert_eq!(topic.list(&mut Client::connect(&broker), 0, LATEST).offset, 2);
}

#[test]
fn each_start_is_a_leader_epoch_and_the_old_ones_are_fenced() {
    let Some(mut broker) = own_broker(&[]) else { return };
    let mut client = Client::connect(&broker);
    let topic = Topic::create(&mut client, 2);
    topic.produce(&mut client, 0, &batch(&["a", "b"]));
    let first = topic.list(&mut client, 0, LATEST).leader_epoch;
    broker.kill().unwrap();
    broker.restart().unwrap();
    let mut client = Client::connect(&broker);
    let second = topic.list(&mut client, 0, LATEST).leader_epoch;
    assert!(second > first);
    assert_eq!(
        topic.list(&mut client, 1, LATEST).leader_epoch,
        second,
        "an empty partition has the new one too"
    );
    assert_eq!(topic.list(&mut client, 0, -2).leader_epoch, first);
    let mut request = topic.fetch_request(&[(0, 0)]);
    for (epoch, code) in [(first, ErrorCode::FENCED_LEADER_EPOCH), (second, ErrorCode::NONE)] {
        request.topics[0].partitions[0].current_leader_epoch = epoch;
        assert_eq!(only_partition(client.call(11, &request)).error_code, code);
    }
    request.topics[0].partitions[0].current_leader_epoch = first;
    let told = only_partition(client.call(16, &request)).current_leader;
    assert_eq!((told.leader_id, told.leader_epoch), (1, second), "where to turn is told from version 16");
}

#[test]
fn epochs_end_where_the_next_begins_and_a_reader_that_went_beyond_is_told() {
    let Some(mut broker) = own_broker(&[]) else { return };
    let mut client = Client::connect(&broker);
    let topic = Topic::create(&mut client, 1);
    topic.produce(&mut client, 0, &batch(&["a", "b"]));
    let first = topic.list(&mut client, 0, LATEST).leader_epoch;
    broker.kill().unwrap();
    broker.restart().unwrap();
    let mut client = Client::connect(&broker);
    let second = topic.list(&mut client, 0, LATEST).leader_epoch;
    assert_eq!(
        epoch_end(&topic, &mut client, second, -1),
        (ErrorCode::NONE, second, 2),
        "nothing of it is there yet"
    );
    topic.produce(&mut client, 0, &batch(&["c"]));
    assert_eq!(epoch_end(&topic, &mut client, first, second), (ErrorCode::NONE, first, 2));
    assert_eq!(epoch_end(&topic, &mut client, second, -1), (ErrorCode::NONE, second, 3));
    assert_eq!(epoch_end(&topic, &mut client, second + 1, -1), (ErrorCode::NONE, -1, -1));
    assert_eq!(epoch_end(&topic, &mut client, first, first).0, ErrorCode::FENCED_LEADER_EPOCH);

    let mut request = topic.fetch_request(&[(0, 3)]);
    request.topics[0].partitions[0].last_fetched_epoch = first;
    let request = FetchRequest { max_wait_ms: 60_000, ..request };
    let answer = only_partition(client.call::<_, FetchResponse>(12, &request));
    let parted = (answer.diverging_epoch.epoch, answer.diverging_epoch.end_offset);
    assert_eq!(parted, (first, 2), "it read what a dead leader never acknowledged");
    assert!(stored(answer.records.as_ref()).is_empty());
}
