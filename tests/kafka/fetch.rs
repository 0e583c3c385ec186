//! Fetch: which batches an offset and a number of bytes bring, and what goes with them.

use crate::batch::{Batch, batch, stored};
use crate::client::Client;
use crate::support::broker::Broker;
use crate::topic::{LATEST, Topic, only_partition};
use callboard_protocol::kafka::ErrorCode;
use callboard_protocol::kafka::fetch::{FetchRequest, FetchResponse, PartitionData};
use uuid::Uuid;

/// A topic whose partition 0 has the batches 0-2, 3-4 and 5, and whose partition 1 has one of 2,000 bytes.
fn filled(client: &mut Client) -> Topic {
    let topic = Topic::create(client, 3);
    for values in [&["a", "b", "c"][..], &["d", "e"], &["f"]] {
        topic.produce(client, 0, &batch(values));
    }
    topic.produce(client, 1, &Batch::of_size(2000));
    topic
}

fn base_offsets(data: &PartitionData) -> Vec<i64> {
    stored(data.records.as_ref()).iter().map(|batch| batch.header.base_offset).collect()
}

#[test]
fn an_offset_inside_a_batch_brings_the_whole_batch() {
    let broker = Broker::start().unwrap();
    let mut client = Client::connect(&broker);
    let topic = filled(&mut client);
    for (offset, expected) in
        [(0, &[0, 3, 5][..]), (1, &[0, 3, 5]), (3, &[3, 5]), (4, &[3, 5]), (5, &[5]), (6, &[])]
    {
        let data = topic.fetch(&mut client, 0, offset);
        assert_eq!(base_offsets(&data), expected, "from {offset}");
        assert_eq!((data.error_code, data.high_watermark), (ErrorCode::NONE, 6));
        assert_eq!((data.last_stable_offset, data.log_start_offset), (6, 0));
    }
}

#[test]
fn offsets_outside_of_the_log_are_out_of_range() {
    let broker = Broker::start().unwrap();
    let mut client = Client::connect(&broker);
    let topic = filled(&mut client);
    for offset in [7, 1000, -1] {
        let data = topic.fetch(&mut client, 0, offset);
        assert_eq!((data.error_code, data.high_watermark), (ErrorCode::OFFSET_OUT_OF_RANGE, -1));
        assert!(base_offsets(&data).is_empty());
    }
}

#[test]
fn the_first_batch_comes_whole_and_only_it_may_pass_the_bounds() {
    let broker = Broker::start().unwrap();
    let mut client = Client::connect(&broker);
    let topic = filled(&mut client);
    let both = topic.fetch_request(&[(1, 0), (0, 0)]);
    let answer: FetchResponse = client.call(12, &FetchRequest { max_bytes: 1, ..both });
    let mut partitions = answer.responses.into_iter().flat_map(|topic| topic.partitions);
    let (large, other) = (partitions.next().unwrap(), partitions.next().unwrap());
    assert_eq!(base_offsets(&large), [0], "the first in the request is served first, and whole");
    assert!(base_offsets(&other).is_empty());
    assert_eq!(
        (other.error_code, other.high_watermark),
        (ErrorCode::NONE, 6),
        "its end is told all the same"
    );
    for max_bytes in [1, 84, 85, 86, 161] {
        let request = FetchRequest { max_bytes, ..topic.fetch_request(&[(0, 0)]) };
        assert_eq!(base_offsets(&only_partition(client.call(12, &request))), [0], "{max_bytes} bytes");
    }
    let request = FetchRequest { max_bytes: 162, ..topic.fetch_request(&[(0, 0)]) };
    assert_eq!(base_offsets(&only_partition(client.call(12, &request))), [0, 3]);
}

#[test]
fn a_partition_has_a_bound_of_its_own() {
    let broker = Broker::start().unwrap();
    let mut client = Client::connect(&broker);
    let topic = filled(&mut client);
    let mut request = topic.fetch_request(&[(0, 0), (1, 0)]);
    for partition in &mut request.topics[0].partitions {
        partition.partition_max_bytes = 100;
    }
    let answer: FetchResponse = client.call(11, &request);
    let partitions = &answer.responses[0].partitions;
    assert_eq!(base_offsets(&partitions[0]), [0]);
    assert!(
        base_offsets(&partitions[1]).is_empty(),
        "a batch larger than the bound is only sent as the first"
    );
}

#[test]
fn what_is_not_there_has_its_code_beside_what_is() {
    let broker = Broker::start().unwrap();
    let mut client = Client::connect(&broker);
    let topic = filled(&mut client);
    let answer: FetchResponse = client.call(4, &topic.fetch_request(&[(0, 0), (99, 0)]));
    let codes: Vec<_> = answer.responses[0].partitions.iter().map(|data| data.error_code).collect();
    assert_eq!(codes, [ErrorCode::NONE, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION]);
    let nowhere = Topic { name: "nowhere".into(), id: Uuid::from_u128(1) };
    for (version, code) in [(12, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION), (13, ErrorCode::UNKNOWN_TOPIC_ID)] {
        let answer = only_partition(client.call(version, &nowhere.fetch_request(&[(0, 0)])));
        assert_eq!(answer.error_code, code);
    }
}

#[test]
fn topics_are_named_by_id_from_version_13() {
    let broker = Broker::start().unwrap();
    let mut client = Client::connect(&broker);
    let topic = filled(&mut client);
    for version in [4, 7, 12, 13, 18] {
        let answer: FetchResponse = client.call(version, &topic.fetch_request(&[(0, 0)]));
        let told = (answer.responses[0].topic.as_str(), answer.responses[0].topic_id);
        let expected = if version < 13 { (topic.name.as_str(), Uuid::nil()) } else { ("", topic.id) };
        assert_eq!(told, expected);
        assert_eq!(base_offsets(&only_partition(answer)), [0, 3, 5]);
    }
}

#[test]
fn aborted_transactions_are_told_to_those_who_read_committed_records() {
    let broker = Broker::start().unwrap();
    let mut client = Client::connect(&broker);
    let topic = filled(&mut client);
    for (isolation_level, expected) in [(0, None), (1, Some(vec![]))] {
        let request = FetchRequest { isolation_level, ..topic.fetch_request(&[(0, 0)]) };
        assert_eq!(only_partition(client.call(11, &request)).aborted_transactions, expected);
    }
}

#[test]
fn a_leader_epoch_that_is_still_to_come_is_unknown() {
    let broker = Broker::start().unwrap();
    let mut client = Client::connect(&broker);
    let topic = filled(&mut client);
    let epoch = topic.list(&mut client, 0, LATEST).leader_epoch;
    let code = |client: &mut Client, epoch| {
        let mut request = topic.fetch_request(&[(0, 0)]);
        request.topics[0].partitions[0].current_leader_epoch = epoch;
        only_partition(client.call(12, &request)).error_code
    };
    assert_eq!(code(&mut client, epoch), ErrorCode::NONE);
    assert_eq!(code(&mut client, epoch + 1), ErrorCode::UNKNOWN_LEADER_EPOCH);
    assert_eq!(code(&mut client, -1), ErrorCode::NONE);
}
