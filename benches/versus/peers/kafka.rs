//! Apache Kafka from its jars, broker and controller in one process.

use super::{BASE, BASE_SYNCED, Peer, Process, Running, copy_folder};
use crate::java;
use anyhow::{Context, Result, ensure};
use callboard_benches::broker::Target;
use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// As Kafka's own script starts it.
const FLAGS: [&str; 6] = [
    "-Xmx1G",
    "-Xms1G",
    "-server",
    "-XX:+UseG1GC",
    "-XX:MaxGCPauseMillis=20",
    "-XX:InitiatingHeapOccupancyPercent=35",
];
const START_MAX: Duration = Duration::from_secs(180);

pub struct Kafka {
    home: PathBuf,
    is_synced: bool,
    port: u16,
    controller_port: u16,
    /// A data folder that was formatted once.
    formatted: TempDir,
}

impl Kafka {
    pub fn new(home: &Path, is_synced: bool) -> Result<Self> {
        // Both are held until both are known, so that they differ.
        let (one, other) = (TcpListener::bind("127.0.0.1:0")?, TcpListener::bind("127.0.0.1:0")?);
        let (port, controller_port) = (one.local_addr()?.port(), other.local_addr()?.port());
        let formatted = tempfile::tempdir()?;
        let kafka = Self { home: home.to_owned(), is_synced, port, controller_port, formatted };
        kafka.format()?;
        Ok(kafka)
    }

    fn format(&self) -> Result<()> {
        let properties = self.properties(self.formatted.path())?;
        // Any sixteen bytes do, as a client id of one broker alone.
        let cluster = "Y2FsbGJvYXJkLWJlbmNoMQ";
        let output = java::command(&self.home)
            .args(["kafka.tools.StorageTool", "format", "--standalone", "-t", cluster, "-c"])
            .arg(properties)
            .output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "Kafka's folder cannot be formatted: {said}");
        Ok(())
    }

    /// Writes the settings of a broker with its data in a folder.
    fn properties(&self, folder: &Path) -> Result<PathBuf> {
        let (port, controller, data) = (self.port, self.controller_port, folder.join("data"));
        let mut text = format!(
            "process.roles=broker,controller\nnode.id=1\n\
             controller.quorum.bootstrap.servers=127.0.0.1:{controller}\n\
             listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}\n\
             advertised.listeners=PLAINTEXT://127.0.0.1:{port}\n\
             controller.listener.names=CONTROLLER\ninter.broker.listener.name=PLAINTEXT\n\
             log.dirs={}\nnum.partitions=4\noffsets.topic.replication.factor=1\n\
             transaction.state.log.replication.factor=1\ntransaction.state.log.min.isr=1\n\
             share.coordinator.state.topic.replication.factor=1\n\
             share.coordinator.state.topic.min.isr=1\ngroup.initial.rebalance.delay.ms=0\n",
            data.display()
        );
        if self.is_synced {
            text += "log.flush.interval.messages=1\n";
        }
        let path = folder.join("server.properties");
        std::fs::write(&path, text)?;
        Ok(path)
    }
}

impl Peer for Kafka {
    fn name(&self) -> &'static str {
        if self.is_synced { BASE_SYNCED } else { BASE }
    }

    fn version(&self) -> Result<String> {
        for entry in std::fs::read_dir(self.home.join("libs"))? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if let Some(version) =
                name.strip_prefix("kafka-server-").and_then(|rest| rest.strip_suffix(".jar"))
                && version.starts_with(|first: char| first.is_ascii_digit())
            {
                return Ok(format!("Apache Kafka {version}"));
            }
        }
        Ok("Apache Kafka".into())
    }

    fn settings(&self) -> &'static str {
        if self.is_synced {
            "log.flush.interval.messages=1: each write is on the disk before it is acknowledged"
        } else {
            "as it comes: a write is in the page cache when it is acknowledged"
        }
    }

    fn start(&self, folder: TempDir) -> Result<Box<dyn Running>> {
        let data = folder.path().join("data");
        if !data.exists() {
            copy_folder(&self.formatted.path().join("data"), &data)?;
        }
        let properties = self.properties(folder.path())?;
        let log = folder.path().join("kafka.log");
        // Where it logs to depends on the jars that are there.
        let file = File::create(&log)?;
        let child = java::broker(&self.home, &FLAGS)
            .arg("kafka.Kafka")
            .arg(properties)
            .stdout(file.try_clone()?)
            .stderr(file)
            .spawn()
            .context("java does not start")?;
        let address = format!("127.0.0.1:{}", self.port);
        let mut process = Process { name: self.name(), child, address, folder: Some(folder) };
        let deadline = Instant::now() + START_MAX;
        while !std::fs::read_to_string(&log)?.contains("Kafka Server started") {
            ensure!(process.child.try_wait()?.is_none(), "Kafka has ended: {}", tail(&log)?);
            ensure!(Instant::now() < deadline, "Kafka does not start: {}", tail(&log)?);
            std::thread::park_timeout(Duration::from_millis(20));
        }
        Ok(Box::new(process))
    }
}

fn tail(log: &Path) -> Result<String> {
    let text = std::fs::read_to_string(log)?;
    let lines: Vec<&str> = text.lines().rev().take(3).collect();
    Ok(lines.join(" | "))
}

impl Target for Process {
    fn name(&self) -> &'static str {
        self.name
    }

    fn address(&self) -> &str {
        &self.address
    }

    fn process_id(&self) -> u32 {
        self.child.id()
    }
}

impl Running for Process {
    fn kill(mut self: Box<Self>) -> Result<TempDir> {
        Process::kill(&mut self)
    }
}
