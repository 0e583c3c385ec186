//! A broker process of its own for one test: started on a free port with an empty data folder.
//!
//! `CALLBOARD_TEST_BROKER=HOST:PORT` tests a broker that runs already, for instance Apache Kafka,
//! to see whether a test expects the right thing; what needs a process of our own is left out then.

use crate::support::launch::{ANYWHERE, data_in, launch, log_in};
use crate::support::process::{last_lines, wait_within};
use anyhow::{Context, Result, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs;
use std::path::PathBuf;
use std::process::Child;
use std::thread;
use std::time::Duration;

const STOPPED_WITHIN: Duration = Duration::from_secs(15);

/// A running broker. Dropping it kills the process and removes its data; when a test is failing,
/// the broker's log is printed first.
pub(crate) struct Broker {
    address: String,
    own: Option<Own>,
}

/// A process that this test started.
struct Own {
    folder: tempfile::TempDir,
    settings: Vec<String>,
    child: Child,
}

/// The address of a broker that runs already, if the tests are to use one.
pub(crate) fn elsewhere() -> Option<String> {
    std::env::var("CALLBOARD_TEST_BROKER").ok()
}

impl Broker {
    /// A broker with all settings at their defaults.
    ///
    /// # Errors
    /// When the program does not start, or does not say that it is ready.
    pub(crate) fn start() -> Result<Self> {
        Self::start_with(&[])
    }

    /// A broker with `settings`, each `key=value`.
    ///
    /// # Errors
    /// As for [`Broker::start`], and when settings are asked of a broker that runs already.
    pub(crate) fn start_with(settings: &[&str]) -> Result<Self> {
        if let Some(address) = elsewhere() {
            ensure!(settings.is_empty(), "the broker at {address} cannot be given {settings:?}");
            return Ok(Self { address, own: None });
        }
        let folder = tempfile::tempdir()?;
        let settings: Vec<String> = settings.iter().map(ToString::to_string).collect();
        let (child, address) = launch(folder.path(), ANYWHERE, &settings)?;
        Ok(Self { address, own: Some(Own { folder, settings, child }) })
    }

    /// Where Kafka clients connect: `host:port`.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// The process id.
    ///
    /// # Errors
    /// When the broker is not ours.
    pub(crate) fn process_id(&self) -> Result<u32> {
        Ok(self.own.as_ref().context("not our process")?.child.id())
    }

    /// The data folder.
    ///
    /// # Errors
    /// When the broker is not ours.
    pub(crate) fn data(&self) -> Result<PathBuf> {
        Ok(data_in(self.own.as_ref().context("not our process")?.folder.path()))
    }

    /// Everything the broker wrote to standard error since its first start.
    ///
    /// # Errors
    /// When the broker is not ours or its log cannot be read.
    pub(crate) fn log(&self) -> Result<String> {
        let own = self.own.as_ref().context("not our process")?;
        Ok(String::from_utf8_lossy(&fs::read(log_in(own.folder.path()))?).into_owned())
    }

    /// Ends the process by SIGKILL, as a crash would.
    ///
    /// # Errors
    /// When the broker is not ours.
    pub(crate) fn kill(&mut self) -> Result<()> {
        let own = self.own.as_mut().context("not our process")?;
        own.child.kill()?;
        own.child.wait()?;
        Ok(())
    }

    /// Starts the broker again on the same data, at a new address.
    ///
    /// # Errors
    /// When it still runs, is not ours, or does not get ready.
    pub(crate) fn restart(&mut self) -> Result<()> {
        self.restart_at(ANYWHERE)
    }

    /// Starts the broker again on the same data, where its clients look for it.
    ///
    /// # Errors
    /// As for [`Broker::restart`], and when the port was taken meanwhile.
    pub(crate) fn restart_in_place(&mut self) -> Result<()> {
        let address = self.address.clone();
        self.restart_at(&address)
    }

    fn restart_at(&mut self, address: &str) -> Result<()> {
        let own = self.own.as_mut().context("not our process")?;
        ensure!(own.child.try_wait()?.is_some(), "the broker still runs");
        (own.child, self.address) = launch(own.folder.path(), address, &own.settings)?;
        Ok(())
    }

    /// Asks the process to end by SIGTERM, and sees it end with exit code 0.
    ///
    /// # Errors
    /// When it ends otherwise or too late.
    pub(crate) fn stop(&mut self) -> Result<()> {
        let own = self.own.as_mut().context("not our process")?;
        kill(Pid::from_raw(i32::try_from(own.child.id())?), Signal::SIGTERM)?;
        let ended = wait_within(&mut own.child, STOPPED_WITHIN)?;
        let status = ended.with_context(|| format!("still running {STOPPED_WITHIN:?} after SIGTERM"))?;
        ensure!(status.code() == Some(0), "ended with {status} after SIGTERM");
        Ok(())
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        if thread::panicking() {
            let log = self.log().unwrap_or_default();
            eprintln!("--- the broker's log ---\n{}\n---", last_lines(&log));
        }
        if let Some(own) = self.own.as_mut() {
            let _ = own.child.kill();
            let _ = own.child.wait();
        }
    }
}
