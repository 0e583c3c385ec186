//! What kcat reads: headers, timestamps, null values, positions and metadata.

use super::{bench, numbers};
use serde_json::Value;

#[test]
fn headers_come_back_as_sent() {
    let Some(bench) = bench("headers", &[]) else {
        return;
    };
    bench.produce("with\n", &["-p", "0", "-H", "trace=one", "-H", "größe=ü", "-H", "trace=two"]).unwrap();
    bench.produce("without\n", &["-p", "0"]).unwrap();
    assert_eq!(bench.read("%s %h\n", &[]), "with trace=one,größe=ü,trace=two\nwithout \n");
}

#[test]
fn records_are_found_by_their_timestamps() {
    let Some(bench) = bench("timestamps", &[]) else {
        return;
    };
    for number in ["0\n", "1\n", "2\n"] {
        bench.produce(number, &["-p", "0"]).unwrap();
    }
    let stamps = bench.read("%T\n", &[]);
    let stamps: Vec<u64> = stamps.lines().map(|stamp| stamp.parse().unwrap()).collect();
    assert!(stamps.is_sorted() && stamps[0] > 1_500_000_000_000, "{stamps:?}");
    let from = stamps[2];
    let first = stamps.iter().position(|stamp| *stamp >= from).unwrap();
    assert_eq!(bench.read("%s\n", &["-p", "0", "-o", &format!("s@{from}")]), numbers(first, 3));
    let asked = format!("{}:0:{from}", bench.topic);
    let found = String::from_utf8(bench.kcat("-Q", &["-t", &asked]).unwrap()).unwrap();
    assert_eq!(found.trim(), format!("{} [0] offset {first}", bench.topic));
}

#[test]
fn a_null_value_is_not_an_empty_one() {
    let Some(bench) = bench("tombstones", &[]) else {
        return;
    };
    bench.produce("key:value\nkey:\n", &["-p", "0", "-K", ":", "-Z"]).unwrap();
    bench.produce("key:\n", &["-p", "0", "-K", ":"]).unwrap();
    assert_eq!(bench.read("%k %S\n", &[]), "key 5\nkey -1\nkey 0\n");
}

#[test]
fn offsets_are_found_by_beginning_end_and_number() {
    let Some(bench) = bench("positions", &[]) else {
        return;
    };
    bench.produce(&numbers(0, 100), &["-p", "0"]).unwrap();
    assert_eq!(bench.read("%s\n", &["-p", "0", "-o", "42"]), numbers(42, 100));
    assert_eq!(bench.read("%s\n", &["-p", "0", "-o", "-3"]), numbers(97, 100));
    assert_eq!(bench.read("%s\n", &["-p", "0", "-o", "end"]), "");
    for (position, offset) in [(-2, 0), (-1, 100)] {
        let asked = format!("{}:0:{position}", bench.topic);
        let found = String::from_utf8(bench.kcat("-Q", &["-t", &asked]).unwrap()).unwrap();
        assert_eq!(found.trim(), format!("{} [0] offset {offset}", bench.topic));
    }
}

#[test]
fn metadata_names_the_broker_and_its_partitions() {
    let Some(bench) = bench("metadata", &[]) else {
        return;
    };
    bench.produce("first\n", &["-p", "0"]).unwrap();
    let listed: Value = serde_json::from_slice(&bench.kcat("-L", &["-J"]).unwrap()).unwrap();
    assert_eq!(listed["brokers"][0]["name"], bench.broker.address());
    assert_eq!(listed["controllerid"], listed["brokers"][0]["id"]);
    let topics = listed["topics"].as_array().unwrap();
    let topic = topics.iter().find(|topic| topic["topic"] == bench.topic.as_str()).unwrap();
    let partitions = topic["partitions"].as_array().unwrap();
    assert_eq!(partitions.len(), 4);
    for partition in partitions {
        assert_eq!(partition["leader"], listed["controllerid"]);
        assert_eq!(partition["isrs"][0]["id"], listed["controllerid"]);
    }
}
