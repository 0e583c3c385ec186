//! Kafka's own programs, against each broker alike.

use super::{KIB, Turn};
use crate::figures::{P50, P99};
use crate::java;
use anyhow::{Context, Result};
use callboard_benches::broker::usage;
use callboard_benches::produce::Load;

const RECORDS_A_SECOND: f64 = 150_000.0;
/// One after the other, more would not come back in the time of a load.
const ALONE_A_SECOND: f64 = 300.0;
const TOPIC: &str = "tools";

pub fn produce(turn: &mut Turn<'_>, name: &'static str) -> Result<()> {
    let load = load(turn, RECORDS_A_SECOND);
    turn.create_topics(&load)?;
    let process = turn.running()?.process_id();
    let before = usage(process)?;
    let home = turn.options.kafka.as_deref().context("no Kafka")?;
    let outcome = java::produce(home, turn.running()?.address(), &load)?;
    // It tells one percentile of its own.
    let p99 = outcome.latencies.first().map_or(f64::NAN, |time| time.as_secs_f64() * 1e3);
    let outcome = callboard_benches::produce::Outcome { latencies: Vec::new(), ..outcome };
    let after = usage(process)?;
    turn.figures.add_load(turn.peer.name(), name, &outcome, before, after);
    turn.figures.add_written(turn.peer.name(), name, &outcome, before, after);
    turn.figures.add(turn.peer.name(), name, P99, p99);
    Ok(())
}

/// What [`produce`] wrote.
pub fn consume(turn: &mut Turn<'_>, name: &'static str) -> Result<()> {
    let load = load(turn, RECORDS_A_SECOND);
    let process = turn.running()?.process_id();
    let before = usage(process)?;
    let home = turn.options.kafka.as_deref().context("no Kafka")?;
    let outcome = java::consume(home, turn.running()?.address(), &load)?;
    turn.figures.add_load(turn.peer.name(), name, &outcome, before, usage(process)?);
    Ok(())
}

pub fn end_to_end(turn: &mut Turn<'_>, name: &'static str) -> Result<()> {
    let load = Load { name: name.into(), partitions: 1, ..load(turn, ALONE_A_SECOND) };
    turn.create_topics(&load)?;
    let home = turn.options.kafka.as_deref().context("no Kafka")?;
    let (p50, p99) = java::end_to_end(home, turn.running()?.address(), &load)?;
    turn.figures.add(turn.peer.name(), name, P50, p50);
    turn.figures.add(turn.peer.name(), name, P99, p99);
    Ok(())
}

fn load(turn: &Turn<'_>, a_second: f64) -> Load {
    Load::batched(TOPIC, 1, 4, KIB, (turn.time().as_secs_f64() * a_second) as usize)
}
