//! Writing: in batches, one record to a request, one after the other, and at a given rate.

use super::{KIB, RECORDS_MAX, Turn};
use crate::raw;
use anyhow::{Context, Result};
use callboard_benches::broker::usage;
use callboard_benches::produce::{Load, Outcome};

const SINGLE_BYTES: usize = 100;
/// Records of all producers of single requests that may wait. More would be sent long after the time
/// of the load is over.
const SINGLE_WAITING_MAX: usize = 20_000;

/// The load that a workload's name tells: the bytes of a record, and the partitions.
pub fn batched(turn: &mut Turn<'_>, name: &'static str) -> Result<()> {
    let (record_bytes, records) =
        if name.contains("100B") { (100, 4 * RECORDS_MAX) } else { (KIB, RECORDS_MAX) };
    let load = over_partitions(name, record_bytes, records)?;
    // The second load of a phase goes to the topics of the first one.
    turn.create_topics(&load)?;
    let load = turn.timed(load);
    measure(turn, name, |turn| turn.running()?.produce(&load))
}

/// Batches of one size to as many partitions as the name tells.
pub fn spread(turn: &mut Turn<'_>, name: &'static str) -> Result<()> {
    let load = over_partitions(name, KIB, RECORDS_MAX)?;
    turn.create_topics(&load)?;
    measure(turn, name, |turn| raw::spread(turn.running()?.address(), &load, turn.time()))
}

/// A load over as many partitions as a workload's name ends with.
fn over_partitions(name: &str, record_bytes: usize, records: usize) -> Result<Load> {
    let partitions: i32 = name.rsplit('-').next().unwrap_or_default().parse()?;
    // librdkafka looks at all partitions of its topics whenever an answer comes: one client with
    // so many would be busy with nothing else.
    let topics = if partitions > 1000 { 16 } else { 1 };
    Ok(Load::batched(&many(partitions), topics, partitions / topics as i32, record_bytes, records))
}

/// What topics with so many partitions are called.
pub fn many(partitions: i32) -> String {
    format!("batched-{partitions}")
}

/// As many connections as the name tells.
pub fn single(turn: &mut Turn<'_>, name: &'static str) -> Result<()> {
    let producers: usize = name.rsplit('-').next().unwrap_or_default().parse()?;
    let mut load = turn.timed(Load::single(name, producers, SINGLE_BYTES, RECORDS_MAX));
    let waiting_max = SINGLE_WAITING_MAX / producers;
    load.settings.retain(|(key, _)| *key != "queue.buffering.max.messages");
    load.settings.push(("queue.buffering.max.messages", waiting_max.to_string()));
    turn.create_topics(&load)?;
    measure(turn, name, |turn| turn.running()?.produce(&load))
}

pub fn alone(turn: &mut Turn<'_>, name: &'static str) -> Result<()> {
    let load = turn.timed(Load { sample: 1, ..Load::alone(name, "all", KIB, RECORDS_MAX) });
    turn.create_topics(&load)?;
    measure(turn, name, |turn| turn.running()?.produce(&load))
}

/// The same by [`raw`].
pub fn alone_raw(turn: &mut Turn<'_>, name: &'static str) -> Result<()> {
    let load = Load::alone(name, "all", KIB, RECORDS_MAX);
    turn.create_topics(&load)?;
    measure(turn, name, |turn| raw::alone(turn.running()?.address(), &load, turn.time()))
}

/// First as fast as can be, and then at shares of that.
pub fn latency(turn: &mut Turn<'_>, name: &'static str) -> Result<()> {
    let load = turn.timed(Load::batched(name, 1, 4, KIB, RECORDS_MAX));
    turn.create_topics(&load)?;
    let most = turn.running()?.produce(&load)?;
    let most = most.records as f64 / most.took.as_secs_f64();
    for percent in [10, 50, 90] {
        let rate = Some(most * f64::from(percent) / 100.0);
        let outcome = turn.running()?.produce(&Load { rate, sample: 8, ..load.clone() })?;
        turn.figures.add_latencies(turn.peer.name(), &format!("{name}-{percent}%"), &outcome.latencies);
    }
    Ok(())
}

fn measure(
    turn: &mut Turn<'_>,
    name: &'static str,
    write: impl FnOnce(&Turn<'_>) -> Result<Outcome>,
) -> Result<()> {
    let process = turn.running()?.process_id();
    let before = usage(process)?;
    let outcome = write(turn)?;
    let after = usage(process).context("it has died")?;
    turn.figures.add_load(turn.peer.name(), name, &outcome, before, after);
    turn.figures.add_written(turn.peer.name(), name, &outcome, before, after);
    Ok(())
}
