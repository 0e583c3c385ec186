//! What the protocol's bytes are, frozen, and what happens to bytes that are not.

use super::admin::*;
use super::frame::{Frame, cut};
use super::groups::*;
use super::hello::*;
use super::operations::{BODY_VERSION, OPERATIONS};
use super::produce::*;
use super::read::*;
use super::topics::*;
use super::*;
use bytes::Bytes;
use proptest::prelude::*;
use std::fmt::Write;
use uuid::Uuid;

/// Bytes of every operation's request and answer, one a line, and of a refusal and a frame. A change
/// here is a change that clients must know of: a new version of the bodies.
const GOLDEN: &str = include_str!("golden.txt");

fn partition() -> TopicPartition {
    TopicPartition { topic: Uuid::from_u128(0x0123_4567_89ab_cdef_0011_2233_4455_6677), partition: 3 }
}

fn refusal() -> Refusal {
    Refusal::new(Code::UNKNOWN_TOPIC, "there is no such topic")
}

fn topic() -> ListedTopic {
    ListedTopic { name: "orders".into(), outcome: Ok(Topic { id: partition().topic, partitions: 4 }) }
}

fn outcomes() -> Outcomes {
    Outcomes { outcomes: vec![Ok(()), Err(refusal())] }
}

fn fetched() -> Fetched {
    let read = ReadBatches {
        log_start: 1,
        high_watermark: 9,
        last_stable: 8,
        bytes: 70,
        aborted: vec![AbortedTransaction { producer_id: 7, first_offset: 2 }],
    };
    let part = |outcome| FetchedPart { partition: partition(), outcome };
    Fetched { parts: vec![part(Ok(read)), part(Err(refusal()))] }
}

fn edits() -> Vec<ConfigEdit> {
    let edit = |edit| ConfigEdit { name: "retention.ms".into(), edit };
    vec![
        edit(Edit::Set("1000".into())),
        edit(Edit::Delete),
        edit(Edit::Append("a".into())),
        edit(Edit::Subtract("b".into())),
    ]
}

fn requests() -> Vec<Request> {
    let text = |text: &str| Some(text.to_owned());
    let part = || ReadPart { partition: partition(), offset: 5 };
    let batch = ProducedBatch { partition: partition(), bytes: 70 };
    let isolation = IsolationLevel::ReadCommitted;
    let wanted = |position| OffsetWanted { partition: partition(), position };
    let positions =
        [Position::Earliest, Position::Latest, Position::AtTime(1_700_000_000_000), Position::MaxTime];
    let new_topic = NewTopic {
        name: "orders".into(),
        partitions: Some(4),
        replication_factor: None,
        configs: vec![("cleanup.policy".into(), "compact".into())],
    };
    let resources = || {
        vec![
            Resource::Topic("orders".into()),
            Resource::Group("g".into()),
            Resource::Cluster,
            Resource::Broker,
        ]
    };
    vec![
        Hello { version_min: 1, version_max: 2, client_id: "me".into(), software: "a client 1.0".into() }
            .into_request(),
        DescribeCluster {}.into_request(),
        ListTopics { names: Some(vec!["orders".into()]), create: true }.into_request(),
        CreateTopics { topics: vec![new_topic], validate_only: false }.into_request(),
        DeleteTopics { names: vec!["orders".into()] }.into_request(),
        CreatePartitions { topics: vec![("orders".into(), 8)], validate_only: true }.into_request(),
        NewProducer {}.into_request(),
        Produce { acks: Acks::Synced, batches: vec![batch] }.into_request(),
        Fetch { parts: vec![part()], bytes_max: 1 << 20, bytes_min: 1, wait_max_ms: 500, isolation }
            .into_request(),
        OpenReading { reading: 7, parts: vec![part()], credit: 1 << 20, isolation }.into_request(),
        Credit { reading: 7, bytes: 70 }.into_request(),
        CloseReading { reading: 7 }.into_request(),
        ListOffsets { wanted: positions.into_iter().map(wanted).collect(), isolation }.into_request(),
        Beat {
            group: "readers".into(),
            member: "a-member-of-it".into(),
            epoch: 0,
            instance: text("one"),
            rack: None,
            rebalance_timeout_ms: Some(300_000),
            topics: Some(vec!["orders".into()]),
            pattern: text("logs\\..*"),
            assignor: text("range"),
            owned: Some(vec![partition()]),
        }
        .into_request(),
        Leave { group: "g".into(), member: "m".into(), instance: None, for_a_while: false }.into_request(),
        CommitOffsets {
            group: "g".into(),
            member: text("m"),
            instance: None,
            epoch: 3,
            offsets: vec![NewOffset { partition: partition(), offset: 6, metadata: "here".into() }],
        }
        .into_request(),
        FetchOffsets { group: "g".into(), member: None, epoch: -1, partitions: None }.into_request(),
        DeleteOffsets { group: "g".into(), partitions: vec![partition()] }.into_request(),
        ListGroups {}.into_request(),
        DescribeGroup { group: "g".into() }.into_request(),
        DeleteGroups { groups: vec!["g".into()] }.into_request(),
        DescribeConfigs { resources: resources() }.into_request(),
        AlterConfigs { resources: vec![(Resource::Topic("orders".into()), edits())], validate_only: false }
            .into_request(),
    ]
}

