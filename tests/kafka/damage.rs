//! Bytes of the journal that change while the broker runs: it never serves them as records.

use crate::batch::{batch, stored};
use crate::client::Client;
use crate::own_broker;
use crate::topic::{LATEST, Topic};
use callboard_protocol::kafka::ErrorCode;
use callboard_protocol::kafka::fetch::{FetchResponse, PartitionData};
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Changes a byte of a value that stands in the journal once.
fn damage(data: &Path, value: &str) {
    for entry in fs::read_dir(data.join("journal")).unwrap() {
        let path = entry.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        if let Some(place) = bytes.windows(value.len()).position(|window| window == value.as_bytes()) {
            let changed = [bytes[place] ^ 0x20];
            File::options().write(true).open(path).unwrap().write_all_at(&changed, place as u64).unwrap();
            return;
        }
    }
    panic!("{value} is not in the journal");
}

fn base_offsets(data: &PartitionData) -> Vec<i64> {
    stored(data.records.as_ref()).iter().map(|batch| batch.header.base_offset).collect()
}

#[test]
fn a_damaged_batch_is_refused_and_all_else_is_served() {
    let Some(broker) = own_broker(&[]) else { return };
    let mut client = Client::connect(&broker);
    let topic = Topic::create(&mut client, 2);
    for value in ["the first one", "the second one", "the third one", "the fourth one"] {
        topic.produce(&mut client, 0, &batch(&[value]));
    }
    topic.produce(&mut client, 1, &batch(&["another"]));
    damage(&broker.data().unwrap(), "the third one");

    let before = topic.fetch(&mut client, 0, 0);
    assert_eq!((before.error_code, base_offsets(&before)), (ErrorCode::NONE, vec![0, 1]));
    let behind = topic.fetch(&mut client, 0, 3);
    assert_eq!((behind.error_code, base_offsets(&behind)), (ErrorCode::NONE, vec![3]));
    let request = topic.fetch_request(&[(0, 2), (1, 0)]);
    let answer: FetchResponse = client.call(12, &request);
    let parts: Vec<_> = answer.responses.into_iter().flat_map(|topic| topic.partitions).collect();
    let codes: Vec<_> = parts.iter().map(|part| part.error_code).collect();
    assert_eq!(codes, [ErrorCode::KAFKA_STORAGE_ERROR, ErrorCode::NONE]);
    assert_eq!((base_offsets(&parts[0]), base_offsets(&parts[1])), (vec![], vec![0]));

    let told = topic.produce(&mut client, 0, &batch(&["the fifth one"]));
    assert_eq!((told.error_code, told.base_offset), (ErrorCode::NONE, 4));
    assert_eq!(topic.list(&mut client, 0, LATEST).offset, 5);
    let log = broker.log().unwrap();
    let line = log.lines().find(|line| line.contains("damaged")).unwrap_or_default();
    let says = [&format!("topic={}", topic.name), "partition=0", "offset=2", "segment 1, position"];
    assert!(says.iter().all(|part| line.contains(*part)), "{line}");
    assert!(line.contains("ERROR") && line.contains("callboard check"), "{line}");
}
