//! What the program's own writes cost the broker: how long a record waits alone, and beside units.

use crate::{Way, in_this_program, send_here};
use anyhow::{Context, Result};
use callboard::client::codec::Raw;
use callboard::{Broker, Client};
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
        in_this_program(async |broker| {
            let mut units = JoinSet::new();
            for task in 0..tasks {
                units.spawn(write_rows(broker.clone(), task));
            }
            let client = Client::in_process(broker);
            send_here(&client, SCENARIO, beside, Way::AloneSynced, RECORD_BYTES, RECORDS).await?;
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
