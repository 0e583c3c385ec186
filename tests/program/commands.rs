//! What the program does for users of a running broker.

use crate::callboard;
use crate::trial::{Trial, objects};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::process::Stdio;

#[test]
fn topics_are_created_listed_altered_and_deleted() {
    let trial = Trial::start();
    let set = ["topic", "create", "orders", "--partitions", "2", "--set", "retention.ms=1000"];
    assert_eq!(trial.run(&set), "created orders with 2 partition(s)\n");
    assert!(trial.fail(&["topic", "create", "orders"]).contains("already exists"));
    let listed = objects(&trial.run(&["topic", "list", "--json"]));
    assert_eq!((&listed[0]["topic"], &listed[0]["partitions"]), (&json!("orders"), &json!(2)));
    assert!(trial.run(&["topic", "list"]).starts_with("TOPIC"));
    trial.run(&["topic", "alter", "orders", "--partitions", "3", "--set", "retention.ms=2000"]);
    let described = objects(&trial.run(&["topic", "describe", "orders", "--json"]));
    assert_eq!(described.len(), 4, "three partitions and a setting: {described:?}");
    assert_eq!(described[3], json!({"setting": "retention.ms", "value": "2000"}));
    let fewer = ["topic", "alter", "orders", "--partitions", "2", "--set", "retention.ms=3000"];
    assert!(trial.fail(&fewer).contains("topic orders"));
    let wrong = ["topic", "alter", "orders", "--partitions", "4", "--set", "retention.ms=soon"];
    trial.fail(&wrong);
    let unchanged = objects(&trial.run(&["topic", "describe", "orders", "--json"]));
    assert_eq!(unchanged, described, "what is refused in part changes nothing");
    trial.run(&["topic", "alter", "orders", "--unset", "retention.ms"]);
    assert_eq!(objects(&trial.run(&["topic", "describe", "orders", "--json"])).len(), 3);
    trial.run(&["topic", "delete", "orders"]);
    let problem = trial.fail(&["topic", "describe", "orders"]);
    assert!(problem.contains("no topic orders") && problem.contains("callboard topic list"), "{problem}");
}

#[test]
fn lines_are_sent_and_read_back() {
    let trial = Trial::start();
    trial.run(&["topic", "create", "orders", "--partitions", "1"]);
    let sent = trial.give(&["produce", "orders", "-K", ":", "-H", "from=test"], "a:one\nb:two\nthree\n");
    assert_eq!(sent, "sent 3 record(s) to orders\n");
    let file = trial.folder.path().join("more.txt");
    fs::write(&file, "four\nfive").unwrap();
    trial.run(&["produce", "orders", "-z", "zstd", file.to_str().unwrap()]);
    assert_eq!(trial.run(&["consume", "orders"]), "one\ntwo\nthree\nfour\nfive\n");
    let format = ["consume", "orders", "--format", r"%t/%p/%o %k=%v [%h]%%\n", "--count", "1"];
    assert_eq!(trial.run(&format), "orders/0/0 a=one [from=test]%\n");
    assert_eq!(trial.run(&["consume", "orders", "--from", "3"]), "four\nfive\n");
    let committed = ["consume", "orders", "--from", "3", "--isolation", "read-committed"];
    assert_eq!(trial.run(&committed), "four\nfive\n");
    assert_eq!(trial.run(&["consume", "orders", "--from", "end"]), "");
    let read = objects(&trial.run(&["consume", "orders", "--json", "-c", "1"]));
    assert_eq!(read[0]["headers"], json!([["from", "test"]]));
    assert_eq!((&read[0]["key"], &read[0]["offset"]), (&json!("a"), &json!(0)));
}

#[test]
fn json_lines_are_records_with_all_that_belongs_to_them() {
    let trial = Trial::start();
    let input = r#"{"key":"k","value":"v","headers":{"h":"1"},"partition":2,"timestamp":1234}"#;
    trial.give(&["produce", "orders", "--json-lines"], input);
    let read = objects(&trial.run(&["consume", "orders", "--json", "--from", "@1000"]));
    let record = json!({"topic": "orders", "partition": 2, "offset": 0, "timestamp": 1234, "key": "k",
        "value": "v", "headers": [["h", "1"]]});
    assert_eq!(read, [record]);
    let wrong = trial.run_with(&["produce", "orders", "--json-lines"], "{}\n[]\n");
    let problem = String::from_utf8(wrong.stderr).unwrap();
    assert!(problem.contains("line 2") && problem.contains("no JSON object"), "{problem}");
}

