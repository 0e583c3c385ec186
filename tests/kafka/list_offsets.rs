//! ListOffsets: the ends of a log, and its records by their time.

use crate::batch::{Batch, TIME, batch};
use crate::client::Client;
use crate::support::broker::Broker;
use crate::topic::{LATEST, Topic};
use callboard_protocol::kafka::ErrorCode;
use callboard_protocol::kafka::list_offsets::{ListOffsetsRequest, ListOffsetsResponse};

const EARLIEST: i64 = -2;
const MAX_TIME: i64 = -3;

/// The offset and timestamp that a partition has at a time.
fn at(topic: &Topic, client: &mut Client, partition: i32, timestamp: i64) -> (i64, i64) {
    let found = topic.list(client, partition, timestamp);
    assert_eq!(found.error_code, ErrorCode::NONE);
    (found.offset, found.timestamp)
}

#[test]
fn a_log_has_a_start_and_an_end() {
    let broker = Broker::start().unwrap();
    let mut client = Client::connect(&broker);
    let topic = Topic::create(&mut client, 2);
    topic.produce(&mut client, 0, &batch(&["a", "b"]));
    assert_eq!(at(&topic, &mut client, 0, EARLIEST), (0, -1));
    assert_eq!(at(&topic, &mut client, 0, LATEST), (2, -1));
    assert_eq!(at(&topic, &mut client, 1, EARLIEST), (0, -1));
    let empty = topic.list(&mut client, 1, LATEST);
    assert_eq!(empty.offset, 0);
    assert_eq!(empty.leader_epoch, topic.list(&mut client, 0, LATEST).leader_epoch);
}

#[test]
fn a_time_brings_the_first_record_that_is_not_older() {
    let broker = Broker::start().unwrap();
    let mut client = Client::connect(&broker);
    let topic = Topic::create(&mut client, 2);
    topic.produce(&mut client, 0, &batch(&["a", "b", "c"]));
    topic.produce(&mut client, 0, &Batch::timed(&[(TIME + 10, "d"), (TIME + 11, "e")]));
    topic.produce(&mut client, 0, &Batch::timed(&[(TIME - 5, "late")]));
    for (time, expected) in [
        (0, (0, TIME)),
        (TIME, (0, TIME)),
        (TIME + 1, (1, TIME + 1)),
        (TIME + 3, (3, TIME + 10)),
        (TIME + 11, (4, TIME + 11)),
        (TIME + 12, (-1, -1)),
        (i64::MAX, (-1, -1)),
    ] {
        assert_eq!(at(&topic, &mut client, 0, time), expected, "at {}", time - TIME);
    }
    assert_eq!(at(&topic, &mut client, 0, MAX_TIME), (4, TIME + 11));
    assert_eq!(at(&topic, &mut client, 1, MAX_TIME), (-1, -1));
    assert_eq!(at(&topic, &mut client, 1, 0), (-1, -1));
}

#[test]
fn a_packed_batch_is_searched_record_by_record() {
    let broker = Broker::start().unwrap();
    let mut client = Client::connect(&broker);
    let topic = Topic::create(&mut client, 1);
    let packed = Batch::timed(&[(TIME, "a"), (TIME + 5, "b"), (TIME + 5, "c")]).gzipped();
    assert_eq!(topic.produce(&mut client, 0, &packed).error_code, ErrorCode::NONE);
    assert_eq!(at(&topic, &mut client, 0, TIME + 1), (1, TIME + 5));
    assert_eq!(
        at(&topic, &mut client, 0, MAX_TIME),
        (1, TIME + 5),
        "the first of those with the largest time"
    );
}

#[test]
fn special_times_come_with_their_versions() {
    let broker = Broker::start().unwrap();
    let mut client = Client::connect(&broker);
    let topic = Topic::create(&mut client, 1);
    topic.produce(&mut client, 0, &batch(&["a"]));
    let mut code = |version, timestamp| {
        let answer: ListOffsetsResponse = client.call(version, &topic.list_request(&[(0, timestamp)]));
        answer.topics[0].partitions[0].error_code
    };
    for (timestamp, since) in [(-3, 7), (-4, 8), (-5, 9), (-6, 11)] {
        assert_eq!(code(since - 1, timestamp), ErrorCode::UNSUPPORTED_VERSION, "{timestamp}");
        assert_eq!(code(since, timestamp), ErrorCode::NONE, "{timestamp}");
    }
    assert_eq!(code(11, -7), ErrorCode::UNSUPPORTED_VERSION);
    assert_eq!(code(1, LATEST), ErrorCode::NONE);
}

#[test]
fn what_is_not_there_or_named_twice_has_its_code() {
    let broker = Broker::start().unwrap();
    let mut client = Client::connect(&broker);
    let topic = Topic::create(&mut client, 2);
    let request = topic.list_request(&[(0, LATEST), (0, EARLIEST), (1, LATEST), (7, LATEST)]);
    let answer: ListOffsetsResponse = client.call(6, &request);
    let mut codes: Vec<_> =
        answer.topics[0].partitions.iter().map(|it| (it.partition_index, it.error_code)).collect();
    codes.sort_unstable();
    let unknown = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
    assert_eq!(codes, [(0, ErrorCode::INVALID_REQUEST), (1, ErrorCode::NONE), (7, unknown)]);
    let nowhere = Topic { name: "nowhere".into(), id: topic.id };
    assert_eq!(nowhere.list(&mut client, 0, LATEST).error_code, unknown);
}

#[test]
fn leader_epochs_are_compared_and_isolation_levels_known() {
    let broker = Broker::start().unwrap();
    let mut client = Client::connect(&broker);
    let topic = Topic::create(&mut client, 1);
    let epoch = topic.list(&mut client, 0, LATEST).leader_epoch;
    let mut code = |current_leader_epoch, isolation_level| {
        let mut request = ListOffsetsRequest { isolation_level, ..topic.list_request(&[(0, LATEST)]) };
        request.topics[0].partitions[0].current_leader_epoch = current_leader_epoch;
        let answer: ListOffsetsResponse = client.call(8, &request);
        answer.topics[0].partitions[0].error_code
    };
    assert_eq!(code(epoch, 0), ErrorCode::NONE);
    assert_eq!(code(epoch + 1, 0), ErrorCode::UNKNOWN_LEADER_EPOCH);
    assert_eq!(code(-2, 0), ErrorCode::FENCED_LEADER_EPOCH);
    assert_eq!(code(-1, 1), ErrorCode::NONE);
    assert_eq!(code(-1, 2), ErrorCode::UNKNOWN_SERVER_ERROR);
}
