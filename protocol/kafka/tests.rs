//! Compares every message in every version with another implementation, and feeds the decoders broken bytes.

#![allow(clippy::unwrap_used)]

use std::fmt::Debug;

use bytes::{Bytes, BytesMut};
use kafka_protocol::messages as theirs;
use kafka_protocol::protocol::{Decodable, Encodable};
use proptest::prelude::*;

use super::api_versions::ApiVersionsRequest;
use super::decode_request_any;
use super::metadata::{MetadataRequest, MetadataRequestTopic};
use crate::wire::sample::{Chance, Sample};
use crate::wire::{DecodeErrorKind, EncodeError, Message, Reader, Records, Str, Version, Writer};

fn encoded<M: Message>(message: &M, version: i16) -> Bytes {
    let mut writer = Writer::new();
    message.encode(&mut writer, version).unwrap();
    writer.finish().into_iter().collect::<Records>().into_bytes()
}

fn decoded<M: Message>(bytes: &Bytes, version: i16) -> M {
    M::decode_whole(&mut Reader::new(bytes.clone()), version).unwrap()
}

fn sampled<M: Message + Sample>(chance: &mut Chance, number: i16) -> M {
    let flexible = M::is_flexible(number);
    M::sample(chance, Version { number, flexible })
}

/// Encodes a random message in every version: it must come back, and another implementation
/// must read it to the last byte and write the same bytes.
fn compare<Ours, Theirs>(seed: u64)
where
    Ours: Message + Sample + PartialEq + Debug,
    Theirs: Decodable + Encodable + kafka_protocol::protocol::Message + Debug,
{
    let chance = &mut Chance::new(seed);
    for version in Ours::VERSIONS {
        let message: Ours = sampled(chance, version);
        let bytes = encoded(&message, version);
        assert_eq!(decoded::<Ours>(&bytes, version), message, "version {version}");
        if (Theirs::VERSIONS.min..=Theirs::VERSIONS.max).contains(&version) {
            let mut left = bytes.clone();
            let other = Theirs::decode(&mut left, version).unwrap();
            assert!(left.is_empty(), "the other side left bytes in version {version}");
            // It passes on tagged fields that it does not know, and ours must not be among them.
            let known = format!("{other:?}").replace("unknown_tagged_fields: {}", "");
            assert!(!known.contains("unknown_tagged_fields"), "version {version} of {known}");
            let mut written = BytesMut::new();
            other.encode(&mut written, version).unwrap();
            assert_eq!(written, bytes, "version {version} of {message:?}");
        }
    }
}

/// A message that ends too early, anywhere, is an error.
fn truncate<M: Message + Sample>(seed: u64) {
    let chance = &mut Chance::new(seed);
    for version in M::VERSIONS {
        let bytes = encoded::<M>(&sampled(chance, version), version);
        for length in 0..bytes.len() {
            let cut = Reader::new(bytes.slice(..length));
            assert!(
                M::decode_whole(&mut cut.clone(), version).is_err(),
                "{length} bytes in version {version}"
            );
        }
    }
}

/// A message with some bytes replaced by others, often by the largest of all lengths, may be an
/// error or another message, but the decoder comes back.
fn garble<M: Message + Sample>(seed: u64) {
    let chance = &mut Chance::new(seed);
    for version in M::VERSIONS {
        let bytes = encoded::<M>(&sampled(chance, version), version);
        for start in 0..bytes.len() {
            let garbage: &[u8] = match chance.below(4) {
                0 => &[0x7f, 0xff, 0xff, 0xff],
                1 => &[0xff, 0xff, 0xff, 0xff, 0x0f],
                2 => &[0x7f],
                _ => &chance.bits().to_be_bytes(),
            };
            let mut garbled = BytesMut::from(bytes.slice(..start).as_ref());
            garbled.extend_from_slice(garbage);
            garbled.extend_from_slice(&bytes.slice((start + garbage.len()).min(bytes.len())..));
            drop(M::decode_whole(&mut Reader::new(garbled.freeze()), version));
        }
    }
}

