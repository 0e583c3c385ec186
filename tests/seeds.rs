//! What fuzzing begins with: a few whole inputs for each target, made by our own encoders.
//!
//! They are in the repository, so that a fuzzer that has seconds does not spend them on finding out what
//! a frame looks like. `cargo test --test seeds -- --ignored` writes them again when a message has changed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use bytes::Bytes;
use callboard_protocol::batch::{
    BATCH_HEADER_BYTES, BatchBuilder, BatchHeader, Compression, NewRecord, Producing, Unpacked,
};
use callboard_protocol::kafka::create_topics::{CreatableTopic, CreatableTopicConfig, CreateTopicsRequest};
use callboard_protocol::kafka::decode_request_any;
use callboard_protocol::kafka::fetch::{FetchPartition, FetchRequest, FetchTopic};
use callboard_protocol::kafka::join_group::{JoinGroupRequest, JoinGroupRequestProtocol};
use callboard_protocol::kafka::metadata::{MetadataRequest, MetadataRequestTopic};
use callboard_protocol::kafka::produce::{PartitionProduceData, ProduceRequest, TopicProduceData};
use callboard_protocol::native::frame::{Flags, FrameHeader, LENGTH_BYTES};
use callboard_protocol::native::operations::{BODY_VERSION, OPERATIONS};
use callboard_protocol::wire::{Message, Records, Writer};
use callboard_storage::journal::segment::SegmentHeader;
use callboard_storage::keys::Table;
use callboard_storage::values::{
    ClassicGroupRow, GroupRow, OffsetRow, Phase, ProducedBatch, ProducerRow, TopicRow,
};
use callboard_storage::{SegmentId, Sequence};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Every body of the native protocol, frozen.
const BODIES: &str = include_str!("../protocol/native/golden.txt");
/// The native operations of which there are seeds: those with lists, choices and batches in them.
const NATIVE: [&str; 8] =
    ["Hello", "CreateTopics", "Produce", "Fetch", "ListOffsets", "Beat", "DescribeGroup", "AlterConfigs"];

/// The inputs of one target, by the names of their files.
type Seeds = BTreeMap<String, Vec<u8>>;

fn folder(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target)
}

fn batch(compression: Compression) -> Bytes {
    let mut builder = BatchBuilder::default();
    let headers = [("trace".into(), Some(Bytes::from_static(b"1"))), ("empty".into(), None)];
    let timestamp = 1_700_000_000_000;
    builder.push(NewRecord { timestamp, key: Some(b"ada"), value: Some(b"one teapot"), headers: &headers });
    builder.push(NewRecord { timestamp: timestamp + 5, key: None, value: Some(b"two cups"), headers: &[] });
    builder.push(NewRecord { timestamp: timestamp - 5, key: Some(b"ada"), value: None, headers: &[] });
    builder.seal(compression, Some(Producing { id: 7, epoch: 1, base_sequence: 3 })).unwrap().bytes
}

fn batches() -> Seeds {
    let all = [
        ("plain", Compression::None),
        ("gzip", Compression::Gzip),
        ("snappy", Compression::Snappy),
        ("lz4", Compression::Lz4),
        ("zstd", Compression::Zstd),
    ];
    all.into_iter().map(|(name, compression)| (name.to_owned(), batch(compression).to_vec())).collect()
}

