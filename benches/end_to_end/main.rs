//! The whole broker, driven by librdkafka over loopback: rates, latencies, CPU, memory, starts.
//!
//! `cargo bench -p callboard-benches --bench end_to_end` starts the release binary and prints a
//! table. `-- NAME …` runs only the scenarios with those names. With
//! `CALLBOARD_BENCH_PEER=HOST:PORT` and `CALLBOARD_BENCH_PEER_PID=PID` the scenarios that a running
//! broker of another kind can do run against it too, each right after ours.

mod disk;
mod raw;
mod scenarios;

use anyhow::Result;
use callboard_benches::broker;
use callboard_benches::wanted::Wanted;

fn main() -> Result<()> {
    let wanted = Wanted::from_arguments();
    broker::build()?;
    let peer = broker::Peer::from_environment()?;
    scenarios::run(&wanted, peer.as_ref())
}
