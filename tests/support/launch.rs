//! Starts a broker process and learns from its first line where it listens.

use crate::support::process::last_lines;
use anyhow::{Context, Result, bail};
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

const READY_WITHIN: Duration = Duration::from_secs(30);

/// The broker's data.
pub(crate) fn data_in(folder: &Path) -> PathBuf {
    folder.join("data")
}

/// What the broker writes to standard error, over all its starts.
pub(crate) fn log_in(folder: &Path) -> PathBuf {
    folder.join("log")
}

/// An address with any port that is free.
pub(crate) const ANYWHERE: &str = "127.0.0.1:0";

/// Starts the broker at an address, with data and log in `folder`, and waits until it is ready.
///
/// # Errors
/// When it does not start, or does not say in time where it listens; the error ends with its log.
pub(crate) fn launch(folder: &Path, address: &str, settings: &[String]) -> Result<(Child, String)> {
    let (mut child, lines) = spawn(folder, address, settings, None)?;
    match lines.recv_timeout(READY_WITHIN) {
        Ok(line) if is_ready(&line) => Ok((child, address_in(&line)?)),
        otherwise => {
            let _ = child.kill();
            let _ = child.wait();
            let log = fs::read(log_in(folder))?;
            let log = last_lines(&String::from_utf8_lossy(&log));
            bail!("the broker did not say that it is ready but {otherwise:?}; its log:\n{log}")
        }
    }
}

/// Starts the broker, and tells the lines that it says: none any more when it has ended. Where it is to
/// die at a point between two steps, `death` says at which, and in which pass.
///
/// # Errors
/// When it cannot be started.
pub(crate) fn spawn(
    folder: &Path,
    address: &str,
    settings: &[String],
    death: Option<&str>,
) -> Result<(Child, mpsc::Receiver<String>)> {
    let variables: Vec<_> = death.map(|death| ("FAILPOINTS", death)).into_iter().collect();
    spawn_with(folder, address, settings, &variables)
}

/// Starts the broker with variables of its environment, and tells the lines that it says.
///
/// # Errors
/// When it cannot be started.
pub(crate) fn spawn_with(
    folder: &Path,
    address: &str,
    settings: &[String],
    variables: &[(&str, &str)],
) -> Result<(Child, mpsc::Receiver<String>)> {
    let log = OpenOptions::new().create(true).append(true).open(log_in(folder))?;
    let mut command = command(folder, address, settings, log);
    command.env_remove("FAILPOINTS").envs(variables.iter().copied());
    let mut child = command.spawn().context("cannot start callboard")?;
    let said = child.stdout.take().context("no standard output")?;
    Ok((child, lines(said)))
}

/// The program under test: the one that is built with the tests, or `CALLBOARD_TEST_PROGRAM`, for instance
/// a release build.
pub(crate) fn program() -> OsString {
    std::env::var_os("CALLBOARD_TEST_PROGRAM").unwrap_or_else(|| env!("CARGO_BIN_EXE_callboard").into())
}

/// Starts the broker by another program, which is given it and its arguments as its last ones.
///
/// # Errors
/// When it cannot be started.
pub(crate) fn through(
    mut other: Command,
    folder: &Path,
    settings: &[String],
) -> Result<(Child, mpsc::Receiver<String>)> {
    let log = OpenOptions::new().create(true).append(true).open(log_in(folder))?;
    other.arg(program());
    let mut child = with_arguments(other, folder, ANYWHERE, settings, log).spawn()?;
    let said = child.stdout.take().context("no standard output")?;
    Ok((child, lines(said)))
}

fn command(folder: &Path, address: &str, settings: &[String], log: File) -> Command {
    with_arguments(Command::new(program()), folder, address, settings, log)
}

fn with_arguments(
    mut command: Command,
    folder: &Path,
    address: &str,
    settings: &[String],
    log: File,
) -> Command {
    // A test says itself what it sets: nothing comes from the user's environment or folder.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("CALLBOARD_") {
            command.env_remove(name);
        }
    }
    command.current_dir(folder).arg("serve").arg("--data").arg(data_in(folder));
    command.args(["--kafka", address]);
    for setting in settings {
        command.args(["--set", setting]);
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
    command
}

/// The lines that come, and then a closed channel.
fn lines(said: ChildStdout) -> mpsc::Receiver<String> {
    let (sender, line) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(said).lines().map_while(Result::ok) {
            // The rest is read too, so that the broker never writes into a closed pipe.
            let _ = sender.send(line);
        }
    });
    line
}

/// Whether a line says that clients may come.
pub(crate) fn is_ready(line: &str) -> bool {
    line.starts_with("callboard ready ")
}

/// The address in such a line.
///
/// # Errors
/// When there is none.
pub(crate) fn address_in(ready: &str) -> Result<String> {
    let word = ready.split_whitespace().find_map(|word| word.strip_prefix("kafka="));
    Ok(word.with_context(|| format!("no address in {ready:?}"))?.to_string())
}
