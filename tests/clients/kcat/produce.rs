//! What kcat sends: acks, codecs, keys, sizes, and what is refused.

use super::{bench, lines, numbers};
use std::collections::{BTreeMap, BTreeSet};

#[test]
fn records_are_readable_at_every_level_of_acks() {
    let Some(bench) = bench("acks", &[]) else {
        return;
    };
    for (round, acks) in ["acks=0", "acks=1", "acks=all"].into_iter().enumerate() {
        bench.produce(&numbers(round * 200, round * 200 + 200), &["-p", "0", "-X", acks]).unwrap();
    }
    assert_eq!(bench.read("%s\n", &[]), numbers(0, 600));
}

#[test]
fn every_codec_is_read_back() {
    let Some(bench) = bench("codecs", &[]) else {
        return;
    };
    for (round, codec) in ["none", "gzip", "snappy", "lz4", "zstd"].into_iter().enumerate() {
        bench.produce(&numbers(round * 1000, round * 1000 + 1000), &["-p", "0", "-z", codec]).unwrap();
    }
    assert_eq!(bench.read("%s\n", &[]), numbers(0, 5000));
}

#[test]
fn records_of_one_key_stay_in_one_partition_in_order() {
    let Some(bench) = bench("keys", &[]) else {
        return;
    };
    let text = lines((0..400).map(|number| format!("key-{}:{number}", number % 20)));
    bench.produce(&text, &["-K", ":"]).unwrap();
    let mut homes: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut values: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for line in bench.read("%p %k %s\n", &[]).lines() {
        let [partition, key, value] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        homes.entry(key.to_string()).or_default().insert(partition.to_string());
        values.entry(key.to_string()).or_default().push(value.parse().unwrap());
    }
    assert!(homes.values().all(|partitions| partitions.len() == 1), "{homes:?}");
    assert_eq!(homes.values().flatten().collect::<BTreeSet<_>>().len(), 4);
    for number in 0..20 {
        let expected: Vec<usize> = (0..20).map(|round| round * 20 + number).collect();
        assert_eq!(values[&format!("key-{number}")], expected);
    }
}

#[test]
fn records_without_a_key_are_spread() {
    let Some(bench) = bench("keyless", &[]) else {
        return;
    };
    bench.produce(&numbers(0, 400), &["-X", "sticky.partitioning.linger.ms=0"]).unwrap();
    let read = bench.read("%p %s\n", &[]);
    let (partitions, values): (BTreeSet<&str>, BTreeSet<&str>) =
        read.lines().map(|line| line.split_once(' ').unwrap()).unzip();
    assert_eq!(partitions, BTreeSet::from(["0", "1", "2", "3"]));
    assert_eq!((values.len(), read.lines().count()), (400, 400));
}

#[test]
fn an_idempotent_producer_leaves_no_gap_and_no_copy() {
    let Some(bench) = bench("idempotence", &[]) else {
        return;
    };
    let settings = ["-p", "0", "-X", "enable.idempotence=true", "-X", "batch.num.messages=20"];
    bench.produce(&numbers(0, 3000), &settings).unwrap();
    let expected = lines((0..3000).map(|number| format!("{number} {number}")));
    assert_eq!(bench.read("%o %s\n", &[]), expected);
}

#[test]
fn a_record_of_900_kib_passes() {
    let Some(bench) = bench("large", &[]) else {
        return;
    };
    let value: String = (0..900 * 1024).map(|number| char::from(b'a' + (number * 7 % 26) as u8)).collect();
    bench.produce(&format!("small\n{value}\nsmall\n"), &["-p", "0"]).unwrap();
    let read = bench.read("%s\n", &["-o", "beginning", "-X", "max.partition.fetch.bytes=1000"]);
    assert!(read == format!("small\n{value}\nsmall\n"), "{} bytes came back", read.len());
}

#[test]
fn an_unknown_topic_is_refused_when_topics_do_not_come_by_themselves() {
    let Some(bench) = bench("unknown", &["auto.create.topics.enable=false"]) else {
        return;
    };
    let settings = ["-X", "topic.metadata.propagation.max.ms=500", "-X", "message.timeout.ms=3000"];
    let error = bench.produce("value\n", &settings).unwrap_err().to_string();
    assert!(error.contains("Unknown topic"), "{error}");
}

#[test]
fn a_record_above_the_limit_is_refused() {
    let Some(bench) = bench("too-large", &["message.max.bytes=10000"]) else {
        return;
    };
    let error = bench.produce(&format!("{}\n", "x".repeat(20_000)), &["-p", "0"]).unwrap_err().to_string();
    assert!(error.contains("Message size too large"), "{error}");
    bench.produce("small\n", &["-p", "0"]).unwrap();
    assert_eq!(bench.read("%s\n", &[]), "small\n");
}