#[test]
fn groups_are_read_by_described_reset_and_deleted() {
    let trial = Trial::start();
    trial.run(&["topic", "create", "orders", "--partitions", "1"]);
    trial.give(&["produce", "orders"], "1\n2\n3\n");
    assert_eq!(trial.run(&["consume", "orders", "-G", "kitchen", "-c", "2"]), "1\n2\n");
    let listed = objects(&trial.run(&["group", "list", "--json"]));
    assert_eq!(listed, [json!({"group": "kitchen", "protocol": "consumer", "state": "Empty"})]);
    let described = objects(&trial.run(&["group", "describe", "kitchen", "--json"]));
    let offset = json!({"topic": "orders", "partition": 0, "offset": 2, "end_offset": 3, "lag": 1});
    let summary = json!({"group": "kitchen", "protocol": "consumer", "state": "Empty", "members": 0});
    assert_eq!(described, [summary, offset]);
    let told = trial.run(&["group", "describe", "kitchen"]);
    assert!(told.starts_with("group kitchen has no members; its state is Empty\nTOPIC"), "{told}");
    trial.run(&["group", "reset", "kitchen", "--topic", "orders", "--to", "beginning"]);
    assert_eq!(trial.run(&["consume", "orders", "-G", "kitchen", "-c", "3"]), "1\n2\n3\n");
    trial.run(&["group", "delete", "kitchen"]);
    assert!(trial.fail(&["group", "describe", "kitchen"]).contains("callboard group list"));
}

#[test]
fn a_group_is_not_reset_to_where_nothing_is() {
    let trial = Trial::start();
    trial.run(&["topic", "create", "orders", "--partitions", "2"]);
    trial.give(&["produce", "orders", "-p", "0"], "1\n2\n3\n");
    let reset = ["group", "reset", "kitchen", "--topic", "orders", "--json", "--to", "2"];
    let row = |partition, offset| json!({"group": "kitchen", "topic": "orders", "partition": partition, "offset": offset});
    let output = trial.run_with(&[&reset[..], &["--dry-run"]].concat(), "");
    let (told, warned) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(objects(&told), [row(0, 2), row(1, 0)]);
    assert_eq!(warned, "callboard: partition 1 of orders has no offset 2; 0 is the nearest\n");
    assert!(trial.fail(&["group", "describe", "kitchen"]).contains("no group kitchen"), "it was not done");
    assert_eq!(objects(&trial.run(&[&reset[..], &["-p", "0"]].concat())), [row(0, 2)]);
    assert_eq!(trial.run(&["consume", "orders", "-G", "kitchen", "-c", "1"]), "3\n");
    let problem = trial.fail(&[&reset[..], &["-p", "2"]].concat());
    assert!(problem.contains("the partitions 0 to 1"), "{problem}");
}

#[test]
fn a_group_with_members_is_to_be_stopped_first() {
    let trial = Trial::start();
    trial.give(&["produce", "orders"], "1\n");
    let words = ["consume", "orders", "-G", "kitchen", "--broker", &trial.native];
    let mut child = callboard(trial.folder.path(), &words).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "1");
    let reset = ["group", "reset", "kitchen", "--topic", "orders", "--to", "end"];
    let dry_run = [&reset[..], &["--dry-run"]].concat();
    for words in [&["group", "delete", "kitchen"][..], &reset, &dry_run] {
        let problem = trial.fail(words);
        assert!(problem.contains("has members, which must be stopped first"), "{problem}");
    }
    kill(Pid::from_raw(child.id() as i32), Signal::SIGTERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    trial.run(&["group", "delete", "kitchen"]);
}

#[test]
fn a_member_that_is_stopped_commits_and_leaves() {
    let trial = Trial::start();
    trial.run(&["topic", "create", "orders", "--partitions", "1"]);
    trial.give(&["produce", "orders"], "1\n2\n");
    for (number, signal) in [Signal::SIGTERM, Signal::SIGINT].into_iter().enumerate() {
        let group = format!("kitchen-{number}");
        let words = ["consume", "orders", "-G", &group, "--broker", &trial.native];
        let mut child = callboard(trial.folder.path(), &words)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let read = [(); 2].map(|()| lines.next().unwrap().unwrap());
        assert_eq!(read, ["1", "2"]);
        kill(Pid::from_raw(child.id() as i32), signal).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(0), "{signal}");
        let described = objects(&trial.run(&["group", "describe", &group, "--json"]));
        let offset = json!({"topic": "orders", "partition": 0, "offset": 2, "end_offset": 2, "lag": 0});
        assert_eq!(described[0]["members"], json!(0), "{signal}");
        assert_eq!(described[1..], [offset], "{signal}: what was read is committed");
    }
}

/// Runs a command whose output goes there. Answers its exit code and what it says of problems.
fn into(trial: &Trial, words: &[&str], out: impl Into<Stdio>) -> (Option<i32>, String) {
    let words = [words, &["--broker", &trial.native]].concat();
    let output = callboard(trial.folder.path(), &words).stdout(out).stderr(Stdio::piped()).output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn what_is_read_and_cannot_be_written_is_an_error_and_the_group_is_left() {
    let trial = Trial::start();
    trial.give(&["produce", "orders"], "1\n2\n3\n");
    for words in [&["consume", "orders"][..], &["consume", "orders", "--json"], &["topic", "list"]] {
        let (code, problem) = into(&trial, words, File::create("/dev/full").unwrap());
        assert_eq!(code, Some(1), "{words:?}");
        assert!(problem.contains("writing to standard output"), "{problem}");
    }
    let (code, _) = into(&trial, &["consume", "orders", "-G", "kitchen"], File::create("/dev/full").unwrap());
    assert_eq!(code, Some(1));
    assert!(trial.run(&["group", "describe", "kitchen"]).contains("has no members"));
    let again = trial.run(&["consume", "orders", "-G", "kitchen", "-c", "3"]);
    let mut lines: Vec<_> = again.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["1", "2", "3"], "what was not written is not committed");
}

