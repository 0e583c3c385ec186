//! Reading: at the tail, from the beginning, by many.

use super::{KIB, RECORDS_MAX, Turn};
use crate::{cold, raw};
use anyhow::{Context, Result};
use callboard_benches::broker::usage;
use callboard_benches::produce::{Load, Outcome, config};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{Offset, TopicPartitionList};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::scope;
use std::time::{Duration, Instant};

/// Records of the topic that many consumers read.
const SHARED: usize = 64 * KIB;
/// Records a second of the client that writes while another catches up.
const BESIDE: f64 = 10_000.0;
const READ: &str = "read";
const BESIDE_NAME: &str = "beside";

pub fn end_to_end(turn: &mut Turn<'_>, name: &'static str) -> Result<()> {
    let settings =
        vec![("acks", "all".into()), ("linger.ms", "0".into()), ("socket.nagle.disable", "true".into())];
    let load = Load { settings, rate: Some(1000.0), ..Load::batched(name, 1, 4, KIB, RECORDS_MAX) };
    let load = turn.timed(load);
    turn.create_topics(&load)?;
    let process = turn.running()?.process_id();
    let before = usage(process)?;
    let outcome = turn.running()?.end_to_end(&load)?;
    let cpu = usage(process)?.cpu.saturating_sub(before.cpu);
    turn.figures.add_latencies(turn.peer.name(), name, &outcome.latencies);
    let each = cpu.as_secs_f64() * 1e6 / outcome.records as f64;
    turn.figures.add(turn.peer.name(), name, crate::figures::CPU_US, each);
    Ok(())
}

/// Writes what is read here and by [`catch_up`].
pub fn warm(turn: &mut Turn<'_>, name: &'static str) -> Result<()> {
    let (load, records) = fill(turn, name, RECORDS_MAX)?;
    measure(turn, name, |turn| turn.running()?.consume(&load, records))
}

pub fn catch_up(turn: &mut Turn<'_>, name: &'static str) -> Result<()> {
    let (load, records) = fill(turn, name, RECORDS_MAX)?;
    let beside = Load { rate: Some(BESIDE), ..Load::batched(BESIDE_NAME, 1, 4, KIB, RECORDS_MAX) };
    let beside = Load { time_max: Some(turn.time() * 3 / 2), ..beside };
    turn.create_topics(&beside)?;
    let address = turn.running()?.address().to_owned();
    cold::empty_page_cache(&turn.options.folder()?)?;
    measure(turn, name, |turn| {
        scope(|scope| {
            let writer = scope.spawn(|| callboard_benches::produce::produce(&address, &beside).map(drop));
            let outcome = turn.running()?.consume(&load, records);
            writer.join().ok().context("the writer died")??;
            outcome
        })
    })
}

pub fn tail(turn: &mut Turn<'_>, name: &'static str) -> Result<()> {
    let load = turn.timed(Load::batched(name, 1, 4, KIB, RECORDS_MAX));
    turn.create_topics(&load)?;
    let address = turn.running()?.address().to_owned();
    let produced = AtomicUsize::new(usize::MAX);
    measure(turn, name, |turn| {
        scope(|scope| {
            let consumer = scope.spawn(|| follow(&address, &load, &produced));
            let outcome = turn.running()?.produce(&load);
            // With no record to wait for, the consumer ends.
            produced.store(outcome.as_ref().map_or(0, |outcome| outcome.records), Ordering::Relaxed);
            outcome?;
            consumer.join().ok().context("the consumer died")?
        })
    })
}

/// Reads until as many records have come as were produced.
fn follow(address: &str, load: &Load, produced: &AtomicUsize) -> Result<Outcome> {
    let settings = [("group.id", "follow".to_owned()), ("enable.auto.commit", "false".into())];
    let consumer: BaseConsumer = config(address, &settings).create()?;
    let mut list = TopicPartitionList::new();
    for partition in 0..load.partitions {
        list.add_partition_offset(&load.topic(0), partition, Offset::Beginning)?;
    }
    consumer.assign(&list)?;
    let begun = Instant::now();
    let (mut bytes, mut records) = (0, 0);
    while records < produced.load(Ordering::Relaxed) {
        if let Some(message) = consumer.poll(Duration::from_millis(100)) {
            bytes += message?.payload_len();
            records += 1;
        }
    }
    Ok(Outcome { took: begun.elapsed(), bytes, records, latencies: Vec::new() })
}

/// As many consumers as the name tells, each of which reads all.
pub fn consumers(turn: &mut Turn<'_>, name: &'static str) -> Result<()> {
    let count: usize = name.rsplit('-').next().unwrap_or_default().parse()?;
    let (load, _) = fill(turn, name, SHARED)?;
    let (address, time) = (turn.running()?.address().to_owned(), turn.time());
    measure(turn, name, |_| {
        scope(|scope| {
            let threads: Vec<_> =
                (0..count).map(|_| scope.spawn(|| raw::drain(&address, &load, time))).collect();
            let mut all = Outcome { took: time, bytes: 0, records: 0, latencies: Vec::new() };
            for thread in threads {
                let one = thread.join().ok().context("a consumer died")??;
                all.took = all.took.max(one.took);
                all.bytes += one.bytes;
                all.records += one.records;
            }
            Ok(all)
        })
    })
}

/// Makes a topic with so many records at most, and tells how many there are.
fn fill(turn: &mut Turn<'_>, name: &str, records: usize) -> Result<(Load, usize)> {
    let load = turn.timed(Load::batched(&format!("{READ}-{name}"), 1, 4, KIB, records));
    turn.create_topics(&load)?;
    let records = turn.running()?.produce(&load)?.records;
    Ok((load, records))
}

fn measure(
    turn: &mut Turn<'_>,
    name: &'static str,
    read: impl FnOnce(&Turn<'_>) -> Result<Outcome>,
) -> Result<()> {
    let process = turn.running()?.process_id();
    let before = usage(process)?;
    let outcome = read(turn)?;
    turn.figures.add_load(turn.peer.name(), name, &outcome, before, usage(process)?);
    Ok(())
}