macro_rules! messages {
    ($($file:ident: $($message:ident),*;)*) => {$(
        mod $file {
            use super::*;
            use crate::kafka::$file::{$($message),*};

            proptest! {
                #![proptest_config(ProptestConfig::with_cases(64))]
                #[test]
                fn every_version_is_the_same_to_another_implementation(seed: u64) {
                    $(compare::<$message, theirs::$message>(seed);)*
                }
            }

            proptest! {
                // Each case tries every version at every length.
                #![proptest_config(ProptestConfig::with_cases(4))]
                #[test]
                fn every_truncation_is_an_error(seed: u64) {
                    $(truncate::<$message>(seed);)*
                }

                #[test]
                fn garbage_is_survived(seed: u64) {
                    $(garble::<$message>(seed);)*
                }
            }
        }
    )*};
}

messages! {
    alter_configs: AlterConfigsRequest, AlterConfigsResponse;
    api_versions: ApiVersionsRequest, ApiVersionsResponse;
    consumer_group_describe: ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse;
    consumer_group_heartbeat: ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse;
    create_partitions: CreatePartitionsRequest, CreatePartitionsResponse;
    create_topics: CreateTopicsRequest, CreateTopicsResponse;
    delete_groups: DeleteGroupsRequest, DeleteGroupsResponse;
    delete_topics: DeleteTopicsRequest, DeleteTopicsResponse;
    describe_cluster: DescribeClusterRequest, DescribeClusterResponse;
    describe_configs: DescribeConfigsRequest, DescribeConfigsResponse;
    describe_groups: DescribeGroupsRequest, DescribeGroupsResponse;
    describe_topic_partitions: DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse;
    fetch: FetchRequest, FetchResponse;
    find_coordinator: FindCoordinatorRequest, FindCoordinatorResponse;
    heartbeat: HeartbeatRequest, HeartbeatResponse;
    incremental_alter_configs: IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse;
    init_producer_id: InitProducerIdRequest, InitProducerIdResponse;
    join_group: JoinGroupRequest, JoinGroupResponse;
    leave_group: LeaveGroupRequest, LeaveGroupResponse;
    list_config_resources: ListConfigResourcesRequest, ListConfigResourcesResponse;
    list_groups: ListGroupsRequest, ListGroupsResponse;
    list_offsets: ListOffsetsRequest, ListOffsetsResponse;
    metadata: MetadataRequest, MetadataResponse;
    offset_commit: OffsetCommitRequest, OffsetCommitResponse;
    offset_delete: OffsetDeleteRequest, OffsetDeleteResponse;
    offset_fetch: OffsetFetchRequest, OffsetFetchResponse;
    offset_for_leader_epoch: OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse;
    produce: ProduceRequest, ProduceResponse;
    sync_group: SyncGroupRequest, SyncGroupResponse;
}

/// Keys and versions to decode garbage as: all that exist, and one beyond each end.
fn any_request() -> impl Strategy<Value = (i16, i16)> {
    (-1..=93_i16, -1..=19_i16)
}

proptest! {
    #[test]
    fn random_bytes_are_survived((key, version) in any_request(), body: Vec<u8>) {
        let decoded = decode_request_any(key, version, Bytes::from(body));
        prop_assert!(version >= 0 || decoded.is_err());
    }
}

#[test]
fn a_short_frame_with_the_largest_count_is_refused_at_once() {
    let mut frame = vec![0x7f, 0xff, 0xff, 0xff];
    frame.resize(20, 0);
    let error = MetadataRequest::decode(&mut Reader::new(frame.into()), 1).map(drop).unwrap_err();
    assert_eq!(error.kind, DecodeErrorKind::Count { count: i64::from(i32::MAX), left: 16 });
    assert_eq!(error.field, Some("MetadataRequest.topics"));

    let mut frame = vec![0xff, 0xff, 0xff, 0xff, 0x0f];
    frame.resize(20, 0);
    let error = MetadataRequest::decode(&mut Reader::new(frame.into()), 12).map(drop).unwrap_err();
    assert_eq!(error.kind, DecodeErrorKind::Count { count: i64::from(u32::MAX) - 1, left: 15 });
}

