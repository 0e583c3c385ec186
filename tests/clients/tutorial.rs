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

/// What `producer.py` sends: 120 orders in each of 12 ways.
const ORDERS: usize = 12 * 120;

/// `localhost` may be `::1` first, where nobody listens: clients must find the broker all the same.
fn command(program: &str, broker: &Broker) -> Command {
    let port = broker.address().rsplit(':').next().unwrap();
    // A test run that is a script's background job hands on that SIGINT is ignored.
    let mut command = Command::new("env");
    command.arg("--default-signal=INT").arg(interpreter().unwrap());
    command.arg("-B").arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/python").join(program));
    command.arg(format!("localhost:{port}"));
    command
}

fn run(program: &str, broker: &Broker) -> String {
    let output = output_of(command(program, broker), Duration::from_mins(2));
    String::from_utf8(output.unwrap()).unwrap()
}

/// One of the group. Dropping it kills it.
struct Member(Child);

impl Member {
    /// Starts it with its mode and more. Its lines go to `lines`, each behind its name.
    fn start(name: usize, arguments: &[&str], broker: &Broker, lines: &Sender<(usize, String)>) -> Self {
        let mut program = command("group.py", broker);
        let mut process = program.args(arguments).stdout(Stdio::piped()).spawn().unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        let lines = lines.clone();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let _ = lines.send((name, line));
            }
        });
        Self(process)
    }

    /// Ctrl-C.
    fn interrupt(mut self) {
        kill(Pid::from_raw(self.0.id().try_into().unwrap()), Signal::SIGINT).unwrap();
        assert!(self.0.wait().unwrap().success(), "Ctrl-C is an orderly end");
    }

    /// SIGKILL, as when the machine fails.
    fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What one of the group says next.
fn next(lines: &Receiver<(usize, String)>) -> (usize, String) {
    lines.recv_timeout(Duration::from_mins(1)).expect("no more orders come")
}

/// The partition and the offset of an order, with which its line begins.
fn place(line: &str) -> (u64, u64) {
    let mut numbers = line.split(' ').map(|word| word.parse::<u64>().unwrap());
    (numbers.next().unwrap(), numbers.next().unwrap())
}

/// Who of the group says something until so many more orders came. One may come twice, when it was
/// handled and could not be committed.
fn until(more: usize, seen: &mut BTreeSet<String>, lines: &Receiver<(usize, String)>) -> BTreeSet<usize> {
    let (wanted, mut names) = (seen.len() + more, BTreeSet::new());
    while seen.len() < wanted {
        let (name, line) = next(lines);
        seen.insert(line);
        names.insert(name);
    }
    names
}

/// A program in this mode is killed while it handles an order, and another one is started. Answers the
/// offset of that order, and of the first one that the other handles of the same partition.
fn killed_at_and_next(mode: &str) -> (u64, u64) {
    let broker = Broker::start().unwrap();
    run("producer.py", &broker);
    let ((said, lines), mut seen) = (channel(), BTreeSet::new());
    let first = Member::start(0, &["auto"], &broker, &said);
    until(ORDERS, &mut seen, &lines);
    first.interrupt();
    run("producer.py", &broker);
    // It prints an order when it begins with it, and is dead long before it is done with it.
    let second = Member::start(1, &[mode, "60"], &broker, &said);
    let (_, handled) = next(&lines);
    second.kill();
    assert!(!seen.contains(&handled), "auto had committed all, and {handled} came again");
    let _third = Member::start(2, &[mode], &broker, &said);
    // So that each partition has orders that the dead one was not handed out.
    run("producer.py", &broker);
    let (partition, killed_at) = place(&handled);
    let mut places = std::iter::repeat_with(|| place(&next(&lines).1));
    // The orders of a partition come in their order: what is not there now does not come any more.
    let (_, next) = places.find(|(other, _)| *other == partition).unwrap();
    (killed_at, next)
}

#[test]
fn an_order_during_which_the_example_is_killed_is_handled_again_at_least_once() {
    if !Client::Python.is_chosen() || elsewhere().is_some() {
        return;
    }
    let (killed_at, next) = killed_at_and_next("at-least-once");
    assert_eq!(next, killed_at);
}

#[test]
fn an_order_during_which_the_example_is_killed_is_not_handled_again_at_most_once() {
    if !Client::Python.is_chosen() || elsewhere().is_some() {
        return;
    }
    let (killed_at, next) = killed_at_and_next("at-most-once");
    assert!(next > killed_at, "{next} comes after a death at {killed_at}");
}

#[test]
fn an_order_during_which_the_example_is_killed_is_handled_again_where_its_client_commits_by_itself() {
    if !Client::Python.is_chosen() || elsewhere().is_some() {
        return;
    }
    let (killed_at, next) = killed_at_and_next("auto");
    assert_eq!(next, killed_at);
}

#[test]
fn the_example_group_shares_the_orders_and_goes_on_when_one_of_it_is_stopped() {
    if !Client::Python.is_chosen() || elsewhere().is_some() {
        return;
    }
    let broker = Broker::start().unwrap();
    run("producer.py", &broker);
    let ((said, lines), mut seen) = (channel(), BTreeSet::new());
    let first = Member::start(0, &["at-least-once"], &broker, &said);
    until(ORDERS, &mut seen, &lines);
    let _second = Member::start(1, &["at-most-once"], &broker, &said);
    // It has its share once an order reaches it.
    let mut sharing = BTreeSet::new();
    while !sharing.contains(&1) {
        run("producer.py", &broker);
        sharing = until(ORDERS, &mut seen, &lines);
    }
    first.interrupt();
    run("producer.py", &broker);
    assert_eq!(until(ORDERS, &mut seen, &lines), [1].into());
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
    assert_eq!(all.len(), ORDERS);
}
