//! A broker to try the program's commands on.

use crate::callboard;
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Output, Stdio};
use tempfile::TempDir;

/// A broker, and a folder in which commands run.
pub struct Trial {
    child: Child,
    pub native: String,
    pub folder: TempDir,
}

impl Trial {
    /// Starts a broker without settings.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = callboard(folder.path(), &["serve", "--kafka", "off", "--native", "127.0.0.1:0"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert_eq!(lines.next().unwrap().unwrap(), "callboard ready data=./callboard-data");
        let native = lines.next().unwrap().unwrap();
        let native = native.strip_prefix("callboard native=").unwrap().to_owned();
        Self { child, native, folder }
    }

    /// Runs a command that is given that to read.
    pub fn run_with(&self, words: &[&str], input: &str) -> Output {
        let words = [words, &["--broker", &self.native]].concat();
        let mut command = callboard(self.folder.path(), &words);
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // One that stops early does not read all of it.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    }

    /// What a command that succeeds prints.
    pub fn run(&self, words: &[&str]) -> String {
        self.give(words, "")
    }

    /// What a command that succeeds prints when it is given that to read.
    pub fn give(&self, words: &[&str], input: &str) -> String {
        let output = self.run_with(words, input);
        let problem = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!((output.status.code(), problem.as_str()), (Some(0), ""), "{words:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// What a command that fails says.
    pub fn fail(&self, words: &[&str]) -> String {
        self.fail_with(words, "")
    }

    /// What a command that fails says when it is given that to read.
    pub fn fail_with(&self, words: &[&str], input: &str) -> String {
        let output = self.run_with(words, input);
        assert_eq!(output.status.code(), Some(1), "{words:?}");
        String::from_utf8(output.stderr).unwrap()
    }
}

impl Drop for Trial {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The JSON values of all lines.
pub fn objects(lines: &str) -> Vec<Value> {
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}
