//! NATS with JetStream: a server in a small program in Go, which is its client too.

use super::{Peer, Process, Running};
use anyhow::{Context, Result, ensure};
use callboard_benches::broker::{Target, release_folder};
use callboard_benches::produce::{Load, Outcome};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// So many records of all producers may not be acknowledged yet; the server refuses many more.
const WINDOW: usize = 4096;

pub struct Nats {
    program: PathBuf,
    is_synced: bool,
}

struct Server {
    process: Process,
    program: PathBuf,
}

/// Builds the program.
pub fn build(go: &Path) -> Result<PathBuf> {
    let program = release_folder()?.join("versus-nats");
    let built = Command::new(go)
        .args(["build", "-o"])
        .arg(&program)
        .arg(".")
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/versus/nats"))
        .status()?;
    ensure!(built.success(), "NATS does not build");
    Ok(program)
}

impl Nats {
    pub fn new(program: &Path, is_synced: bool) -> Self {
        Self { program: program.to_owned(), is_synced }
    }
}

impl Peer for Nats {
    fn name(&self) -> &'static str {
        if self.is_synced { "nats-fsync" } else { "nats" }
    }

    fn version(&self) -> Result<String> {
        let modules = include_str!("../nats/go.mod");
        let version = modules.lines().find_map(|line| line.split("nats-server/v2 ").nth(1));
        Ok(format!("NATS JetStream {}", version.context("no version")?))
    }

    fn settings(&self) -> &'static str {
        if self.is_synced {
            "sync_interval: always; a stream for each partition; driven by its own client in Go"
        } else {
            "as it comes: synced every two minutes; a stream for each partition; driven by its own client in Go"
        }
    }

    fn start(&self, folder: TempDir) -> Result<Box<dyn Running>> {
        let mut child = Command::new(&self.program)
            .arg("serve")
            .arg(folder.path())
            .arg(if self.is_synced { "always" } else { "default" })
            .stdout(Stdio::piped())
            .spawn()?;
        let lines = BufReader::new(child.stdout.take().context("no output")?).lines();
        let mut process = Process { name: self.name(), child, address: String::new(), folder: Some(folder) };
        for line in lines {
            if let Some(address) = line?.strip_prefix("ready ") {
                address.clone_into(&mut process.address);
                return Ok(Box::new(Server { process, program: self.program.clone() }));
            }
        }
        anyhow::bail!("NATS has ended")
    }
}

impl Target for Server {
    fn name(&self) -> &'static str {
        self.process.name
    }

    fn address(&self) -> &str {
        &self.process.address
    }

    fn process_id(&self) -> u32 {
        self.process.child.id()
    }
}

impl Server {
    fn client(&self, what: &str, load: &Load, arguments: &[String]) -> Result<String> {
        let output = Command::new(&self.program)
            .args([what, self.address(), &load.topic(0), &load.partitions.to_string()])
            .args(arguments)
            .output()?;
        ensure!(output.status.success(), "{what}: {}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

impl Running for Server {
    fn kill(mut self: Box<Self>) -> Result<TempDir> {
        self.process.kill()
    }

    fn speaks_kafka(&self) -> bool {
        false
    }

    fn create_topics(&self, load: &Load) -> Result<()> {
        self.client("create", load, &[]).map(drop)
    }

    fn produce(&self, load: &Load) -> Result<Outcome> {
        let arguments = [
            load.producers.to_string(),
            load.record_bytes.to_string(),
            load.records.to_string(),
            load.time_max.unwrap_or(Duration::MAX).as_secs_f64().min(1e6).to_string(),
            load.rate.unwrap_or(0.0).to_string(),
            load.in_flight_max.map_or(WINDOW / load.producers, |max| max as usize).to_string(),
            load.sample.to_string(),
        ];
        outcome(&self.client("produce", load, &arguments)?)
    }

    fn consume(&self, load: &Load, records: usize) -> Result<Outcome> {
        outcome(&self.client("consume", load, &[records.to_string()])?)
    }

    fn end_to_end(&self, load: &Load) -> Result<Outcome> {
        let arguments = [
            load.record_bytes.to_string(),
            load.time_max.context("no time")?.as_secs_f64().to_string(),
            load.rate.context("no rate")?.to_string(),
        ];
        outcome(&self.client("tail", load, &arguments)?)
    }
}

/// What a client has told.
fn outcome(said: &str) -> Result<Outcome> {
    let mut latencies = Vec::new();
    for line in said.lines() {
        let Some(rest) = line.strip_prefix("outcome ") else {
            latencies.push(Duration::from_nanos(line.parse()?));
            continue;
        };
        let figures: Vec<u64> = rest.split(' ').map(str::parse).collect::<Result<_, _>>()?;
        let [took, bytes, records] = figures[..] else { anyhow::bail!("not an outcome: {rest}") };
        latencies.sort_unstable();
        let took = Duration::from_nanos(took);
        return Ok(Outcome { took, bytes: bytes as usize, records: records as usize, latencies });
    }
    anyhow::bail!("no outcome")
}