fn responses() -> Vec<Response> {
    let text = |text: &str| Some(text.to_owned());
    let broker =
        BrokerDescribed { node_id: 1, kafka: text("127.0.0.1:9092"), native: None, rack: text("cellar") };
    let appended = BatchAppended { base_offset: 5, log_append_time: -1, log_start: 0 };
    let committed = CommittedOffset { partition: partition(), offset: Some(6), metadata: "here".into() };
    let group = ListedGroup { group: "g".into(), protocol: "consumer".into(), state: "Stable".into() };
    let member = DescribedMember {
        member: "m".into(),
        instance: None,
        client_id: "me".into(),
        client_host: "/127.0.0.1".into(),
        assigned: vec![("orders".into(), vec![0, 1])],
    };
    let config = Config {
        name: "retention.ms".into(),
        value: text("1000"),
        origin: "topic".into(),
        is_read_only: false,
    };
    vec![
        Response::Hello(Welcome {
            version: 1,
            capabilities: 0,
            software: "callboard 0.1.0".into(),
            cluster_id: "AAAAAAAAAAAAAAAAAAAAAA".into(),
            node_id: 1,
            frame_bytes_max: 100 << 20,
            requests_in_flight_max: 256,
        }),
        Response::DescribeCluster(ClusterDescribed {
            cluster_id: "AAAAAAAAAAAAAAAAAAAAAA".into(),
            controller_id: 1,
            brokers: vec![broker],
        }),
        Response::ListTopics(TopicsListed { topics: vec![topic()] }),
        Response::CreateTopics(TopicsListed {
            topics: vec![ListedTopic { name: "x".into(), outcome: Err(refusal()) }],
        }),
        Response::DeleteTopics(outcomes()),
        Response::CreatePartitions(outcomes()),
        Response::NewProducer(ProducerGiven { producer_id: 7, epoch: 0 }),
        Response::Produce(Produced { outcomes: vec![Ok(appended), Err(refusal())] }),
        Response::Fetch(fetched()),
        Response::OpenReading(fetched()),
        Response::Credit(Done {}),
        Response::CloseReading(Done {}),
        Response::ListOffsets(OffsetsListed {
            outcomes: vec![Ok(Some(TimedOffset { offset: 5, timestamp: -1 })), Ok(None), Err(refusal())],
        }),
        Response::Beat(Beaten { epoch: 3, interval_ms: 5000, assignment: Some(vec![partition()]) }),
        Response::Leave(Done {}),
        Response::CommitOffsets(OffsetsCommitted { outcomes: vec![Ok(()), Err(refusal())] }),
        Response::FetchOffsets(OffsetsFetched { offsets: vec![committed] }),
        Response::DeleteOffsets(outcomes()),
        Response::ListGroups(GroupsListed { groups: vec![group] }),
        Response::DescribeGroup(GroupDescribed {
            protocol: "consumer".into(),
            state: "Stable".into(),
            epoch: 3,
            assignor: "uniform".into(),
            members: vec![member],
        }),
        Response::DeleteGroups(outcomes()),
        Response::DescribeConfigs(ConfigsDescribed { outcomes: vec![Ok(vec![config]), Err(refusal())] }),
        Response::AlterConfigs(outcomes()),
    ]
}

