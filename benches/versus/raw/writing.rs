//! Writing without a client library, so that the figure is the broker's.

use anyhow::{Result, ensure};
use bytes::Bytes;
use callboard_benches::batch::batch;
use callboard_benches::connection::Connection;
use callboard_benches::produce::{Load, Outcome};
use callboard_protocol::kafka::ErrorCode;
use callboard_protocol::kafka::produce::{
    PartitionProduceData, ProduceRequest, ProduceResponse, TopicProduceData,
};
use std::ops::Range;
use std::thread::scope;
use std::time::{Duration, Instant};

const PRODUCE: i16 = 9;
/// Connections that write at the same time, and the requests that each has under way.
const CONNECTIONS: usize = 4;
const IN_FLIGHT: usize = 5;
/// The batches of a request, each of another partition, and the bytes of each.
const BATCHES: usize = 4;
const BATCH_BYTES: usize = 64 << 10;

/// Produces one record to a load's first partition.
pub fn produce_one(address: &str, load: &Load) -> Result<()> {
    let mut connection = Connection::open(address)?;
    send(&mut connection, load.topic(0), 0..1, &batch(load.record_bytes).bytes)?;
    receive(&mut connection)
}

/// Produces one record after the other, each when the one before is acknowledged.
pub fn alone(address: &str, load: &Load, time: Duration) -> Result<Outcome> {
    let mut connection = Connection::open(address)?;
    let record = batch(load.record_bytes).bytes;
    let (begun, mut latencies) = (Instant::now(), Vec::new());
    while begun.elapsed() < time {
        let sent = Instant::now();
        send(&mut connection, load.topic(0), 0..1, &record)?;
        receive(&mut connection)?;
        latencies.push(sent.elapsed());
    }
    let (took, records) = (begun.elapsed(), latencies.len());
    latencies.sort_unstable();
    Ok(Outcome { took, bytes: records * load.record_bytes, records, latencies })
}

/// Writes batches of one size to all partitions of a load in turn, however many these are. Each batch is
/// one large record.
pub fn spread(address: &str, load: &Load, time: Duration) -> Result<Outcome> {
    let begun = Instant::now();
    let requests: Result<usize> = scope(|scope| {
        let one = |number| scope.spawn(move || write(address, load, number, time));
        let threads: Vec<_> = (0..CONNECTIONS).map(one).collect();
        let join = |thread: std::thread::ScopedJoinHandle<'_, Result<usize>>| {
            thread.join().unwrap_or_else(|_| anyhow::bail!("a writer died"))
        };
        threads.into_iter().map(join).sum()
    });
    let records = requests? * BATCHES;
    Ok(Outcome { took: begun.elapsed(), bytes: records * BATCH_BYTES, records, latencies: Vec::new() })
}

/// One connection's part; tells how many requests were acknowledged.
fn write(address: &str, load: &Load, number: usize, time: Duration) -> Result<usize> {
    let mut connection = Connection::open(address)?;
    let record = batch(BATCH_BYTES).bytes;
    let (begun, mut sent, mut acknowledged) = (Instant::now(), 0, 0);
    loop {
        let is_over = begun.elapsed() >= time;
        if !is_over && sent - acknowledged < IN_FLIGHT {
            let turn = sent * CONNECTIONS + number;
            let first = (turn / load.topics * BATCHES) as i32 % load.partitions;
            let last = (first + BATCHES as i32).min(load.partitions);
            // The last few of a topic may be fewer than a request takes.
            let first = (last - BATCHES as i32).max(0);
            send(&mut connection, load.topic(turn), first..last, &record)?;
            sent += 1;
        } else if sent > acknowledged {
            receive(&mut connection)?;
            acknowledged += 1;
        } else {
            return Ok(acknowledged);
        }
    }
}

/// Sends one batch to each of a topic's partitions.
fn send(connection: &mut Connection, name: String, partitions: Range<i32>, batch: &Bytes) -> Result<()> {
    let data = |index| PartitionProduceData { index, records: Some([batch.clone()].into_iter().collect()) };
    let topic = TopicProduceData {
        name: name.into(),
        partition_data: partitions.map(data).collect(),
        ..Default::default()
    };
    let request =
        ProduceRequest { acks: -1, timeout_ms: 30_000, topic_data: vec![topic], ..Default::default() };
    connection.send(PRODUCE, &request)
}

fn receive(connection: &mut Connection) -> Result<()> {
    let answer: ProduceResponse = connection.receive(PRODUCE)?;
    let partitions = answer.responses.iter().flat_map(|topic| &topic.partition_responses);
    for partition in partitions {
        ensure!(partition.error_code == ErrorCode::NONE, "produce: {}", partition.error_code);
    }
    ensure!(!answer.responses.is_empty(), "no answer");
    Ok(())
}
