//! What the command line and the environment say.

use anyhow::{Result, ensure};
use clap::Parser;
use std::path::PathBuf;
use std::time::Duration;

/// Compares brokers on this machine, in rounds in which each has its turn, and writes the report.
#[derive(Debug, Parser)]
pub struct Options {
    /// A short run: few seconds for each load, and two rounds
    #[arg(long)]
    quick: bool,
    /// How many times each broker has its turn
    #[arg(long)]
    rounds: Option<usize>,
    /// Seconds of each load
    #[arg(long)]
    seconds: Option<f64>,
    /// Only these brokers
    #[arg(long, value_delimiter = ',')]
    peers: Vec<String>,
    /// Where the report goes, its plots beside it; a selection goes to standard output without this
    #[arg(long)]
    report: Option<PathBuf>,
    /// Where the brokers keep their data, on the disk that is meant
    #[arg(long)]
    folder: Option<PathBuf>,
    /// The folder of an installation of Kafka, with its jars in `libs`
    #[arg(long, env = "CALLBOARD_BENCH_KAFKA")]
    pub kafka: Option<PathBuf>,
    /// The program `go`, to build and run NATS with
    #[arg(long, env = "CALLBOARD_BENCH_GO")]
    pub go: Option<PathBuf>,
    /// Only the workloads whose names contain one of these
    names: Vec<String>,
    /// What cargo adds
    #[arg(long, hide = true)]
    bench: bool,
}

impl Options {
    pub fn rounds(&self) -> usize {
        self.rounds.unwrap_or(if self.quick { 2 } else { 5 }).max(1)
    }

    /// How long a load lasts.
    pub fn time(&self) -> Duration {
        Duration::from_secs_f64(self.seconds.unwrap_or(if self.quick { 2.0 } else { 8.0 }))
    }

    pub fn has_workload(&self, name: &str) -> bool {
        self.names.is_empty() || self.names.iter().any(|part| name.contains(part.as_str()))
    }

    pub fn has_peer(&self, name: &str) -> bool {
        self.peers.is_empty() || self.peers.iter().any(|peer| peer == name)
    }

    /// Refuses names of brokers that there are not.
    pub fn check_peers(&self, names: &[&str]) -> Result<()> {
        for peer in &self.peers {
            ensure!(names.contains(&peer.as_str()), "no broker {peer}; there are {}", names.join(", "));
        }
        Ok(())
    }

    /// Where the report goes, or `None` for standard output.
    pub fn report(&self) -> Option<PathBuf> {
        let whole = self.names.is_empty() && self.peers.is_empty();
        let here = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/BENCHMARKS.md"));
        self.report.clone().or(whole.then_some(here))
    }

    pub fn folder(&self) -> Result<PathBuf> {
        self.folder.clone().map_or_else(callboard_benches::broker::release_folder, Ok)
    }
}
