//! A program of the soak: a client that says lines until it is ended.

use crate::client::Client;
use crate::support::process::wait_within;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, ExitStatus, Stdio};
use std::sync::mpsc::Sender;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// To leave a group takes an answer of the broker, and for some clients the end of a rebalance.
const ENDED_WITHIN: Duration = Duration::from_secs(15);

/// What a program says.
pub(crate) struct Line {
    /// The number that the program was given.
    pub(crate) number: usize,
    /// When the line came.
    pub(crate) at: Instant,
    /// The line, without its end.
    pub(crate) text: String,
}

/// A program that runs. Dropping it kills the process.
pub(crate) struct Program {
    process: Child,
    reader: Option<JoinHandle<()>>,
}

impl Program {
    /// Starts the program of a client with its arguments. What it says goes to `said`.
    pub(crate) fn start(client: Client, arguments: &[&str], number: usize, said: &Sender<Line>) -> Self {
        let mut program = client.program().unwrap();
        program.args(arguments).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = program.spawn().unwrap();
        let output = process.stdout.take().unwrap();
        let said = said.clone();
        let reader = Some(thread::spawn(move || pass_on(output, number, &said)));
        Self { process, reader }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.process.id().try_into().unwrap()), signal).unwrap();
    }

    /// Ends it by a signal. All that it said is in the channel then.
    pub(crate) fn end(&mut self, signal: Signal) -> ExitStatus {
        self.signal(signal);
        let ended = wait_within(&mut self.process, ENDED_WITHIN).unwrap();
        let status = ended.expect("a program is to end and does not");
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
        status
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn pass_on(output: ChildStdout, number: usize, said: &Sender<Line>) {
    let (mut output, mut text) = (BufReader::new(output), String::new());
    // Who dies may leave a part of a line, which says nothing.
    while output.read_line(&mut text).is_ok() && text.ends_with('\n') {
        let line = Line { number, at: Instant::now(), text: text.trim_end().to_owned() };
        if said.send(line).is_err() {
            break;
        }
        text.clear();
    }
}
