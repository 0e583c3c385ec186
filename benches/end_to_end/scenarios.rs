//! What is measured.

use super::{disk, raw};
use anyhow::Result;
use callboard_benches::broker::{Ours, Peer, Target, release_folder, usage};
use callboard_benches::produce::{Load, consume, create_topics, produce};
use callboard_benches::report;
use callboard_benches::wanted::Wanted;
use std::path::Path;

/// Starts on an empty folder, of which the middle one is told: one alone may meet a busy disk.
const STARTS: usize = 9;
const KIB: usize = 1024;

/// Runs the scenarios whose names are wanted, or all.
pub fn run(wanted: &Wanted, peer: Option<&Peer>) -> Result<()> {
    report::head();
    for (name, load) in loads() {
        if !wanted.has(name) {
            continue;
        }
        let (ours, _) = Ours::start()?;
        one_load(name, &ours, &load)?;
        drop(ours);
        if let Some(peer) = peer {
            one_load(name, peer, &load)?;
        }
    }
    if wanted.has("disk") {
        disk_figures(&release_folder()?)?;
    }
    if wanted.has("start") {
        starts()?;
    }
    Ok(())
}

fn loads() -> Vec<(&'static str, Load)> {
    let batched = |topics, partitions| Load {
        name: format!("batched-{topics}-{partitions}-{}", std::process::id()),
        topics,
        partitions,
        record_bytes: KIB,
        records: 2_000_000,
        producers: topics,
        settings: vec![
            ("acks", "all".into()),
            ("linger.ms", "5".into()),
            ("batch.size", "1000000".into()),
            ("queue.buffering.max.messages", (500_000 / topics).to_string()),
            ("queue.buffering.max.kbytes", (262_144 / topics).to_string()),
        ],
        in_flight_max: None,
    };
    let single = |producers: usize, in_flight_max| Load {
        name: format!("single-{producers}-{}", std::process::id()),
        topics: 1,
        partitions: 4,
        record_bytes: 100,
        records: 50_000 * producers.clamp(4, 16),
        producers,
        settings: vec![("acks", "all".into()), ("linger.ms", "0".into()), ("batch.num.messages", "1".into())],
        in_flight_max,
    };
    let alone = Load {
        name: format!("alone-{}", std::process::id()),
        topics: 1,
        partitions: 1,
        record_bytes: KIB,
        records: 5_000,
        producers: 1,
        settings: vec![
            ("acks", "all".into()),
            ("linger.ms", "0".into()),
            ("socket.nagle.disable", "true".into()),
        ],
        in_flight_max: Some(1),
    };
    vec![
        ("batched-4-partitions", batched(1, 4)),
        ("batched-1000-partitions", batched(1, 1000)),
        // librdkafka looks at all partitions of its topics whenever an answer comes: one client with
        // so many would be busy with nothing else.
        ("batched-10000-partitions", batched(16, 625)),
        ("single-16-connections", single(16, None)),
        ("single-1-connection", single(1, None)),
        ("alone", alone),
    ]
}

fn one_load(name: &str, target: &dyn Target, load: &Load) -> Result<()> {
    disk::warm(&release_folder()?, load.records * load.record_bytes * 3 / 2)?;
    create_topics(target.address(), load)?;
    let before = usage(target.process_id())?;
    let outcome = produce(target.address(), load)?;
    let after = usage(target.process_id())?;
    report::load(name, target.name(), &outcome, before, after);
    if name == "batched-4-partitions" {
        let outcome = consume(target.address(), load)?;
        let read = usage(target.process_id())?;
        report::load("read-4-partitions", target.name(), &outcome, after, read);
        let outcome = raw::drain(target.address(), load)?;
        report::load("read-raw-4-partitions", target.name(), &outcome, read, usage(target.process_id())?);
    }
    if name == "alone" {
        let outcome = raw::alone(target.address(), load)?;
        report::load("alone-raw", target.name(), &outcome, after, usage(target.process_id())?);
    }
    Ok(())
}

fn disk_figures(folder: &Path) -> Result<()> {
    let median = disk::sync_median(folder, 1200)?;
    report::figure("disk-sync-1200-bytes", "-", &format!("p50 {:.2} ms", median.as_secs_f64() * 1e3));
    let rate = disk::write_rate(folder, 4 << 20, 1 << 30)?;
    report::figure("disk-write-sync-4-MiB", "-", &format!("{:.0} MB/s", rate / 1e6));
    Ok(())
}

fn starts() -> Result<()> {
    let mut starts = Vec::new();
    let ours = loop {
        let (ours, took) = Ours::start()?;
        starts.push(took);
        if starts.len() == STARTS {
            break ours;
        }
    };
    starts.sort_unstable();
    let median = starts.get(STARTS / 2).copied().unwrap_or_default();
    report::figure("start-empty", ours.name(), &format!("p50 {:.1} ms", median.as_secs_f64() * 1e3));
    let idle = usage(ours.process_id())?;
    report::figure("start-idle-memory", ours.name(), &format!("{:.1} MB", idle.resident_bytes as f64 / 1e6));
    let load = Load { records: 200_000, ..loads().swap_remove(2).1 };
    let took = create_topics(ours.address(), &load)?;
    report::figure("start-create-10000", ours.name(), &format!("{:.0} ms", took.as_secs_f64() * 1e3));
    produce(ours.address(), &load)?;
    let (ours, took) = ours.restart_after_kill()?;
    report::figure("start-after-kill-10000", ours.name(), &format!("{:.1} ms", took.as_secs_f64() * 1e3));
    let (ours, took) = ours.restart_after_kill()?;
    report::figure("start-again-10000", ours.name(), &format!("{:.1} ms", took.as_secs_f64() * 1e3));
    Ok(())
}
