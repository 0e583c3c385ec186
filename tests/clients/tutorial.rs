//! The programs of `examples/python`, as somebody who follows a tutorial runs them.

use crate::client::Client;
use crate::setup::interpreter;
use crate::support::broker::{Broker, elsewhere};
use crate::support::process::output_of;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

/// `localhost` may be `::1` first, where nobody listens: clients must find the broker all the same.
fn command(program: &str, broker: &Broker) -> Command {
    let port = broker.address().rsplit(':').next().unwrap();
    let mut command = Command::new(interpreter().unwrap());
    command.arg("-B").arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/python").join(program));
    command.arg(format!("localhost:{port}"));
    command
}

fn run(program: &str, broker: &Broker) -> String {
    let output = output_of(command(program, broker), Duration::from_mins(2));
    String::from_utf8(output.unwrap()).unwrap()
}

/// One of the group, whose lines go to `lines`, each behind its name.
fn member(name: usize, mode: &str, broker: &Broker, lines: &Sender<(usize, String)>) -> Child {
    let mut program = command("group.py", broker);
    let mut process = program.arg(mode).stdout(Stdio::piped()).spawn().unwrap();
    let output = BufReader::new(process.stdout.take().unwrap());
    let lines = lines.clone();
    std::thread::spawn(move || {
        for line in output.lines().map_while(Result::ok) {
            let _ = lines.send((name, line));
        }
    });
    process
}

/// Who of the group says something until so many more orders came. One may come twice, when it was
/// handled and could not be committed.
fn until(more: usize, seen: &mut BTreeSet<String>, lines: &Receiver<(usize, String)>) -> BTreeSet<usize> {
    let (wanted, mut names) = (seen.len() + more, BTreeSet::new());
    while seen.len() < wanted {
        let (name, line) = lines.recv_timeout(Duration::from_mins(1)).expect("no more orders come");
        seen.insert(line);
        names.insert(name);
    }
    names
}

#[test]
fn the_example_group_shares_the_orders_and_goes_on_when_one_of_it_is_stopped() {
    if !Client::Python.is_chosen() || elsewhere().is_some() {
        return;
    }
    let broker = Broker::start().unwrap();
    run("producer.py", &broker);
    let ((said, lines), mut seen) = (channel(), BTreeSet::new());
    let mut first = member(0, "at-least-once", &broker, &said);
    until(1440, &mut seen, &lines);
    let mut second = member(1, "at-most-once", &broker, &said);
    // It has its share once an order reaches it.
    let mut sharing = BTreeSet::new();
    while !sharing.contains(&1) {
        run("producer.py", &broker);
        sharing = until(1440, &mut seen, &lines);
    }
    kill(Pid::from_raw(first.id().try_into().unwrap()), Signal::SIGINT).unwrap();
    assert!(first.wait().unwrap().success(), "Ctrl-C is an orderly end");
    run("producer.py", &broker);
    assert_eq!(until(1440, &mut seen, &lines), [1].into());
    second.kill().unwrap();
    second.wait().unwrap();
}

#[test]
fn what_the_example_producer_sends_the_example_consumer_reads() {
    if !Client::Python.is_chosen() {
        return;
    }
    if elsewhere().is_some() {
        eprintln!("left out: the examples need a broker without earlier orders");
        return;
    }
    let broker = Broker::start().unwrap();
    run("producer.py", &broker);
    let read = run("consumer.py", &broker);
    let mut homes: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
    let mut numbers: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    let mut spread = BTreeSet::new();
    // A line is: partition, offset, key or -, value as JSON.
    for line in read.lines().filter(|line| line.starts_with(|first: char| first.is_ascii_digit())) {
        let [partition, _, key, value] = line.splitn(4, ' ').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        let partition = partition.parse().unwrap();
        let order: Value = serde_json::from_str(value).unwrap();
        if key == "-" {
            spread.insert(partition);
        } else {
            homes.entry(key.to_string()).or_default().insert(partition);
        }
        numbers.entry(key.to_string()).or_default().push(order["number"].as_u64().unwrap());
    }
    assert_eq!(homes.len(), 6, "{read}");
    assert!(homes.values().all(|partitions| partitions.len() == 1), "{homes:?}");
    for (key, numbers) in numbers.iter().filter(|(key, _)| *key != "-") {
        assert!(numbers.is_sorted(), "the orders of {key} came as {numbers:?}");
    }
    assert_eq!(spread, BTreeSet::from([0, 1, 2, 3]));
    let mut all: Vec<u64> = numbers.into_values().flatten().collect();
    all.sort_unstable();
    assert_eq!(all, (0..u64::try_from(all.len()).unwrap()).collect::<Vec<_>>());
    assert_eq!(all.len(), 12 * 120);
}
