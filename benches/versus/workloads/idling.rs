//! Starts, commits, new topics, and what a broker costs that has nothing to do.

use super::{KIB, Turn, producing};
use crate::figures::{COMMITS_S, CPU_SHARE, CPU_US, RSS, SECONDS};
use crate::raw;
use anyhow::{Context, Result};
use callboard_benches::broker::usage;
use callboard_benches::commits as group_commits;
use callboard_benches::connection::Connection;
use callboard_benches::produce::{Load, wait};
use callboard_protocol::kafka::api_versions::{ApiVersionsRequest, ApiVersionsResponse};
use std::time::{Duration, Instant};

const TOPIC: &str = "commits";
const PARTITIONS: i32 = 10_000;
const CONNECTIONS: usize = 1000;
/// What was written just before may still keep a broker busy, and allocators keep for some ten seconds what was
/// freed.
const SETTLE: Duration = Duration::from_secs(15);
const RESTART_MAX: Duration = Duration::from_secs(180);

pub fn commits(turn: &mut Turn<'_>, name: &'static str) -> Result<()> {
    let running = turn.running()?;
    group_commits::create_topic(running, TOPIC)?;
    let rate = group_commits::measure(running, TOPIC, turn.time())?;
    turn.figures.add(turn.peer.name(), name, COMMITS_S, rate.a_second);
    turn.figures.add(turn.peer.name(), name, CPU_US, rate.cpu_each.as_secs_f64() * 1e6);
    Ok(())
}

pub fn start(turn: &mut Turn<'_>, name: &'static str) -> Result<()> {
    // Two of a kind might want the same port.
    drop(turn.running.take());
    let folder = tempfile::tempdir_in(turn.options.folder()?)?;
    let begun = Instant::now();
    let running = turn.peer.start(folder)?;
    turn.figures.add(turn.peer.name(), name, SECONDS, begun.elapsed().as_secs_f64());
    let resident = usage(running.process_id())?.resident_bytes;
    turn.figures.add(turn.peer.name(), name, RSS, resident as f64 / 1e6);
    turn.running = Some(running);
    Ok(())
}

pub fn create(turn: &mut Turn<'_>, name: &'static str) -> Result<()> {
    let begun = Instant::now();
    turn.create_topics(&topics())?;
    turn.figures.add(turn.peer.name(), name, SECONDS, begun.elapsed().as_secs_f64());
    Ok(())
}

pub fn idle(turn: &mut Turn<'_>, name: &'static str) -> Result<()> {
    ensure_topics(turn)?;
    let running = turn.running()?;
    let connect = |_| -> Result<Connection> {
        let mut connection = Connection::open(running.address())?;
        connection.call::<_, ApiVersionsResponse>(0, &ApiVersionsRequest::default())?;
        Ok(connection)
    };
    let connections: Vec<Connection> = (0..CONNECTIONS).map(connect).collect::<Result<_>>()?;
    wait(SETTLE);
    let (begun, before) = (Instant::now(), usage(running.process_id())?);
    wait(turn.time());
    let (took, after) = (begun.elapsed(), usage(running.process_id())?);
    drop(connections);
    let cpu = after.cpu.saturating_sub(before.cpu).as_secs_f64() / took.as_secs_f64() * 100.0;
    turn.figures.add(turn.peer.name(), name, RSS, after.resident_bytes as f64 / 1e6);
    turn.figures.add(turn.peer.name(), name, CPU_SHARE, cpu);
    Ok(())
}

pub fn restart(turn: &mut Turn<'_>, name: &'static str) -> Result<()> {
    ensure_topics(turn)?;
    let folder = turn.running.take().context("it was killed")?.kill()?;
    let begun = Instant::now();
    let running = turn.peer.start(folder)?;
    while let Err(error) = raw::produce_one(running.address(), &topics()) {
        if begun.elapsed() > RESTART_MAX {
            return Err(error.context("it does not take records again"));
        }
        wait(Duration::from_millis(2));
    }
    turn.figures.add(turn.peer.name(), name, SECONDS, begun.elapsed().as_secs_f64());
    turn.running = Some(running);
    Ok(())
}

fn topics() -> Load {
    Load::batched(&producing::many(PARTITIONS), 16, PARTITIONS / 16, KIB, 100_000)
}

/// Creates them where no workload before has, and writes to each partition.
fn ensure_topics(turn: &mut Turn<'_>) -> Result<()> {
    if turn.create_topics(&topics())? {
        turn.running()?.produce(&topics())?;
    }
    Ok(())
}