/// Frames without their lengths, which are read before.
fn natives() -> Seeds {
    let seed = |line: &str| {
        let mut words = line.split(' ');
        let (name, way, body) = (words.next()?, words.next()?, unhex(words.next()?));
        let (operation, _) = *OPERATIONS.iter().find(|it| it.1 == name && NATIVE.contains(&name))?;
        let (version, flags, body_bytes) = (BODY_VERSION, Flags::NONE, body.len() as u32);
        let header = FrameHeader { correlation_id: 1, operation, version, flags, body_bytes };
        let frame = header.join(&body, 0).unwrap();
        Some((format!("{}-{way}", name.to_lowercase()), frame[LENGTH_BYTES..].to_vec()))
    };
    BODIES.lines().filter_map(seed).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let pairs = (0..text.len()).step_by(2);
    pairs.map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

/// A request in its oldest and its newest version, behind the four bytes that say which.
fn put_request<M: Message>(seeds: &mut Seeds, name: &str, message: &M) {
    for version in [*M::VERSIONS.start(), *M::VERSIONS.end()] {
        let mut writer = Writer::new();
        message.encode(&mut writer, version).unwrap();
        let body = writer.finish().into_iter().collect::<Records>().into_bytes();
        let bytes = [&M::API_KEY.to_be_bytes()[..], &version.to_be_bytes(), &body].concat();
        seeds.insert(format!("{name}-{version}"), bytes);
    }
}

fn requests() -> Seeds {
    let mut seeds = Seeds::new();
    let topic = MetadataRequestTopic { name: Some("orders".into()), ..Default::default() };
    let metadata = MetadataRequest { topics: Some(vec![topic]), ..Default::default() };
    put_request(&mut seeds, "metadata", &metadata);
    let records = Some([batch(Compression::None)].into_iter().collect());
    let partition_data = vec![PartitionProduceData { index: 0, records }];
    let topic = TopicProduceData { name: "orders".into(), partition_data, ..Default::default() };
    let produce = ProduceRequest { acks: -1, topic_data: vec![topic], ..Default::default() };
    put_request(&mut seeds, "produce", &produce);
    let partitions = vec![FetchPartition { partition_max_bytes: 1 << 20, ..Default::default() }];
    let topic = FetchTopic { topic: "orders".into(), partitions, ..Default::default() };
    let fetch = FetchRequest { topics: vec![topic], max_wait_ms: 500, ..Default::default() };
    put_request(&mut seeds, "fetch", &fetch);
    let range = JoinGroupRequestProtocol { name: "range".into(), metadata: Bytes::from_static(b"\0\x01") };
    let (group_id, protocols) = ("kitchen".into(), vec![range]);
    put_request(&mut seeds, "join-group", &JoinGroupRequest { group_id, protocols, ..Default::default() });
    let config = CreatableTopicConfig { name: "retention.ms".into(), value: Some("1000".into()) };
    let topic = CreatableTopic { name: "orders".into(), configs: vec![config], ..Default::default() };
    let create = CreateTopicsRequest { topics: vec![topic], ..Default::default() };
    put_request(&mut seeds, "create-topics", &create);
    seeds
}

/// Rows, each behind the number of its table, and the header of a segment behind 0.
fn rows() -> Seeds {
    let topic = TopicRow { name: "orders".into(), configs: vec![("retention.ms".into(), "1000".into())] };
    let produced = ProducedBatch { base_sequence: 0, last_sequence: 4, base_offset: 7, max_timestamp: 9 };
    let producer = ProducerRow { epoch: 1, batches: vec![produced] };
    let group = GroupRow::Classic(ClassicGroupRow {
        protocol_type: Some("consumer".into()),
        generation: 3,
        protocol: Some("range".into()),
        leader: None,
        phase: Phase::Empty,
        since_ms: 5,
        members: Vec::new(),
    });
    let offset = OffsetRow {
        offset: 7,
        leader_epoch: 1,
        metadata: "here".into(),
        committed_at_ms: 5,
        expires_at_ms: Some(9),
    };
    let header = SegmentHeader { segment: SegmentId(1), first: Sequence(2), start: 3, seed: 4 };
    let all = [
        ("topic", Table::Topics as u8, topic.encode().unwrap()),
        ("producer", Table::Producers as u8, producer.encode().unwrap()),
        ("group", Table::Groups as u8, group.encode().unwrap()),
        ("offset", Table::Offsets as u8, offset.encode()),
        ("segment", 0, header.encode()),
    ];
    let seed = |(name, number, bytes): (&str, u8, Vec<u8>)| (name.to_owned(), [vec![number], bytes].concat());
    all.into_iter().map(seed).collect()
}

/// Configuration files.
fn settings() -> Seeds {
    let file = "num.partitions = 8\n\"log.level\" = 'debug'\n[max]\nconnections = 5\n";
    let other = "data.dir=\"./a\"\nlog.cleaner.min.cleanable.ratio=0.5\nkafka.address = \"off\"\n";
    [("tables", file), ("keys", other)].map(|(name, text)| (name.to_owned(), text.into())).into()
}

/// Each target, with its inputs as they are made today.
fn all() -> [(&'static str, Seeds); 5] {
    [
        ("batch", batches()),
        ("native", natives()),
        ("request", requests()),
        ("settings", settings()),
        ("stored", rows()),
    ]
}

#[test]
#[ignore = "writes into the repository"]
fn write_the_seeds() {
    for (target, seeds) in all() {
        fs::create_dir_all(folder(target)).unwrap();
        for (name, bytes) in seeds {
            fs::write(folder(target).join(name), bytes).unwrap();
        }
    }
}

/// The names and bytes of a target's files.
fn written(target: &str) -> Seeds {
    let files = fs::read_dir(folder(target)).unwrap().map(Result::unwrap);
    let seed = |file: fs::DirEntry| (file.file_name().into_string().unwrap(), fs::read(file.path()).unwrap());
    files.map(seed).collect()
}

#[test]
fn every_seed_is_whole_and_of_today() {
    // How codecs pack may change with them; what they packed is read all the same.
    assert_eq!(written("batch").keys().collect::<Vec<_>>(), batches().keys().collect::<Vec<_>>());
    for (name, bytes) in written("batch") {
        let header = BatchHeader::parse(&bytes).unwrap();
        let records = Bytes::copy_from_slice(&bytes[BATCH_HEADER_BYTES..]);
        let unpacked = Unpacked::new(&bytes, records, 1 << 20).unwrap();
        assert_eq!(
            (unpacked.records().flatten().count(), header.total_bytes()),
            (3, Some(bytes.len())),
            "{name}"
        );
    }
    for (target, seeds) in all().into_iter().filter(|(target, _)| *target != "batch") {
        assert_eq!(written(target), seeds, "{target}");
    }
    for (name, bytes) in requests() {
        let number = |at: usize| i16::from_be_bytes([bytes[at], bytes[at + 1]]);
        let decoded = decode_request_any(number(0), number(2), Bytes::copy_from_slice(&bytes[4..]));
        assert!(decoded.is_ok(), "{name}: {decoded:?}");
    }
}
