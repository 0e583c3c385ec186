//! Searches by time where the log starts inside a batch, ends before its newest one, or holds
//! batches whose header promises more than their records hold.

use super::*;

fn extent(start: i64, end: i64) -> Extent {
    Extent { partition: PARTITION, start: Offset(start), end: Offset(end) }
}

/// A batch to which the broker gave that time.
fn at(timestamp: i64, records: i32) -> Batch {
    changed(&many(1, records), |header| {
        header.attributes = header.attributes.with(TimestampType::LogAppendTime);
        header.max_timestamp = timestamp;
    })
}

/// A batch whose producer gave its records times, all below 64.
fn of(times: &[u8]) -> Batch {
    // Length, attributes, time and offset as signed varints, no key, no value, no headers.
    let record = |(number, time): (usize, &u8)| [12, 0, time * 2, number as u8 * 2, 1, 1, 0];
    let content: Vec<u8> = times.iter().enumerate().flat_map(record).collect();
    changed(&batch_of(0, &content), |header| {
        header.record_count = times.len() as i32;
        header.last_offset_delta = times.len() as i32 - 1;
        header.max_timestamp = times.iter().max().copied().unwrap().into();
    })
}

#[test]
fn a_log_that_starts_inside_a_batch_is_searched_from_there() {
    let path = tempfile::tempdir().unwrap();
    let mut opened = open(path.path());
    opened.append(at(100, 10));
    opened.append(at(200, 10));
    let reader = opened.log.reader();
    let find = |start, time| reader.find_time(extent(start, 20), time).unwrap().map(|it| it.offset.0);
    assert_eq!((find(0, 50), find(0, 150), find(0, 250)), (Some(0), Some(10), None));
    assert_eq!((find(5, 50), find(5, 150), find(15, 150)), (Some(5), Some(10), Some(15)));
}

#[test]
fn a_record_below_the_log_start_is_passed_over_for_one_in_a_later_batch() {
    let path = tempfile::tempdir().unwrap();
    let mut opened = open(path.path());
    opened.append(of(&[10, 50, 20]));
    opened.append(of(&[30, 60]));
    let reader = opened.log.reader();
    let find = |start, time| reader.find_time(extent(start, 5), time).unwrap().map(|it| it.offset.0);
    assert_eq!((find(0, 15), find(0, 40), find(0, 55), find(0, 61)), (Some(1), Some(1), Some(4), None));
    assert_eq!((find(2, 15), find(2, 25), find(2, 40)), (Some(2), Some(3), Some(4)));
}

#[test]
fn the_largest_time_is_that_of_what_may_be_read() {
    let path = tempfile::tempdir().unwrap();
    let mut opened = open(path.path());
    for number in 0..300 {
        opened.append(at(1000 + number, 1));
    }
    let reader = opened.log.reader();
    let newest = |end| reader.find_max_time(extent(0, end)).unwrap().map(|it| (it.offset.0, it.timestamp));
    for end in 1..=300 {
        assert_eq!(newest(end), Some((end - 1, 1000 + end - 1)), "of {end}");
    }
    assert_eq!(newest(0), None);
}
