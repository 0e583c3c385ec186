//! Reading without a client library, so that the figure is the broker's.

use anyhow::{Context, Result, ensure};
use callboard_benches::connection::Connection;
use callboard_benches::produce::{Load, Outcome};
use callboard_protocol::batch::BatchHeader;
use callboard_protocol::kafka::ErrorCode;
use callboard_protocol::kafka::fetch::{
    FetchPartition, FetchRequest, FetchResponse, FetchTopic, PartitionData,
};
use callboard_protocol::wire::Records;
use std::time::{Duration, Instant};

const FETCH: i16 = 12;
/// Bytes of a partition that are asked for at once.
const PARTITION_BYTES: i32 = 4 << 20;

/// Reads a load's first topic from its beginning, again and again until the time is over. What comes
/// is counted and thrown away.
pub fn drain(address: &str, load: &Load, time: Duration) -> Result<Outcome> {
    let mut connection = Connection::open(address)?;
    let mut offsets = vec![0; load.partitions as usize];
    let mut outcome = Outcome { took: Duration::ZERO, bytes: 0, records: 0, latencies: Vec::new() };
    let begun = Instant::now();
    while begun.elapsed() < time {
        let answer: FetchResponse = connection.call(FETCH, &request(load, &offsets))?;
        let before = outcome.records;
        for data in answer.responses.iter().flat_map(|topic| &topic.partitions) {
            let offset = offsets.get_mut(data.partition_index as usize).context("another partition")?;
            let next = take(data, &mut outcome.bytes)?.unwrap_or(*offset);
            outcome.records += (next - *offset) as usize;
            *offset = next;
        }
        if outcome.records == before {
            offsets.fill(0);
        }
    }
    outcome.took = begun.elapsed();
    Ok(outcome)
}

fn request(load: &Load, offsets: &[i64]) -> FetchRequest {
    let partition = |(index, offset): (usize, &i64)| FetchPartition {
        partition: index as i32,
        fetch_offset: *offset,
        partition_max_bytes: PARTITION_BYTES,
        ..Default::default()
    };
    let partitions = offsets.iter().enumerate().map(partition).collect();
    let topic = FetchTopic { topic: load.topic(0).into(), partitions, ..Default::default() };
    FetchRequest { max_wait_ms: 0, min_bytes: 0, topics: vec![topic], ..Default::default() }
}

/// Counts the bytes of a partition's batches, and gives the offset behind them.
fn take(data: &PartitionData, bytes: &mut usize) -> Result<Option<i64>> {
    ensure!(data.error_code == ErrorCode::NONE, "fetch: {}", data.error_code);
    let mut next = None;
    for records in data.records.iter().flat_map(Records::chunks) {
        let mut rest = records.clone();
        while let Some(header) = BatchHeader::parse(&rest) {
            // Kafka may send the beginning of one more batch.
            let Some(size) = header.total_bytes().filter(|size| *size <= rest.len()) else { break };
            *bytes += size;
            next = Some(header.last_offset() + 1);
            rest = rest.slice(size..);
        }
    }
    Ok(next)
}