#[test]
fn who_wants_only_the_first_lines_gets_them_without_a_problem() {
    let trial = Trial::start();
    trial.give(&["produce", "orders"], "1\n2\n3\n");
    for words in [&["consume", "orders"][..], &["topic", "list"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        assert_eq!(into(&trial, words, writer), (Some(0), String::new()), "{words:?}");
    }
}

#[test]
fn a_broker_is_measured() {
    let trial = Trial::start();
    // Many batches of several records each.
    let load = "-n 500 --size 100 --partitions 2 -z lz4 --batch-bytes 5000";
    let produce: Vec<_> = ["bench", "produce", "--json"].into_iter().chain(load.split(' ')).collect();
    let told = &objects(&trial.run(&produce))[0];
    let facts = (&told["bench"], &told["records"], &told["bytes"]);
    assert_eq!(facts, (&json!("produce"), &json!(500), &json!(50_000)));
    let [p50, p999] = ["p50", "p99.9"].map(|share| told["latency_ms"][share].as_f64().unwrap());
    assert!(0.0 < p50 && p50 <= p999 && told["records_per_s"].as_f64() > Some(0.0), "{told}");
    let described = objects(&trial.run(&["topic", "describe", "bench", "--json"]));
    let ends = described.iter().map(|partition| partition["end_offset"].as_u64().unwrap());
    assert_eq!((ends.len(), ends.sum::<u64>()), (2, 500), "they are there");

    let paced = ["bench", "produce", "--json", "-n", "101", "--rate", "500", "--topic", "paced"];
    let told = &objects(&trial.run(&paced))[0];
    assert!(told["seconds"].as_f64() >= Some(0.2), "the last one was due then: {told}");
    assert!(told["latency_ms"]["p99"].as_f64() > Some(0.0), "{told}");

    let consumed = &objects(&trial.run(&["bench", "consume", "--json"]))[0];
    assert_eq!((&consumed["records"], &consumed["bytes"]), (&json!(500), &json!(50_000)));
    assert_eq!(consumed["latency_ms"], json!(null));
    assert!(trial.run(&["bench", "consume", "-n", "10"]).starts_with("BENCH"));

    let told = trial.run(&["bench", "latency", "-n", "20", "--acks", "written", "--size", "0"]);
    let rows: Vec<_> = told.lines().map(|line| line.split("  ").next().unwrap()).collect();
    assert_eq!(rows, ["BENCH", "latency to receipt", "latency to reader"]);
}

#[test]
fn a_measurement_that_cannot_be_says_what_to_do() {
    let trial = Trial::start();
    assert!(trial.fail(&["bench", "consume"]).contains("callboard topic list"));
    trial.run(&["bench", "latency", "-n", "1", "--partitions", "1"]);
    let other = trial.fail(&["bench", "produce", "--partitions", "2"]);
    assert!(other.contains("1 partition(s)") && other.contains("callboard topic delete bench"), "{other}");
    let many = trial.fail(&["bench", "consume", "-n", "1000"]);
    assert!(many.contains("21 record(s)") && many.contains("callboard bench produce"), "{many}");
    let large = trial.fail(&["bench", "produce", "-n", "1", "--size", "3000000"]);
    assert!(large.contains("max.message.bytes") && large.contains("--size"), "{large}");
}

#[test]
fn a_broker_that_is_not_there_is_told_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let output = callboard(folder.path(), &["topic", "list", "--broker", "127.0.0.1:1"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let problem = String::from_utf8(output.stderr).unwrap();
    assert!(problem.contains("callboard serve") && problem.contains("--broker"), "{problem}");
}

#[test]
fn completions_and_a_manual_are_printed() {
    let folder = tempfile::tempdir().unwrap();
    for (words, says) in [
        (&["completions", "bash"][..], "complete -F"),
        (&["manual"], ".TH callboard 1"),
        (&["manual", "topic"], ".TH callboard-topic 1"),
        (&["manual", "topic", "create"], ".TH callboard-topic-create 1"),
    ] {
        let output = callboard(folder.path(), words).output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        let page = String::from_utf8(output.stdout).unwrap();
        assert!(page.contains(says), "{words:?}: {}", &page[..page.len().min(500)]);
    }
    let output = callboard(folder.path(), &["manual", "topics"]).output().unwrap();
    let problem = String::from_utf8(output.stderr).unwrap();
    assert!(problem.contains("callboard has no command topics; it has serve"), "{problem}");
    let output = callboard(folder.path(), &["manual", "topic", "creat"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let problem = String::from_utf8(output.stderr).unwrap();
    assert!(problem.contains("callboard topic has no command creat; it has create, list"), "{problem}");
}
