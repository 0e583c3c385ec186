//! Bytes from a damaged disk: a row's key and value, a segment's header, and records of the journal.
//!
//! The first byte is the number of a table; 0 is for a segment.
#![no_main]

use callboard_storage::disk::simulated::SimulatedDisk;
use callboard_storage::disk::{Disk, DiskFile};
use callboard_storage::journal::scan::{Scanner, Step};
use callboard_storage::journal::segment::SegmentHeader;
use callboard_storage::keys::{self, Table};
use callboard_storage::values::{
    BatchPlace, ConfigRow, ConsumerMemberRow, GroupRow, OffsetRow, PartitionRow, ProducerRow, SegmentUse,
    TopicRow,
};
use libfuzzer_sys::fuzz_target;
use std::io::IoSlice;
use std::path::Path;
use std::sync::Arc;

/// What is read is written and read again as the same. Fixed layouts are written as bytes, the others
/// as a result, so that both have to be told apart.
macro_rules! same_again {
    ($row:ty, $value:expr) => {
        if let Ok(row) = <$row>::decode($value) {
            assert_eq!(<$row>::decode(&row.encode()).expect("what was written is read"), row);
        }
    };
    ($row:ty, $value:expr, checked) => {
        if let Ok(row) = <$row>::decode($value) {
            let again = row.encode().expect("what was read is written");
            assert_eq!(<$row>::decode(&again).expect("what was written is read"), row);
        }
    };
}

fuzz_target!(|input: &[u8]| {
    let Some((number, bytes)) = input.split_first() else { return };
    match Table::from_number(*number) {
        Some(table) => row(table, bytes),
        None => segment(bytes),
    }
});

fn row(table: Table, value: &[u8]) {
    let _ = (keys::read_log(value), keys::read_producers(value), keys::read_partitions(value));
    let _ = (keys::read_segments(value), keys::read_configs(value), keys::read_groups(value));
    let _ = keys::read_offsets(value);
    match table {
        Table::Log => same_again!(BatchPlace, value),
        Table::Segments => same_again!(SegmentUse, value),
        Table::Partitions => same_again!(PartitionRow, value),
        Table::Offsets => same_again!(OffsetRow, value),
        Table::Producers => same_again!(ProducerRow, value, checked),
        Table::Topics => same_again!(TopicRow, value, checked),
        Table::Configs => same_again!(ConfigRow, value, checked),
        Table::Groups => {
            same_again!(GroupRow, value, checked);
            if let Ok(row) = ConsumerMemberRow::decode_any(value) {
                let again = row.encode().expect("what was read is written");
                assert_eq!(ConsumerMemberRow::decode(&again).expect("what was written is read"), row);
            }
        }
        Table::Times | Table::Epochs | Table::Meta | Table::Program => {}
    }
}

fn segment(bytes: &[u8]) {
    let _ = SegmentHeader::decode(bytes);
    let disk = SimulatedDisk::new();
    let file: Arc<dyn DiskFile> = disk.create(Path::new("segment")).expect("there is room");
    file.append(&mut [IoSlice::new(bytes)]).expect("there is room");
    let mut scanner = Scanner::new(file, 0).expect("it can be read");
    let mut position = 0;
    while let Step::Record(record) = scanner.at(position).expect("it can be read") {
        assert!(record.bytes > 0, "a record of no bytes would be read for ever");
        position += record.bytes;
    }
    let _ = scanner.find(position, |_| true).expect("it can be read");
}
