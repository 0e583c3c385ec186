//! The broker process that is killed: it starts on what the one before it left.

use crate::support::launch::{ANYWHERE, address_in, is_ready, log_in, spawn};
use crate::support::process::{last_lines, wait_within};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ExitStatus};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

/// How long a start may take, with all that it has to apply.
const READY_WITHIN: Duration = Duration::from_secs(30);
/// How long it may take until a point is reached.
const REACHED_WITHIN: Duration = Duration::from_secs(40);

/// Bounds so small that segments end, checkpoints are made and segments are removed all the time.
const SETTINGS: [&str; 8] = [
    "native.address=off",
    "auto.create.topics.enable=false",
    "storage.free.bytes.min=0",
    "journal.segment.bytes=1048576",
    "checkpoint.records=120",
    "checkpoint.bytes=1500000",
    "checkpoint.interval.ms=700",
    "workers=2",
];

/// A data folder, and the broker that runs on it.
pub(crate) struct Victim {
    folder: tempfile::TempDir,
    running: Option<Running>,
}

struct Running {
    child: Child,
    address: String,
    /// Kept, so that somebody reads what the broker says.
    _said: Receiver<String>,
}

/// What came of a start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Started {
    /// The broker said that it is ready.
    Ready,
    /// It died before.
    Dead,
}

impl Victim {
    /// A new data folder.
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), running: None }
    }

    /// Where clients find it.
    pub(crate) fn address(&self) -> &str {
        &self.running.as_ref().unwrap().address
    }

    /// Starts the broker, and waits until it is ready.
    pub(crate) fn start(&mut self) {
        assert_eq!(self.start_to_die(None), Started::Ready);
    }

    /// Starts the broker, which is to die at a point.
    pub(crate) fn start_to_die(&mut self, death: Option<&str>) -> Started {
        let (mut child, said) = self.spawn(death);
        match said.recv_timeout(READY_WITHIN) {
            Ok(line) => {
                assert!(is_ready(&line), "it said {line}");
                let address = address_in(&line).unwrap();
                self.running = Some(Running { child, address, _said: said });
                Started::Ready
            }
            Err(RecvTimeoutError::Disconnected) => {
                let status = wait_within(&mut child, READY_WITHIN).unwrap();
                let status = status.expect("a broker closed its output and lives");
                assert!(death.is_some() && is_killed(status), "it did not start: {status}, {}", self.log());
                Started::Dead
            }
            Err(RecvTimeoutError::Timeout) => {
                let _ = child.kill();
                let _ = child.wait();
                panic!("it was not ready within {READY_WITHIN:?}: {}", self.log());
            }
        }
    }

    /// Starts the broker and kills it before it is ready, or right then.
    pub(crate) fn start_and_kill_after(&self, time: Duration) {
        let (mut child, said) = self.spawn(None);
        let _ = said.recv_timeout(time);
        child.kill().unwrap();
        let status = child.wait().unwrap();
        assert!(is_killed(status), "it did not start: {status}, {}", self.log());
    }

    fn spawn(&self, death: Option<&str>) -> (Child, Receiver<String>) {
        let settings = SETTINGS.map(str::to_owned);
        spawn(self.folder.path(), ANYWHERE, &settings, death).unwrap()
    }

    /// SIGKILL, whatever the broker does.
    pub(crate) fn kill(&mut self) {
        let mut running = self.running.take().unwrap();
        let ended = running.child.try_wait().unwrap();
        assert_eq!(ended, None, "the broker ended before it was killed: {}", self.log());
        running.child.kill().unwrap();
        running.child.wait().unwrap();
    }

    /// SIGTERM, and SIGKILL when the broker takes longer than that.
    pub(crate) fn stop_or_kill_after(&mut self, time: Duration) {
        let mut running = self.running.take().unwrap();
        kill(Pid::from_raw(running.child.id() as i32), Signal::SIGTERM).unwrap();
        let status = wait_within(&mut running.child, time).unwrap().unwrap_or_else(|| {
            running.child.kill().unwrap();
            running.child.wait().unwrap()
        });
        assert!(status.success() || is_killed(status), "it stopped with {status}: {}", self.log());
    }

    /// Waits until the broker has died at its point.
    pub(crate) fn wait_for_death(&mut self) {
        let mut running = self.running.take().unwrap();
        let status = wait_within(&mut running.child, REACHED_WITHIN).unwrap();
        if status.is_none() {
            let _ = running.child.kill();
            let _ = running.child.wait();
        }
        let status = status.expect("the point was not reached");
        assert!(is_killed(status), "it ended with {status}: {}", self.log());
    }

    /// The end of what the broker wrote to standard error, over all its starts.
    pub(crate) fn log(&self) -> String {
        last_lines(&self.whole_log())
    }

    /// No broker complained of anything, at any start.
    pub(crate) fn assert_calm(&self) {
        let log = self.whole_log();
        let loud = log.lines().find(|line| line.contains("ERROR") || line.contains("panicked"));
        assert_eq!(loud, None, "{}", last_lines(&log));
    }

    fn whole_log(&self) -> String {
        String::from_utf8_lossy(&fs::read(log_in(self.folder.path())).unwrap_or_default()).into_owned()
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- the broker's log ---\n{}\n---", self.log());
        }
        if let Some(mut running) = self.running.take() {
            let _ = running.child.kill();
            let _ = running.child.wait();
        }
    }
}

fn is_killed(status: ExitStatus) -> bool {
    status.signal() == Some(Signal::SIGKILL as i32)
}
