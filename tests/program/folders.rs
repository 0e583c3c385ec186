//! Data folders that no broker runs on: checking them, and salvaging damaged ones.

use crate::{callboard, output};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use tempfile::TempDir;

/// A broker on the folder `data`.
struct Served {
    child: Child,
    native: String,
    folder: PathBuf,
}

impl Served {
    fn start(folder: &Path, data: &str) -> Self {
        let words = ["serve", "--kafka", "off", "--native", "127.0.0.1:0", "--data", data];
        let mut command = callboard(folder, &words);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.next().unwrap().unwrap().starts_with("callboard ready"));
        let native = lines.next().unwrap().unwrap();
        let native = native.strip_prefix("callboard native=").unwrap().to_owned();
        Self { child, native, folder: folder.to_owned() }
    }

    fn run(&self, words: &[&str], input: &str) -> String {
        let mut command = callboard(&self.folder, &[words, &["--broker", &self.native]].concat());
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let done = child.wait_with_output().unwrap();
        assert_eq!(done.status.code(), Some(0), "{words:?}");
        String::from_utf8(done.stdout).unwrap()
    }

    fn stop(mut self) {
        kill(Pid::from_raw(self.child.id() as i32), Signal::SIGTERM).unwrap();
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A folder `data` with ten records in a topic, each in a batch of its own, and a group that read two.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let broker = Served::start(folder.path(), "data");
    broker.run(&["topic", "create", "orders", "--partitions", "1", "--set", "retention.ms=123456"], "");
    for number in 0..10 {
        broker.run(&["produce", "orders"], &format!("record number {number}\n"));
    }
    broker.run(&["consume", "orders", "-G", "kitchen", "-c", "2"], "");
    broker.stop();
    folder
}

/// Changes a byte of a record's value in the journal.
fn damage(folder: &Path, value: &str) {
    let path = folder.join("data/journal/00000000000000000001.journal");
    let mut bytes = fs::read(&path).unwrap();
    let place = bytes.windows(value.len()).position(|window| window == value.as_bytes()).unwrap();
    bytes[place] ^= 0x20;
    fs::write(path, bytes).unwrap();
}

fn run(folder: &Path, words: &[&str]) -> (Option<i32>, String, String) {
    output(&mut callboard(folder, words))
}

fn objects(lines: &str) -> Vec<Value> {
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_whole_folder_is_checked_and_found_clean() {
    let folder = folder();
    let (code, told, problem) = run(folder.path(), &["check", "data"]);
    assert_eq!((code, problem.as_str()), (Some(0), ""), "{told}");
    assert!(told.contains("10 batch(es) of 1 topic(s)") && told.contains("nothing is wrong"), "{told}");
    let (code, told, _) = run(folder.path(), &["check", "data", "--json"]);
    let told = objects(&told);
    let facts = (&told[0]["clean"], &told[0]["batches"], &told[0]["refusal"]);
    assert_eq!((code, told.len(), facts), (Some(0), 1, (&json!(true), &json!(10), &Value::Null)));
}

#[test]
fn what_cannot_be_checked_is_told_with_what_to_do_and_another_code_than_damage() {
    let folder = folder();
    let (code, told, problem) = run(folder.path(), &["check", "nowhere"]);
    assert_eq!((code, told.as_str()), (Some(1), ""));
    assert!(problem.contains("nowhere") && problem.contains("name a data folder"), "{problem}");
    assert_eq!(run(folder.path(), &["check"]).0, Some(1), "no folder is named");
    let broker = Served::start(folder.path(), "data");
    for words in [&["check", "data"][..], &["salvage", "data", "new"]] {
        let (code, told, problem) = run(folder.path(), words);
        assert_eq!((code, told.as_str()), (Some(1), ""));
        assert!(problem.contains("in use") && problem.contains("stop the broker"), "{problem}");
    }
    assert!(!folder.path().join("new").exists());
    broker.stop();
}

#[test]
fn damage_is_told_and_all_else_is_salvaged_into_a_folder_that_a_broker_starts_on() {
    let folder = folder();
    damage(folder.path(), "record number 4");
    let (code, told, _) = run(folder.path(), &["check", "data"]);
    assert_eq!(code, Some(2), "{told}");
    assert!(told.contains("partition 0 of orders, offset 4 (segment 1, position"), "{told}");
    assert!(told.contains("1 offset(s) cannot be read") && told.contains("callboard salvage data"), "{told}");
    let (code, told, _) = run(folder.path(), &["check", "data", "--json"]);
    let told = objects(&told);
    assert_eq!((code, &told[0]["topic"], &told[0]["offset"]), (Some(2), &json!("orders"), &json!(4)));
    assert_eq!(told.last().unwrap()["findings"], json!(1));

    let (code, told, problem) = run(folder.path(), &["salvage", "data", "new"]);
    assert_eq!((code, problem.as_str()), (Some(2), ""), "{told}");
    assert!(told.contains("lost: partition 0 of orders, offset 4\n"), "{told}");
    assert!(told.contains("9 offset(s) in 9 batch(es) of 1 topic(s)"), "{told}");
    let (code, told, _) = run(folder.path(), &["check", "new"]);
    assert_eq!(code, Some(0), "{told}");

    let broker = Served::start(folder.path(), "new");
    let rest: String =
        (0..10).filter(|it| *it != 4).map(|number| format!("record number {number}\n")).collect();
    assert_eq!(broker.run(&["consume", "orders"], ""), rest);
    let from_hole = broker.run(&["consume", "orders", "--from", "4", "--format", r"%o\n"], "");
    assert!(from_hole.starts_with("5\n6\n"), "{from_hole}");
    assert_eq!(broker.run(&["consume", "orders", "-G", "kitchen", "-c", "1"], ""), "record number 2\n");
    let described = broker.run(&["topic", "describe", "orders", "--json"], "");
    assert!(described.contains(r#""end_offset":10"#) && described.contains("123456"), "{described}");
    broker.run(&["produce", "orders"], "one more\n");
    let last = broker.run(&["consume", "orders", "--from", "10", "--format", r"%o %v\n"], "");
    assert_eq!(last, "10 one more\n");
    broker.stop();
    assert_eq!(run(folder.path(), &["check", "new"]).0, Some(0));
}

#[test]
fn a_lost_end_of_a_log_is_not_given_again_and_a_lost_index_is_made_anew() {
    let folder = folder();
    damage(folder.path(), "record number 9");
    fs::remove_dir_all(folder.path().join("data/index")).unwrap();
    let (code, told, _) = run(folder.path(), &["check", "data"]);
    assert!(code == Some(2) && told.contains("file index: it is missing"), "{told}");
    let (code, told, _) = run(folder.path(), &["salvage", "data", "new", "--json"]);
    let told = objects(&told);
    let lost =
        json!({"topic": "orders", "partition": 0, "partition_number": 0, "offset": 9, "end_offset": 10});
    assert_eq!((code, &told[0]["lost"]), (Some(2), &lost));
    assert_eq!(told.last().unwrap()["offsets_lost"], json!(1));
    let refused = run(folder.path(), &["salvage", "data", "new"]);
    assert!(refused.0 == Some(1) && refused.2.contains("not empty"), "{}", refused.2);
    let broker = Served::start(folder.path(), "new");
    let there = broker.run(&["consume", "orders", "--format", r"%o\n"], "");
    assert!(there.ends_with("7\n8\n"), "it ends, though the last offset has no record: {there}");
    broker.run(&["produce", "orders"], "one more\n");
    assert!(broker.run(&["consume", "orders", "--format", r"%o\n"], "").ends_with("8\n10\n"));
    broker.stop();
}