fn line(out: &mut String, name: &str, bytes: &[u8]) {
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    writeln!(out, "{name} {hex}").unwrap();
}

#[test]
fn every_operation_is_sampled() {
    let numbers: Vec<_> = OPERATIONS.iter().map(|(number, _)| *number).collect();
    assert_eq!(requests().iter().map(Request::operation).collect::<Vec<_>>(), numbers);
    assert_eq!(responses().iter().map(Response::operation).collect::<Vec<_>>(), numbers);
}

#[test]
fn the_bytes_are_those_that_clients_know() {
    let mut found = String::new();
    for ((request, response), (_, name)) in requests().iter().zip(responses()).zip(OPERATIONS) {
        line(&mut found, &format!("{name} request"), &request.encode().unwrap());
        line(&mut found, &format!("{name} answer"), &response.encode().unwrap());
    }
    line(&mut found, "refusal", &refusal().encode().unwrap());
    let header = FrameHeader {
        correlation_id: 5,
        operation: 21,
        version: BODY_VERSION,
        flags: Flags::REFUSED,
        body_bytes: 0,
    };
    line(&mut found, "frame", &header.join(b"body", 3).unwrap());
    assert_eq!(found, GOLDEN);
}

#[test]
fn what_is_written_is_read_back() {
    for request in requests() {
        let body = request.encode().unwrap();
        assert_eq!(Request::decode(request.operation(), BODY_VERSION, &body), Ok(request));
    }
    for response in responses() {
        let body = response.encode().unwrap();
        assert_eq!(Response::decode(response.operation(), BODY_VERSION, &body), Ok(response));
    }
    assert_eq!(Refusal::decode(&refusal().encode().unwrap()), Ok(refusal()));
}

#[test]
fn what_is_not_known_is_told_apart_from_what_is_broken() {
    assert_eq!(Request::decode(9999, BODY_VERSION, &[]), Err(FrameError::Operation(9999)));
    assert_eq!(Request::decode(21, 2, &[]), Err(FrameError::Version(2)));
    assert_eq!(Request::decode(21, BODY_VERSION, &[1, 2, 3]), Err(FrameError::Malformed));
}

#[test]
fn a_frame_is_taken_apart_without_copying() {
    let header =
        FrameHeader { correlation_id: 5, operation: 21, version: 1, flags: Flags::NONE, body_bytes: 4 };
    let bytes = [&header.join(b"body", 5).unwrap()[..], b"abcde"].concat();
    let frame = Frame::split(Bytes::from(bytes).slice(frame::LENGTH_BYTES..)).unwrap();
    assert_eq!((frame.header, frame.body), (header, Bytes::from_static(b"body")));
    let pieces = cut(frame.payload.clone(), [2, 3].into_iter()).unwrap();
    assert_eq!(pieces, ["ab", "cde"]);
    for lengths in [&[2, 2][..], &[2, 4], &[6], &[]] {
        assert_eq!(cut(frame.payload.clone(), lengths.iter().copied()), Err(FrameError::Batches));
    }
}

proptest! {
    #[test]
    fn no_bytes_reach_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), at in 0..OPERATIONS.len()) {
        let _ = Frame::split(bytes.clone().into());
        let (operation, _) = OPERATIONS[at];
        let _ = Request::decode(operation, BODY_VERSION, &bytes);
        let _ = Response::decode(operation, BODY_VERSION, &bytes);
        let _ = Refusal::decode(&bytes);
    }

    #[test]
    fn no_change_of_a_right_body_reaches_a_panic(at in any::<prop::sample::Index>(), place in any::<prop::sample::Index>(), byte: u8) {
        let (requests, responses) = (requests(), responses());
        let (request, response) = (at.get(&requests), at.get(&responses));
        let mut body = request.encode().unwrap();
        if !body.is_empty() {
            let place = place.index(body.len());
            body[place] = byte;
            let _ = Request::decode(request.operation(), BODY_VERSION, &body);
        }
        let mut body = response.encode().unwrap();
        if !body.is_empty() {
            let place = place.index(body.len());
            body[place] = byte;
            let _ = Response::decode(response.operation(), BODY_VERSION, &body);
        }
    }
}
