//! How long a client that behaves well waits beside clients that do not.
//!
//! `cargo bench -p callboard-benches --bench hostile` prints a table; `-- NAME …` runs only the
//! hostilities with those names. The client writes a record and reads it, one after the other, over
//! Kafka's door; the ratio is that of its 99th percentile beside the others to the one alone, on the same
//! broker just before. The hostile clients get what time of the processors nobody else wants, which on
//! machines of their own they would not take from the broker at all.
//! `RUST_LOG=error` keeps what the broker says of them out of the table.

mod hostility;

use anyhow::{Context, Result, ensure};
use callboard_benches::batch::batch;
use callboard_benches::broker::{self, Ours, Target, usage};
use callboard_benches::connection::Connection;
use callboard_benches::wanted::Wanted;
use callboard_protocol::kafka::ErrorCode;
use callboard_protocol::kafka::create_topics::{CreatableTopic, CreateTopicsRequest, CreateTopicsResponse};
use callboard_protocol::kafka::fetch::{FetchPartition, FetchRequest, FetchResponse, FetchTopic};
use callboard_protocol::kafka::produce::{
    PartitionProduceData, ProduceRequest, ProduceResponse, TopicProduceData,
};
use hostility::{HOSTILITIES, Place};
use std::time::{Duration, Instant};
use uuid::Uuid;

const ROUNDS: usize = 5_000;
const ROUNDS_TOOK_MAX: Duration = Duration::from_secs(30);
const RECORD_BYTES: usize = 1024;
/// What hostile clients read: so many batches of so many bytes.
const LARGE_BATCHES: usize = 64;
const LARGE_BATCH_BYTES: usize = 1_000_000;

fn main() -> Result<()> {
    let wanted = Wanted::from_arguments();
    broker::build()?;
    rlimit::increase_nofile_limit(u64::MAX)?;
    println!(
        "{:<16} {:>12} {:>12} {:>12} {:>12} {:>7} {:>8}",
        "hostility", "alone p50 ms", "alone p99 ms", "beside p50", "beside p99", "ratio", "RSS MB"
    );
    for (name, begin) in HOSTILITIES {
        if wanted.has(name) {
            let (ours, _) = Ours::start()?;
            let mut client = Connection::open(ours.address())?;
            create(&mut client, "calm")?;
            let topic = create(&mut client, "large")?;
            for _ in 0..LARGE_BATCHES {
                produce(&mut client, "large", LARGE_BATCH_BYTES)?;
            }
            let alone = measure(&mut client)?;
            let place =
                Place { kafka: ours.address().to_owned(), native: ours.native_address().to_owned(), topic };
            let hostile = begin(&place)?;
            let beside = measure(&mut client)?;
            let resident = usage(ours.process_id())?.resident_bytes;
            drop(hostile);
            print(name, &alone, &beside, resident);
        }
    }
    Ok(())
}

fn print(name: &str, alone: &[Duration], beside: &[Duration], resident_bytes: u64) {
    let at = |sorted: &[Duration], share: f64| {
        let at = (sorted.len() as f64 * share) as usize;
        sorted.get(at).map_or(f64::NAN, |time| time.as_secs_f64() * 1e3)
    };
    let (alone_p99, beside_p99) = (at(alone, 0.99), at(beside, 0.99));
    println!(
        "{name:<16} {:>12.2} {alone_p99:>12.2} {:>12.2} {beside_p99:>12.2} {:>7.2} {:>8.0}",
        at(alone, 0.5),
        at(beside, 0.5),
        beside_p99 / alone_p99,
        resident_bytes as f64 / 1e6,
    );
}

/// The times that writing a record and reading it took, sorted.
fn measure(client: &mut Connection) -> Result<Vec<Duration>> {
    let begun = Instant::now();
    let mut times = Vec::with_capacity(ROUNDS);
    while times.len() < ROUNDS && begun.elapsed() < ROUNDS_TOOK_MAX {
        let sent = Instant::now();
        let offset = produce(client, "calm", RECORD_BYTES)?;
        fetch(client, "calm", offset)?;
        times.push(sent.elapsed());
    }
    times.sort_unstable();
    Ok(times)
}

fn create(client: &mut Connection, name: &str) -> Result<Uuid> {
    let topic =
        CreatableTopic { name: name.into(), num_partitions: 1, replication_factor: 1, ..Default::default() };
    let request = CreateTopicsRequest { topics: vec![topic], timeout_ms: 10_000, ..Default::default() };
    let answer: CreateTopicsResponse = client.call(7, &request)?;
    let topic = answer.topics.first().context("no answer")?;
    ensure!(topic.error_code == ErrorCode::NONE, "{:?}", topic.error_message);
    Ok(topic.topic_id)
}

fn produce(client: &mut Connection, name: &str, bytes: usize) -> Result<i64> {
    let records = Some([batch(bytes).bytes].into_iter().collect());
    let partition = PartitionProduceData { index: 0, records };
    let topic = TopicProduceData { name: name.into(), partition_data: vec![partition], ..Default::default() };
    let request =
        ProduceRequest { acks: -1, timeout_ms: 30_000, topic_data: vec![topic], ..Default::default() };
    let answer: ProduceResponse = client.call(9, &request)?;
    let appended = answer.responses.first().and_then(|topic| topic.partition_responses.first());
    let appended = appended.context("no answer")?;
    ensure!(appended.error_code == ErrorCode::NONE, "produce: {}", appended.error_code);
    Ok(appended.base_offset)
}

fn fetch(client: &mut Connection, name: &str, offset: i64) -> Result<()> {
    let answer: FetchResponse = client.call(11, &fetch_request(name, offset, 1 << 20))?;
    let read = answer.responses.first().and_then(|topic| topic.partitions.first()).context("no answer")?;
    ensure!(read.records.as_ref().is_some_and(|records| !records.is_empty()), "the record is not there");
    Ok(())
}

/// A request to read a topic's only partition from an offset on.
fn fetch_request(name: &str, fetch_offset: i64, bytes_max: i32) -> FetchRequest {
    let partition = FetchPartition { fetch_offset, partition_max_bytes: bytes_max, ..Default::default() };
    let topic = FetchTopic { topic: name.into(), partitions: vec![partition], ..Default::default() };
    FetchRequest {
        max_wait_ms: 100,
        min_bytes: 1,
        max_bytes: bytes_max,
        topics: vec![topic],
        ..Default::default()
    }
}
