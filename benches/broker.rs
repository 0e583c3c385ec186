//! The broker under measurement, as a process: ours, or one that runs already.

use anyhow::{Context, Result, bail, ensure};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Names a running broker of another kind, and its process.
const PEER: &str = "CALLBOARD_BENCH_PEER";
const PEER_PROCESS: &str = "CALLBOARD_BENCH_PEER_PID";
/// Names a program of ours that is measured instead of the one that is built.
const PROGRAM: &str = "CALLBOARD_BENCH_PROGRAM";

/// A running broker.
pub trait Target {
    /// What the table calls it.
    fn name(&self) -> &'static str;
    /// Where it listens.
    fn address(&self) -> &str;
    /// Its process.
    fn process_id(&self) -> u32;
}

/// Our own broker, in a folder that goes with it.
pub struct Ours {
    child: Child,
    address: String,
    native_address: String,
    folder: Option<tempfile::TempDir>,
}

/// A broker of another kind that runs already.
pub struct Peer {
    address: String,
    process_id: u32,
}

/// CPU time and memory of a process.
#[derive(Debug, Clone, Copy)]
pub struct Usage {
    /// CPU time in user space and in the kernel.
    pub cpu: Duration,
    /// Resident memory, in bytes.
    pub resident_bytes: u64,
    /// What was handed to the disk, in bytes, or to the page cache to be written there.
    pub written_bytes: u64,
}

/// Builds the release binary that is measured, unless the environment names another.
///
/// # Errors
/// When it does not build.
pub fn build() -> Result<()> {
    if std::env::var_os(PROGRAM).is_some() {
        return Ok(());
    }
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let built =
        Command::new(cargo).args(["build", "--release", "-p", "callboard", "--bin", "callboard"]).status()?;
    ensure!(built.success(), "the broker does not build");
    Ok(())
}

/// Where the release binary is, and where data folders go: on the disk, and not in the checkout.
///
/// # Errors
/// When there is no such folder.
pub fn release_folder() -> Result<PathBuf> {
    // Benchmarks are in target/release/deps.
    let here = std::env::current_exe()?;
    Ok(here.parent().and_then(Path::parent).context("no target folder")?.to_owned())
}

/// The program that is measured.
///
/// # Errors
/// When there is no such folder.
pub fn program() -> Result<PathBuf> {
    match std::env::var_os(PROGRAM) {
        Some(program) => Ok(program.into()),
        None => Ok(release_folder()?.join("callboard")),
    }
}

impl Ours {
    /// Starts a broker on an empty folder, and tells how long that took.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start() -> Result<(Self, Duration)> {
        Self::start_in(tempfile::tempdir_in(release_folder()?)?)
    }

    /// Starts a broker on a folder that another may have left behind.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start_in(folder: tempfile::TempDir) -> Result<(Self, Duration)> {
        let begun = Instant::now();
        let mut command = Command::new(program()?);
        // What benchmarks are told is no setting of the broker, which would refuse it.
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("CALLBOARD_BENCH_") {
                command.env_remove(name);
            }
        }
        // What goes well would stand between the lines of a table.
        let mut child = command
            .env("RUST_LOG", "warn")
            .args(["--kafka", "127.0.0.1:0", "--data"])
            .arg(folder.path())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut lines = BufReader::new(child.stdout.take().context("no output")?);
        let mut said = String::new();
        lines.read_line(&mut said)?;
        let took = begun.elapsed();
        lines.read_line(&mut said)?;
        let address = |key| said.split(key).nth(1).and_then(|rest| rest.split_whitespace().next());
        let (Some(kafka), Some(native)) = (address("kafka="), address("native=")) else {
            bail!("not ready: {said}")
        };
        let (address, native_address) = (kafka.to_owned(), native.to_owned());
        Ok((Self { child, address, native_address, folder: Some(folder) }, took))
    }

    /// Where native clients connect.
    pub fn native_address(&self) -> &str {
        &self.native_address
    }

    /// Kills it as a power cut would, and leaves its folder.
    ///
    /// # Errors
    /// When it cannot be killed.
    pub fn kill(mut self) -> Result<tempfile::TempDir> {
        self.child.kill()?;
        self.child.wait()?;
        self.folder.take().context("no folder")
    }
}

impl Drop for Ours {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Target for Ours {
    fn name(&self) -> &'static str {
        "callboard"
    }

    fn address(&self) -> &str {
        &self.address
    }

    fn process_id(&self) -> u32 {
        self.child.id()
    }
}

impl Peer {
    /// The peer that the environment names.
    ///
    /// # Errors
    /// When its process is not named.
    pub fn from_environment() -> Result<Option<Self>> {
        let Ok(address) = std::env::var(PEER) else { return Ok(None) };
        let process_id = std::env::var(PEER_PROCESS).context(PEER_PROCESS)?;
        Ok(Some(Self { address, process_id: process_id.parse()? }))
    }
}

impl Target for Peer {
    fn name(&self) -> &'static str {
        "peer"
    }

    fn address(&self) -> &str {
        &self.address
    }

    fn process_id(&self) -> u32 {
        self.process_id
    }
}

/// What a process has used so far.
///
/// # Errors
/// When there is no such process.
pub fn usage(process_id: u32) -> Result<Usage> {
    let stat = std::fs::read_to_string(format!("/proc/{process_id}/stat"))?;
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<u64>().ok()).context("stat");
    // Behind the name: user time is the 12th field, kernel time the 13th; a tick is 10 ms.
    let cpu = Duration::from_millis((ticks(11)? + ticks(12)?) * 10);
    let status = std::fs::read_to_string(format!("/proc/{process_id}/status"))?;
    let resident = status.lines().find(|line| line.starts_with("VmRSS")).context("VmRSS")?;
    let kib: u64 = resident.split_whitespace().nth(1).context("VmRSS")?.parse()?;
    let io = std::fs::read_to_string(format!("/proc/{process_id}/io"))?;
    let written = io.lines().find_map(|line| line.strip_prefix("write_bytes: ")).context("write_bytes")?;
    Ok(Usage { cpu, resident_bytes: kib * 1024, written_bytes: written.parse()? })
}
