//! Runs other programs with a limit on their time, and shows what they said when they fail.

use anyhow::{Context, Result, bail};
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::Pid;
use std::io::{Read, Seek};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// The end of `child`, or `None` if it still runs after `limit`.
///
/// # Errors
/// When the operating system cannot say how the child ended.
pub(crate) fn wait_within(child: &mut Child, limit: Duration) -> Result<Option<ExitStatus>> {
    let id = Pid::from_raw(i32::try_from(child.id())?);
    let (sender, ended) = mpsc::channel();
    thread::spawn(move || {
        // The child is left for `Child::wait` to collect, so that its id cannot be reused before.
        let _ = waitid(Id::Pid(id), WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT);
        let _ = sender.send(());
    });
    match ended.recv_timeout(limit) {
        Ok(()) => Ok(Some(child.wait()?)),
        Err(_) => Ok(None),
    }
}

/// What `command` writes to standard output.
///
/// # Errors
/// When it cannot be started, ends with another exit code than 0, or takes longer than `limit`
/// (it is then killed); the error holds what it wrote to both outputs.
pub(crate) fn output_of(mut command: Command, limit: Duration) -> Result<Vec<u8>> {
    // Files and not pipes: nobody has to read them for the program to go on.
    let (mut out, mut err) = (tempfile::tempfile()?, tempfile::tempfile()?);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(out.try_clone()?)
        .stderr(err.try_clone()?)
        .spawn()
        .with_context(|| format!("cannot start {command:?}"))?;
    let ended = wait_within(&mut child, limit)?;
    if ended.is_none() {
        child.kill()?;
        child.wait()?;
    }
    let mut written = Vec::new();
    out.rewind()?;
    out.read_to_end(&mut written)?;
    if ended.is_some_and(|status| status.success()) {
        return Ok(written);
    }
    let mut complaint = Vec::new();
    err.rewind()?;
    err.read_to_end(&mut complaint)?;
    let how = ended.map_or_else(|| format!("did not end within {limit:?}"), |status| status.to_string());
    bail!(
        "{command:?}\n{how}\n{}{}",
        String::from_utf8_lossy(&complaint),
        last_lines(&String::from_utf8_lossy(&written))
    );
}

/// As much of the end of a long text as is good to read in a test's report.
pub(crate) fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let first = lines.len().saturating_sub(60);
    lines[first..].join("\n")
}
