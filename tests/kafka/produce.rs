//! Produce: which batches are taken, what the others are answered, and what is stored of them.

use crate::batch::{Batch, TIME, batch, stored};
use crate::client::Client;
use crate::support::broker::{Broker, elsewhere};
use crate::topic::{LATEST, Topic, only_partition};
use bytes::Bytes;
use callboard_protocol::batch::{Attributes, TimestampType};
use callboard_protocol::kafka::ErrorCode;
use callboard_protocol::kafka::fetch::FetchResponse;
use callboard_protocol::kafka::produce::{ProduceRequest, ProduceResponse};
use uuid::Uuid;

/// Batches that are refused, and the code for each.
fn refused() -> Vec<(&'static str, Bytes, ErrorCode)> {
    let good = batch(&["a", "b"]);
    let with = |change: fn(&mut callboard_protocol::batch::BatchHeader)| good.clone().with(change).bytes();
    let length = i32::try_from(good.bytes().len() - 12).unwrap();
    vec![
        ("nothing", Bytes::new(), ErrorCode::INVALID_RECORD),
        ("a wrong checksum", good.patched(70, b"!"), ErrorCode::CORRUPT_MESSAGE),
        ("format 0", good.patched(16, &[0]), ErrorCode::INVALID_RECORD),
        ("format 1", good.patched(16, &[1]), ErrorCode::INVALID_RECORD),
        ("format 3", good.patched(16, &[3]), ErrorCode::CORRUPT_MESSAGE),
        ("two batches", [good.bytes(), good.bytes()].concat().into(), ErrorCode::INVALID_RECORD),
        ("half a batch", good.bytes().slice(..70), ErrorCode::INVALID_RECORD),
        ("a length of less than a header", good.patched(8, &48i32.to_be_bytes()), ErrorCode::CORRUPT_MESSAGE),
        ("a length beyond its end", good.patched(8, &(length + 1).to_be_bytes()), ErrorCode::INVALID_RECORD),
        ("more records than offsets", with(|header| header.record_count = 3), ErrorCode::INVALID_RECORD),
        ("fewer records than offsets", with(|header| header.record_count = 1), ErrorCode::INVALID_RECORD),
        ("no records", with(|header| header.record_count = 0), ErrorCode::INVALID_RECORD),
        (
            "a last offset before the first",
            with(|header| header.last_offset_delta = -2),
            ErrorCode::INVALID_RECORD,
        ),
        ("an offset of its own", with(|header| header.base_offset = 7), ErrorCode::INVALID_RECORD),
        ("a control batch", with(|header| header.attributes = Attributes(0x20)), ErrorCode::INVALID_RECORD),
        (
            "a transactional batch without a transaction",
            with(|header| header.attributes = Attributes(0x10)),
            ErrorCode::TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
        ),
        (
            "a time in the future",
            Batch::timed(&[(4_000_000_000_000, "x")]).bytes(),
            ErrorCode::INVALID_TIMESTAMP,
        ),
        ("a producer without a sequence", good.clone().from(7, 0, -1).bytes(), ErrorCode::INVALID_RECORD),
    ]
}

#[test]
fn a_batch_that_breaks_a_rule_is_refused_by_its_code_and_not_stored() {
    let broker = Broker::start().unwrap();
    let mut client = Client::connect(&broker);
    let topic = Topic::create(&mut client, 1);
    for (what, bytes, code) in refused() {
        let answer = topic.produce_bytes(&mut client, 0, bytes);
        assert_eq!((answer.error_code, answer.base_offset), (code, -1), "{what}");
    }
    assert_eq!(topic.list(&mut client, 0, LATEST).offset, 0);
    assert_eq!(topic.produce(&mut client, 0, &batch(&["good"])).base_offset, 0);
}

#[test]
fn a_negative_time_is_refused_though_kafka_takes_it() {
    if elsewhere().is_some() {
        return;
    }
    let broker = Broker::start().unwrap();
    let mut client = Client::connect(&broker);
    let topic = Topic::create(&mut client, 1);
    let code = |client: &mut Client, time| topic.produce(client, 0, &Batch::timed(&[(time, "x")])).error_code;
    assert_eq!(code(&mut client, -2), ErrorCode::INVALID_TIMESTAMP);
    assert_eq!(code(&mut client, -1), ErrorCode::NONE, "-1 says that there is no time");
}

#[test]
fn batches_stand_one_after_another_and_read_back_as_they_were_sent() {
    let broker = Broker::start().unwrap();
    let mut client = Client::connect(&broker);
    let topic = Topic::create(&mut client, 1);
    let (first, second) = (batch(&["a", "b"]), batch(&["c"]).gzipped());
    for (sent, base_offset) in [(&first, 0), (&second, 2)] {
        let answer = topic.produce(&mut client, 0, sent);
        assert_eq!((answer.error_code, answer.base_offset), (ErrorCode::NONE, base_offset));
        assert_eq!((answer.log_append_time_ms, answer.log_start_offset), (-1, 0));
    }
    let read = topic.batches(&mut client, 0);
    let places: Vec<_> =
        read.iter().map(|batch| (batch.header.base_offset, batch.header.last_offset())).collect();
    assert_eq!(places, [(0, 1), (2, 2)]);
    assert_eq!(read[0].records, first.bytes().slice(61..));
    assert_eq!(read[1].records, second.bytes().slice(61..), "what is packed stays as it is");
    let epoch = topic.list(&mut client, 0, LATEST).leader_epoch;
    assert_eq!(read[0].header.leader_epoch, epoch);
}

