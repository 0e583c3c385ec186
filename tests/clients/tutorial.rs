//! The programs of `examples/python`, as somebody who follows a tutorial runs them.

use crate::client::Client;
use crate::setup::interpreter;
use crate::support::broker::{Broker, elsewhere};
use crate::support::process::output_of;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// `localhost` may be `::1` first, where nobody listens: clients must find the broker all the same.
fn run(program: &str, broker: &Broker) -> String {
    let port = broker.address().rsplit(':').next().unwrap();
    let mut command = Command::new(interpreter().unwrap());
    command.arg("-B").arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/python").join(program));
    command.arg(format!("localhost:{port}"));
    String::from_utf8(output_of(command, Duration::from_mins(2)).unwrap()).unwrap()
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
