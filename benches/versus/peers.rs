//! The brokers that are compared, each of which can be started again and again.

mod kafka;
mod nats;

use crate::options::Options;
use anyhow::{Context, Result};
use callboard_benches::broker::{self, Ours, Target};
use callboard_benches::produce::{self, Load, Outcome};
use std::path::Path;
use std::process::{Child, Command};
use tempfile::TempDir;

/// The broker that this repository is about.
pub const OURS: &str = "callboard";
/// The one that ratios are told against.
pub const BASE: &str = "kafka";
/// The same, with the durability of ours.
pub const BASE_SYNCED: &str = "kafka-fsync";

/// A broker that can be started.
pub trait Peer {
    fn name(&self) -> &'static str;
    fn version(&self) -> Result<String>;
    /// What it has done when it acknowledges, and other settings that matter.
    fn settings(&self) -> &'static str;
    /// Starts it on a folder that is empty or that it has left behind.
    fn start(&self, folder: TempDir) -> Result<Box<dyn Running>>;
}

/// A broker that runs. It ends when this is dropped.
pub trait Running: Target {
    /// Kills it as a power cut would, and gives its folder.
    fn kill(self: Box<Self>) -> Result<TempDir>;

    /// Whether Kafka's clients can talk to it.
    fn speaks_kafka(&self) -> bool {
        true
    }

    fn create_topics(&self, load: &Load) -> Result<()> {
        produce::create_topics(self.address(), load).map(drop)
    }

    fn produce(&self, load: &Load) -> Result<Outcome> {
        produce::produce(self.address(), load)
    }

    /// Reads the first topic of a load from its beginning, so many records.
    fn consume(&self, load: &Load, records: usize) -> Result<Outcome> {
        produce::consume(self.address(), &Load { records, ..load.clone() })
    }

    /// Times from sending to receiving at so many records a second, for so long.
    fn end_to_end(&self, load: &Load) -> Result<Outcome> {
        crate::end_to_end::measure(self.address(), load)
    }
}

/// All that can be started here.
pub fn all(options: &Options) -> Result<Vec<Box<dyn Peer>>> {
    broker::build()?;
    let mut peers: Vec<Box<dyn Peer>> = vec![Box::new(Callboard)];
    if let Some(home) = &options.kafka {
        for is_synced in [false, true] {
            peers.push(Box::new(kafka::Kafka::new(home, is_synced)?));
        }
    }
    if let Some(go) = &options.go {
        let program = nats::build(go)?;
        for is_synced in [false, true] {
            peers.push(Box::new(nats::Nats::new(&program, is_synced)));
        }
    }
    let names: Vec<&str> = peers.iter().map(|peer| peer.name()).collect();
    options.check_peers(&names)?;
    peers.retain(|peer| options.has_peer(peer.name()));
    Ok(peers)
}

struct Callboard;

impl Peer for Callboard {
    fn name(&self) -> &'static str {
        OURS
    }

    fn version(&self) -> Result<String> {
        said(Command::new(broker::program()?).arg("--version"))
    }

    fn settings(&self) -> &'static str {
        "as it comes: each write is on the disk before it is acknowledged"
    }

    fn start(&self, folder: TempDir) -> Result<Box<dyn Running>> {
        Ok(Box::new(Ours::start_in(folder)?.0))
    }
}

impl Running for Ours {
    fn kill(self: Box<Self>) -> Result<TempDir> {
        Ours::kill(*self)
    }
}

/// A broker's process and its folder.
struct Process {
    name: &'static str,
    child: Child,
    address: String,
    folder: Option<TempDir>,
}

impl Process {
    fn kill(&mut self) -> Result<TempDir> {
        self.child.kill()?;
        self.child.wait()?;
        self.folder.take().context("no folder")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a program says, without the line's end.
pub fn said(command: &mut Command) -> Result<String> {
    let output = command.output()?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Copies a folder with all that is in it.
fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let (from, to) = {
            let entry = entry?;
            (entry.path(), to.join(entry.file_name()))
        };
        if from.is_dir() {
            copy_folder(&from, &to)?;
        } else {
            std::fs::copy(from, to)?;
        }
    }
    Ok(())
}
