//! Brokers for tests: how long one takes to start, and what many of them keep in one process.
//!
//! `cargo bench -p callboard-benches --bench test_brokers` prints a table. Each test of a suite wants a
//! broker of its own: one is to start within 10 ms, and a hundred are to fit into 500 MB.

use anyhow::Result;
use callboard::Record;
use callboard::testing::TestBroker;
use callboard_benches::broker::usage;
use callboard_benches::report;
use std::time::{Duration, Instant};

/// As in the broker's own program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const BROKERS: usize = 100;

fn main() -> Result<()> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let before = resident_mb()?;
        let mut brokers = Vec::with_capacity(BROKERS);
        let mut starts = Vec::with_capacity(BROKERS);
        for _ in 0..BROKERS {
            let begun = Instant::now();
            brokers.push(TestBroker::start().await?);
            starts.push(begun.elapsed());
        }
        tell("start", &mut starts);
        memory("that have started", before)?;
        let mut uses = Vec::with_capacity(BROKERS);
        for broker in &brokers {
            let begun = Instant::now();
            broker.client().producer().send(Record::to("orders").value("one teapot")).await?;
            uses.push(begun.elapsed());
        }
        tell("first record, topic included", &mut uses);
        memory("that hold a record", before)?;
        let mut stops = Vec::with_capacity(BROKERS);
        for broker in brokers {
            let begun = Instant::now();
            broker.shutdown().await;
            stops.push(begun.elapsed());
        }
        tell("stop", &mut stops);
        memory("that have stopped", before)
    })
}

/// Prints how long something took with most brokers, and with the slowest.
fn tell(what: &str, times: &mut [Duration]) {
    times.sort_unstable();
    let ms = |time: Option<&Duration>| time.map_or(f64::NAN, |time| time.as_secs_f64() * 1e3);
    let (p50, max) = (ms(times.get(times.len() / 2)), ms(times.last()));
    report::figure(what, "test broker", &format!("{p50:.2} ms p50, {max:.2} ms at most"));
}

/// Prints what the brokers have added to the process.
fn memory(state: &str, before: f64) -> Result<()> {
    let grown = resident_mb()? - before;
    report::figure(&format!("{BROKERS} {state}"), "test broker", &format!("{grown:.0} MB"));
    Ok(())
}

fn resident_mb() -> Result<f64> {
    Ok(usage(std::process::id())?.resident_bytes as f64 / 1e6)
}
