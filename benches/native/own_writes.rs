//! What the program's own writes cost the broker: how long a record waits alone, and beside units.

use crate::{create, in_this_program_with, own_usage};
use anyhow::{Context, Result};
use callboard::client::codec::Raw;
use callboard::{Broker, Client, Record};
use callboard_benches::produce::Outcome;
use callboard_benches::report;
use std::time::Instant;
use tokio::task::JoinSet;

const SCENARIO: &str = "own-writes";
const RECORDS: usize = 5_000;
const RECORD_BYTES: usize = 1024;
/// Bytes of a row, as an application's state of one thing.
const ROW_BYTES: usize = 200;
/// Rows that are written again and again.
const ROWS: u64 = 1_000;

/// One record after the other, each synced, beside so many tasks that commit a row as fast as they may.
///
/// # Errors
/// When the broker does not start, or something is not written.
pub(crate) fn run() -> Result<()> {
    for (beside, tasks) in [("alone", 0), ("1 unit", 1), ("16 units", 16)] {
        in_this_program_with(async |broker: &Broker| {
            let client = Client::in_process(broker);
            create(&client, SCENARIO).await?;
            let mut units = JoinSet::new();
            for task in 0..tasks {
                units.spawn(write_rows(broker.clone(), task));
            }
            let before = own_usage()?;
            let outcome = send(&client).await?;
            report::load(SCENARIO, beside, &outcome, before, own_usage()?);
            if let Some(ended) = units.try_join_next() {
                ended?.context("units ended before the records")?;
            }
            Ok(())
        })?;
    }
    Ok(())
}

/// Writes rows, each in a unit, until it is aborted.
async fn write_rows(broker: Broker, task: u64) -> Result<()> {
    let rows = broker.keyspace("rows", Raw)?;
    for number in 0.. {
        let mut unit = broker.unit();
        unit.insert(&rows, (task * ROWS + number % ROWS).to_be_bytes(), &vec![7; ROW_BYTES].into())?;
        unit.commit().await?;
    }
    Ok(())
}

async fn send(client: &Client) -> Result<Outcome> {
    let producer = client.producer();
    let payload = bytes::Bytes::from(vec![7; RECORD_BYTES]);
    let begun = Instant::now();
    let mut latencies = Vec::with_capacity(RECORDS);
    for _ in 0..RECORDS {
        let sent = Instant::now();
        producer.send(Record::to(SCENARIO).partition(0).value(payload.clone())).await?;
        latencies.push(sent.elapsed());
    }
    let took = begun.elapsed();
    latencies.sort_unstable();
    Ok(Outcome { took, bytes: RECORDS * RECORD_BYTES, records: RECORDS, latencies })
}