#[test]
fn bytes_behind_a_message_are_refused() {
    let error = decode_request_any(18, 0, Bytes::from_static(&[0])).unwrap_err();
    assert_eq!(error.kind, DecodeErrorKind::TrailingBytes(1));
    assert_eq!(decode_request_any(18, 0, Bytes::new()), Ok(()));
}

#[test]
fn unknown_keys_and_versions_are_refused() {
    let kind = |key, version| decode_request_any(key, version, Bytes::new()).unwrap_err().kind;
    assert_eq!(kind(93, 0), DecodeErrorKind::ApiKey(93));
    assert_eq!(kind(0, 2), DecodeErrorKind::Version(2));
    assert_eq!(kind(0, 14), DecodeErrorKind::Version(14));
    let mut writer = Writer::new();
    assert_eq!(MetadataRequest::default().encode(&mut writer, 14), Err(EncodeError::Version(14)));
}

#[test]
fn a_field_that_a_version_lacks_decodes_to_its_default() {
    let request: MetadataRequest = decoded(&Bytes::from_static(&[0, 0, 0, 0]), 0);
    assert!(request.allow_auto_topic_creation);
    assert_eq!(request.topics, Some(Vec::new()));
}

#[test]
fn a_value_that_a_version_lacks_is_not_dropped_silently() {
    let request = MetadataRequest {
        topics: Some(Vec::new()),
        allow_auto_topic_creation: false,
        ..MetadataRequest::default()
    };
    let field = "MetadataRequest.allow_auto_topic_creation";
    let encode = |version| request.encode(&mut Writer::new(), version);
    assert_eq!(encode(3), Err(EncodeError::Absent { field, version: 3 }));
    assert_eq!(encode(4), Ok(()));
}

#[test]
fn an_ignorable_value_is_left_out_where_a_version_lacks_it() {
    let request = ApiVersionsRequest {
        client_software_name: Str::from_static("name"),
        ..ApiVersionsRequest::default()
    };
    assert!(encoded(&request, 2).is_empty());
}

#[test]
fn null_is_refused_in_versions_that_do_not_allow_it() {
    let all = MetadataRequest { topics: None, ..MetadataRequest::default() };
    let encode = |version| all.encode(&mut Writer::new(), version);
    let field = "MetadataRequest.topics";
    assert_eq!(encode(0), Err(EncodeError::Null { field, version: 0 }));
    assert_eq!(encode(1), Ok(()));

    let null = Bytes::from_static(&[0xff, 0xff, 0xff, 0xff]);
    let error = MetadataRequest::decode(&mut Reader::new(null), 0).map(drop).unwrap_err();
    assert_eq!((error.kind, error.field), (DecodeErrorKind::Null, Some(field)));
}

#[test]
fn a_null_name_travels_from_version_10_of_metadata() {
    let by_id =
        MetadataRequest { topics: Some(vec![MetadataRequestTopic::default()]), ..MetadataRequest::default() };
    assert_eq!(decoded::<MetadataRequest>(&encoded(&by_id, 10), 10), by_id);
    let field = "MetadataRequestTopic.name";
    assert_eq!(by_id.encode(&mut Writer::new(), 9), Err(EncodeError::Null { field, version: 9 }));
}

#[test]
fn unknown_tagged_fields_of_a_message_are_skipped() {
    let request: ApiVersionsRequest = decoded(&Bytes::from_static(b"\x02a\x02b\x01\x09\x03xyz"), 3);
    assert_eq!((request.client_software_name.as_str(), request.client_software_version.as_str()), ("a", "b"));
}