#[test]
fn a_bad_partition_does_not_harm_the_others_and_of_two_batches_for_one_the_last_counts() {
    let broker = Broker::start().unwrap();
    let mut client = Client::connect(&broker);
    let topic = Topic::create(&mut client, 3);
    let good = batch(&["good"]).bytes();
    let bad = batch(&["bad"]).patched(17, b"crc!");
    let request = topic.produce_request(-1, &[(0, good.clone()), (1, bad), (9, good.clone())]);
    let answer: ProduceResponse = client.call(9, &request);
    let mut codes: Vec<_> = answer.responses.iter().flat_map(|topic| &topic.partition_responses).collect();
    codes.sort_by_key(|partition| partition.index);
    let codes: Vec<_> = codes.iter().map(|partition| (partition.index, partition.error_code)).collect();
    let unknown = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
    assert_eq!(codes, [(0, ErrorCode::NONE), (1, ErrorCode::CORRUPT_MESSAGE), (9, unknown)]);

    let request = topic.produce_request(-1, &[(2, good), (2, batch(&["x", "y"]).bytes())]);
    let answer: ProduceResponse = client.call(9, &request);
    assert_eq!(answer.responses[0].partition_responses.len(), 1);
    assert_eq!(topic.batches(&mut client, 2)[0].header.record_count, 2);
}

#[test]
fn unknown_topics_and_acks_have_their_codes() {
    let broker = Broker::start().unwrap();
    let mut client = Client::connect(&broker);
    let topic = Topic::create(&mut client, 1);
    let code = |client: &mut Client, version, request: &ProduceRequest| {
        let answer: ProduceResponse = client.call(version, request);
        answer.responses[0].partition_responses[0].error_code
    };
    let nowhere = Topic { name: "nowhere".into(), id: Uuid::from_u128(1) };
    let unknown = nowhere.produce_request(1, &[(0, batch(&["x"]).bytes())]);
    assert_eq!(code(&mut client, 12, &unknown), ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    assert_eq!(code(&mut client, 13, &unknown), ErrorCode::UNKNOWN_TOPIC_ID);
    for acks in [2, -2] {
        let request = topic.produce_request(acks, &[(0, batch(&["x"]).bytes())]);
        assert_eq!(code(&mut client, 9, &request), ErrorCode::INVALID_REQUIRED_ACKS);
    }
    for version in [3, 13] {
        let request = topic.produce_request(1, &[(0, batch(&["x"]).bytes())]);
        assert_eq!(code(&mut client, version, &request), ErrorCode::NONE);
    }
}

#[test]
fn a_batch_may_be_as_large_as_the_topic_says() {
    let broker = Broker::start().unwrap();
    let mut client = Client::connect(&broker);
    let overhead = Batch::of_size(900).bytes().len() - 900;
    let topic = Topic::create_with(&mut client, 1, &[("max.message.bytes", "1000")]);
    let largest = Batch::of_size(1000 - overhead);
    assert_eq!(largest.bytes().len(), 1000);
    assert_eq!(topic.produce(&mut client, 0, &largest).error_code, ErrorCode::NONE);
    let larger = Batch::of_size(1001 - overhead);
    assert_eq!(topic.produce(&mut client, 0, &larger).error_code, ErrorCode::MESSAGE_TOO_LARGE);
}

#[test]
fn zstd_needs_version_7() {
    let broker = Broker::start().unwrap();
    let mut client = Client::connect(&broker);
    let topic = Topic::create(&mut client, 1);
    let zstd = batch(&["x"]).with(|header| header.attributes = Attributes(4)).bytes();
    let answer: ProduceResponse = client.call(6, &topic.produce_request(1, &[(0, zstd)]));
    let code = answer.responses[0].partition_responses[0].error_code;
    assert_eq!(code, ErrorCode::UNSUPPORTED_COMPRESSION_TYPE);
}

#[test]
fn with_log_append_time_the_broker_gives_the_time() {
    let broker = Broker::start().unwrap();
    let mut client = Client::connect(&broker);
    let topic = Topic::create_with(&mut client, 1, &[("message.timestamp.type", "LogAppendTime")]);
    let answer = topic.produce(&mut client, 0, &batch(&["a", "b"]));
    assert!(answer.log_append_time_ms > TIME);
    let read: FetchResponse = client.call(4, &topic.fetch_request(&[(0, 0)]));
    let header = stored(only_partition(read).records.as_ref())[0].header;
    assert_eq!(header.attributes.timestamp_type(), TimestampType::LogAppendTime);
    assert_eq!((header.base_timestamp, header.max_timestamp), (TIME, answer.log_append_time_ms));
}

#[test]
fn without_acks_nothing_is_answered_and_an_error_closes_the_connection() {
    let broker = Broker::start().unwrap();
    let mut client = Client::connect(&broker);
    let topic = Topic::create(&mut client, 1);
    client.send(9, &topic.produce_request(0, &[(0, batch(&["a"]).bytes())]));
    client.assert_alive();
    assert_eq!(topic.batches(&mut client, 0).len(), 1);
    client.send(9, &topic.produce_request(0, &[(0, batch(&["b"]).patched(17, b"crc!"))]));
    client.assert_closed("a wrong checksum without acks");
    let mut client = Client::connect(&broker);
    client.send(9, &topic.produce_request(0, &[(5, batch(&["b"]).bytes())]));
    client.assert_closed("an unknown partition without acks");
}
