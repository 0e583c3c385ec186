//! Brokers on one data folder, one after the other, and what they did there.

use crate::chance::Chance;
use crate::disk::Disk;
use crate::facts::{Fact, Facts};
use crate::load::Load;
use crate::recording::{self, Death, Entry, Recorder};
use crate::support::launch::{address_in, is_ready, log_in, through};
use crate::support::process::last_lines;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;
use tempfile::TempDir;

const READY_WITHIN: Duration = Duration::from_secs(30);

/// Bounds so small that segments end, checkpoints are made and segments are removed all the time.
pub(crate) const SETTINGS: [(&str, &str); 9] = [
    ("native.address", "off"),
    ("auto.create.topics.enable", "false"),
    ("storage.free.bytes.min", "0"),
    ("journal.segment.bytes", "1048576"),
    ("checkpoint.records", "60"),
    ("checkpoint.bytes", "400000"),
    ("checkpoint.interval.ms", "300"),
    ("shutdown.grace.ms", "1000"),
    ("workers", "2"),
];

/// A folder whose brokers are recorded, with what their clients know.
pub(crate) struct Recorded<'a> {
    recorder: &'a Recorder,
    /// What the disk has before the first of them.
    pub(crate) disk: Disk,
    pub(crate) facts: Facts,
    root: PathBuf,
    log: PathBuf,
    _aside: TempDir,
}

impl<'a> Recorded<'a> {
    /// All that is in the folder is durable, and known is what that is.
    pub(crate) fn new(recorder: &'a Recorder, folder: &Path, known: Vec<Fact>) -> Self {
        let aside = tempfile::tempdir().unwrap();
        let log = aside.path().join("recorded");
        let root = fs::canonicalize(folder).unwrap();
        let (disk, facts) = (Disk::of(&root), Facts::new(log.clone(), known));
        Self { recorder, disk, facts, root, log, _aside: aside }
    }

    pub(crate) fn entries(&self) -> Vec<Entry> {
        recording::read(&self.log)
    }

    /// A broker that dies in its start, or when that is done.
    pub(crate) fn die(&self, death: Death) {
        let (mut child, said) = self.start(Some(death));
        while said.recv_timeout(READY_WITHIN) != Err(RecvTimeoutError::Disconnected) {
            end(&child);
        }
        child.wait().unwrap();
    }

    /// A broker that clients work with until so much has happened, and that is killed then, or has died. Its
    /// number tells the names of topics from those of others; those of brokers before it are deleted.
    pub(crate) fn work(&self, number: usize, events: usize, death: Option<Death>, chance: &mut Chance) {
        let (mut child, said) = self.start(death);
        let ready = said.recv_timeout(READY_WITHIN);
        if death.is_some() && ready == Err(RecvTimeoutError::Disconnected) {
            child.wait().unwrap();
            return;
        }
        let ready = ready.unwrap_or_default();
        assert!(is_ready(&ready), "it said {ready}: {}", self.complaints());
        let address = address_in(&ready).unwrap();
        let load = Load { address: &address, facts: &self.facts, number };
        let mut old = self.facts.until(u64::MAX).names();
        old.retain(|name| name.starts_with("lasting"));
        load.run(&old, events, chance, |is_left| {
            let has_ended = is_left || child.try_wait().unwrap().is_some();
            assert!(death.is_some() || !has_ended, "the broker ended by itself: {}", self.complaints());
            end(&child);
            child.wait().unwrap();
        });
    }

    fn start(&self, death: Option<Death>) -> (Child, Receiver<String>) {
        let settings: Vec<_> = SETTINGS.iter().map(|(name, value)| format!("{name}={value}")).collect();
        through(self.recorder.command(&self.log, &self.root, death), &self.root, &settings).unwrap()
    }

    fn complaints(&self) -> String {
        last_lines(&fs::read_to_string(log_in(&self.root)).unwrap_or_default())
    }
}

fn end(child: &Child) {
    kill(Pid::from_raw(child.id() as i32), Signal::SIGTERM).unwrap();
}
