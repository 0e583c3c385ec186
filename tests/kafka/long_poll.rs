//! Fetch at the end of a log: how long it waits, and what ends the wait.

use crate::batch::{Batch, batch, stored};
use crate::client::{Client, WITHIN};
use crate::support::broker::Broker;
use crate::topic::{Topic, only_partition};
use callboard_protocol::kafka::ErrorCode;
use callboard_protocol::kafka::fetch::{FetchRequest, FetchResponse};
use std::time::{Duration, Instant};

/// Longer than a test may take: what waits for it has not been woken.
const FOR_EVER_MS: i32 = 60_000;

fn waiting(topic: &Topic, offsets: &[(i32, i64)], max_wait_ms: i32, min_bytes: i32) -> FetchRequest {
    FetchRequest { max_wait_ms, min_bytes, ..topic.fetch_request(offsets) }
}

#[test]
fn a_fetch_waits_for_its_time_and_no_longer() {
    let broker = Broker::start().unwrap();
    let mut client = Client::connect(&broker);
    let topic = Topic::create(&mut client, 1);
    let begun = Instant::now();
    let answer: FetchResponse = client.call(11, &waiting(&topic, &[(0, 0)], 200, 1));
    assert!(begun.elapsed() >= Duration::from_millis(200), "{:?}", begun.elapsed());
    assert!(begun.elapsed() < WITHIN);
    assert!(stored(only_partition(answer).records.as_ref()).is_empty());
    let at_once: FetchResponse = client.call(11, &waiting(&topic, &[(0, 0)], FOR_EVER_MS, 0));
    assert_eq!(only_partition(at_once).error_code, ErrorCode::NONE, "who wants no bytes waits for none");
}

#[test]
fn records_that_come_end_the_wait() {
    let broker = Broker::start().unwrap();
    let (mut reader, mut writer) = (Client::connect(&broker), Client::connect(&broker));
    let topic = Topic::create(&mut writer, 2);
    reader.send(11, &waiting(&topic, &[(0, 0), (1, 0)], FOR_EVER_MS, 1));
    topic.produce(&mut writer, 1, &batch(&["news"]));
    let (_, answer) = reader.receive::<FetchResponse>(11);
    let counts: Vec<_> =
        answer.responses[0].partitions.iter().map(|data| stored(data.records.as_ref()).len()).collect();
    assert_eq!(counts, [0, 1]);
}

#[test]
fn a_fetch_waits_until_there_are_as_many_bytes_as_it_wants() {
    let broker = Broker::start().unwrap();
    let (mut reader, mut writer) = (Client::connect(&broker), Client::connect(&broker));
    let topic = Topic::create(&mut writer, 1);
    let one = Batch::of_size(100);
    let min_bytes = i32::try_from(one.bytes().len()).unwrap() + 1;
    reader.send(11, &waiting(&topic, &[(0, 0)], FOR_EVER_MS, min_bytes));
    topic.produce(&mut writer, 0, &one);
    topic.produce(&mut writer, 0, &one);
    let (_, answer) = reader.receive::<FetchResponse>(11);
    assert_eq!(stored(only_partition(answer).records.as_ref()).len(), 2);
}

#[test]
fn what_there_is_comes_when_the_time_is_over() {
    let broker = Broker::start().unwrap();
    let mut client = Client::connect(&broker);
    let topic = Topic::create(&mut client, 1);
    topic.produce(&mut client, 0, &batch(&["little"]));
    let begun = Instant::now();
    let answer: FetchResponse = client.call(11, &waiting(&topic, &[(0, 0)], 200, 100_000));
    assert!(begun.elapsed() >= Duration::from_millis(200));
    assert_eq!(stored(only_partition(answer).records.as_ref()).len(), 1);
}

#[test]
fn an_unknown_partition_does_not_end_the_wait_but_an_offset_out_of_range_does() {
    let broker = Broker::start().unwrap();
    let mut client = Client::connect(&broker);
    let topic = Topic::create(&mut client, 2);
    let begun = Instant::now();
    let answer: FetchResponse = client.call(11, &waiting(&topic, &[(0, 0), (99, 0)], 200, 1));
    assert!(begun.elapsed() >= Duration::from_millis(200));
    assert_eq!(answer.responses[0].partitions[1].error_code, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    let answer: FetchResponse = client.call(11, &waiting(&topic, &[(0, 0), (1, 5)], FOR_EVER_MS, 1));
    assert_eq!(answer.responses[0].partitions[1].error_code, ErrorCode::OFFSET_OUT_OF_RANGE);
}

#[test]
fn a_fetch_without_partitions_waits_for_nothing() {
    let broker = Broker::start().unwrap();
    let mut client = Client::connect(&broker);
    let nothing = FetchRequest { max_wait_ms: FOR_EVER_MS, min_bytes: 1, ..Default::default() };
    let answer: FetchResponse = client.call(11, &nothing);
    assert!(answer.responses.is_empty());
}

#[test]
fn many_waiting_readers_are_all_woken_by_one_record() {
    let broker = Broker::start().unwrap();
    let mut writer = Client::connect(&broker);
    let topic = Topic::create(&mut writer, 1);
    let mut readers: Vec<_> = (0..20).map(|_| Client::connect(&broker)).collect();
    for reader in &mut readers {
        reader.send(11, &waiting(&topic, &[(0, 0)], FOR_EVER_MS, 1));
    }
    topic.produce(&mut writer, 0, &batch(&["news"]));
    for reader in &mut readers {
        let (_, answer) = reader.receive::<FetchResponse>(11);
        assert_eq!(only_partition(answer).high_watermark, 1);
    }
}

#[test]
fn a_partition_that_had_some_is_waited_for_too_and_nothing_comes_twice() {
    let broker = Broker::start().unwrap();
    let (mut client, mut other) = (Client::connect(&broker), Client::connect(&broker));
    let topic = Topic::create(&mut client, 1);
    let large = batch(&[&"x".repeat(1000)]);
    topic.produce(&mut other, 0, &large);
    let mut request = topic.fetch_request(&[(0, 0)]);
    (request.min_bytes, request.max_wait_ms) = (4000, 30_000);
    client.send(11, &request);
    for _ in 0..5 {
        topic.produce(&mut other, 0, &large);
    }
    let answer = only_partition(client.receive::<FetchResponse>(11).1);
    let offsets: Vec<_> =
        stored(answer.records.as_ref()).iter().map(|batch| batch.header.base_offset).collect();
    assert!(offsets.len() >= 4, "{offsets:?}");
    assert!(offsets.iter().copied().eq(0..offsets.len() as i64), "{offsets:?}");
}

#[test]
fn what_does_not_fit_is_left_for_the_next_time() {
    let broker = Broker::start().unwrap();
    let (mut client, mut other) = (Client::connect(&broker), Client::connect(&broker));
    let topic = Topic::create(&mut client, 1);
    let large = batch(&[&"x".repeat(1000)]);
    let mut request = topic.fetch_request(&[(0, 0)]);
    (request.min_bytes, request.max_wait_ms) = (100_000, 30_000);
    request.topics[0].partitions[0].partition_max_bytes = 1500;
    client.send(11, &request);
    for _ in 0..3 {
        topic.produce(&mut other, 0, &large);
    }
    let answer = only_partition(client.receive::<FetchResponse>(11).1);
    let offsets: Vec<_> =
        stored(answer.records.as_ref()).iter().map(|batch| batch.header.base_offset).collect();
    assert_eq!(offsets, [0], "nothing more fits, so there is nothing to wait for");
}
